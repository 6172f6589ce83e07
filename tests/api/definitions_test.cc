// Versions of a pipeline: found by a few digits, read back byte for byte, compared.
#include <catch2/catch.hpp>

#include "daemon/api/definitions.h"
#include "tests/api/fake_backend.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

/// flights in three versions: the story's own, one with another parameter and file, one that cannot run.
struct Versions {
  boost::asio::io_context loop;
  FakeBackend backend{loop};
  Digest first, second, broken;

  Versions() {
    first = backend.record_version({{bundle_pipeline_file, flights_toml}}, 1, true);
    std::string text = flights_toml;
    text.replace(text.find("depth = 6"), 9, "depth = 8");
    text.replace(text.find("\"split\""), 7, "\"ingest\"");
    second = backend.record_version(
        {{bundle_pipeline_file, text}, {"notes.txt", "one\n"}, {"raw.bin", std::string("\0\1", 2)}}, 2);
    broken = backend.record_version({{bundle_pipeline_file, "name = \"flights\"\n"},
                                     {"notes.txt", "two\n"}}, 3);
  }
  PipelineRow row(const std::string& text) {
    const auto found = api::find_version(backend, "flights", text);
    REQUIRE(found);
    return *found;
  }
};

bool has_line(const protocol::PipelineDiff& diff, const std::string& step, const std::string& name,
              const std::string& before, const std::string& after) {
  for (const protocol::DiffLine& line : diff.lines) {
    if (line.step == step && line.name == name && line.before == before && line.after == after) {
      return true;
    }
  }
  return false;
}

}  // namespace

TEST_CASE("versions: first digits, `current` and `previous` name one", "[api][versions]") {
  Versions all;
  CHECK(all.row("current").version == all.first);
  CHECK(all.row("previous").version == all.broken);
  CHECK(all.row(all.second.hex().substr(0, 6)).version == all.second);
  CHECK(all.row(all.second.hex()).version == all.second);
  const auto none = api::find_version(all.backend, "flights", "zzzz");
  REQUIRE_FALSE(none);
  CHECK(none.error().code == ErrorCode::not_found);
  CHECK_FALSE(api::find_version(all.backend, "nothing", "current"));
  CHECK_FALSE(api::find_version(all.backend, "flights", ""));
}

TEST_CASE("versions: digits that several begin with are refused", "[api][versions]") {
  Versions all;
  std::set<std::string> firsts;
  std::string shared;
  for (int i = 0; shared.empty(); ++i) {
    const Digest version = all.backend.record_version(
        {{bundle_pipeline_file, "name = \"flights\"\n# " + std::to_string(i) + "\n"}}, 10 + i);
    const std::string digit = version.hex().substr(0, 1);
    if (!firsts.insert(digit).second) shared = digit;
  }
  const auto several = api::find_version(all.backend, "flights", shared);
  REQUIRE_FALSE(several);
  CHECK(several.error().message.find("give more digits") != std::string::npos);
}

TEST_CASE("versions: files come back as they were, and not at all when they are lost",
          "[api][versions]") {
  Versions all;
  const auto files = api::bundle_of(all.backend, all.second);
  REQUIRE(files);
  CHECK(files->size() == 3);
  CHECK(files->at("raw.bin") == std::string("\0\1", 2));
  CHECK(bundle_version(*files) == all.second);
  std::filesystem::remove(all.backend.folder.path() + "/" + all.second.hex() + "-notes.txt");
  CHECK_FALSE(api::bundle_of(all.backend, all.second));
  CHECK_FALSE(api::bundle_of(all.backend, sha256("never stored")));
}

TEST_CASE("versions: two differ in parameters, wiring and lines of files", "[api][versions]") {
  Versions all;
  const auto diff =
      api::compare_versions(all.backend, all.row("current"), all.row(all.second.hex()));
  REQUIRE(diff);
  CHECK(has_line(*diff, "", "depth", "6", "8"));
  CHECK(has_line(*diff, "train", "in.from", "split.to", "ingest.to"));
  CHECK(diff->note.empty());
  REQUIRE(diff->files.size() == 3);
  CHECK(diff->files[0].name == "notes.txt");
  CHECK(diff->files[0].change == "added");
  CHECK(diff->files[0].text == "@@ -0,0 +1 @@\n+one\n");
  CHECK(diff->files[1].change == "changed");
  CHECK(diff->files[1].text.find("-depth = 6\n+depth = 8\n") != std::string::npos);
  CHECK(diff->files[2].name == "raw.bin");
  CHECK(diff->files[2].text.empty());
  const auto back =
      api::compare_versions(all.backend, all.row(all.second.hex()), all.row("current"));
  REQUIRE(back);
  CHECK(back->files[0].change == "removed");
  CHECK(has_line(*back, "", "depth", "8", "6"));
}

TEST_CASE("versions: a version does not differ from itself", "[api][versions]") {
  Versions all;
  const auto diff = api::compare_versions(all.backend, all.row("current"), all.row("current"));
  REQUIRE(diff);
  CHECK(diff->lines.empty());
  CHECK(diff->files.empty());
}

TEST_CASE("versions: one that the operators do not fit is compared by its files", "[api][versions]") {
  Versions all;
  all.backend.versions.erase(all.broken);
  const auto diff =
      api::compare_versions(all.backend, all.row(all.broken.hex()), all.row(all.second.hex()));
  REQUIRE(diff);
  CHECK(diff->lines.empty());
  CHECK(diff->note.find(all.broken.brief()) != std::string::npos);
  CHECK(diff->files.size() == 3);
}
