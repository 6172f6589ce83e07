#include "daemon/app_folders.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

#include "dag/bundle.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

struct Fixture {
  Fixture() {
    char name[] = "/tmp/folders-test-XXXXXX";
    root = ::mkdtemp(name);
    folders.set_folders({root});
  }
  ~Fixture() { fs::remove_all(root); }
  void write(const std::string& name, const std::string& text) {
    fs::create_directories(fs::path(root + "/" + name).parent_path());
    std::ofstream(root + "/" + name) << text;
  }
  /// Two looks, which a file that came to rest needs.
  std::vector<PipelineFile> settle() {
    std::vector<PipelineFile> all = folders.look(missing);
    for (PipelineFile& file : folders.look(missing)) all.push_back(std::move(file));
    return all;
  }
  std::string root;
  PipelineFolders folders{{}};
  std::vector<std::string> missing;
};

const char* const with_schema =
    "name = \"a\"\n[step.x]\noperator = \"data.validate\"\nin.schema = { file = \"schema.toml\" }\n";

}  // namespace

TEST_CASE_METHOD(Fixture, "pipeline folders: a file is reported once, when it has come to rest",
                 "[daemon][folders]") {
  write("a.toml", "name = \"a\"\n");
  CHECK(folders.look(missing).empty());
  const auto found = folders.look(missing);
  REQUIRE(found.size() == 1);
  CHECK(found[0].path == root + "/a.toml");
  CHECK(found[0].folder == root);
  CHECK(found[0].files.at(bundle_pipeline_file) == "name = \"a\"\n");
  CHECK(settle().empty());
}

TEST_CASE_METHOD(Fixture, "pipeline folders: a change is a new report with another episode",
                 "[daemon][folders]") {
  write("a.toml", "name = \"a\"\n");
  const auto first = settle();
  REQUIRE(first.size() == 1);
  write("a.toml", "name = \"a\"\ndescription = \"b\"\n");
  const auto second = settle();
  REQUIRE(second.size() == 1);
  CHECK(second[0].episode != first[0].episode);
}

TEST_CASE_METHOD(Fixture, "pipeline folders: a pipeline changes with the files that it names",
                 "[daemon][folders]") {
  write("flights/pipeline.toml", with_schema);
  write("flights/schema.toml", "[feature.x]\n");
  write("flights/other.toml", "not looked at: only pipeline.toml counts in a folder of its own");
  const auto first = settle();
  REQUIRE(first.size() == 1);
  CHECK(first[0].files.size() == 2);
  CHECK(first[0].folder == root + "/flights");
  write("flights/schema.toml", "[feature.y]\n");
  const auto second = settle();
  REQUIRE(second.size() == 1);
  CHECK(second[0].files.at("schema.toml") == "[feature.y]\n");
}

TEST_CASE_METHOD(Fixture, "pipeline folders: a schema beside its pipeline is no pipeline",
                 "[daemon][folders]") {
  write("a.toml", with_schema);
  write("schema.toml", "[feature.x]\n");
  const auto found = settle();
  REQUIRE(found.size() == 1);
  CHECK(found[0].path == root + "/a.toml");
}

TEST_CASE_METHOD(Fixture, "pipeline folders: broken text is handed over, for a person to be told",
                 "[daemon][folders]") {
  write("a.toml", "name = [[[\n");
  const auto found = settle();
  REQUIRE(found.size() == 1);
  CHECK(found[0].unreadable.empty());
  CHECK(found[0].files.count(bundle_pipeline_file) == 1);
}

TEST_CASE_METHOD(Fixture, "pipeline folders: hidden and half-made files are left alone",
                 "[daemon][folders]") {
  write(".a.toml", "name = \"a\"\n");
  write("b.toml.tmp", "name = \"b\"\n");
  write("c.txt", "name = \"c\"\n");
  CHECK(settle().empty());
}

TEST_CASE_METHOD(Fixture, "pipeline folders: a missing folder is said once while it is missing",
                 "[daemon][folders]") {
  folders.set_folders({root + "/later"});
  settle();
  CHECK(missing == std::vector<std::string>{root + "/later"});
  write("later/a.toml", "name = \"a\"\n");
  CHECK(settle().size() == 1);
  fs::remove_all(root + "/later");
  settle();
  CHECK(missing.size() == 2);
}

TEST_CASE_METHOD(Fixture, "pipeline folders: what could not be applied is offered again",
                 "[daemon][folders]") {
  write("a.toml", "name = \"a\"\n");
  REQUIRE(settle().size() == 1);
  folders.forget(root + "/a.toml");
  CHECK(settle().size() == 1);
}

}  // namespace pipelined
