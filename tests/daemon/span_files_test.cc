// Which files a span has when its marker has come to rest.
#include "daemon/app_span_files.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "daemon/watch/folder_view.h"

using namespace pipelined;

namespace {

struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "span-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }

  void write(const std::string& name, const std::string& text = "x") const {
    std::filesystem::create_directories((path / name).parent_path());
    std::ofstream(path / name, std::ios::binary) << text;
  }
  SettledFile marker(const std::string& name, const std::string& span) const {
    const std::string at = (path / name).string();
    const auto entry = look_at(at);
    REQUIRE(entry);
    return {"web", "days", span, at, entry->facts};
  }
  WatchedSource source(const std::string& files, const std::string& marker, bool manifest) const {
    WatchedSource source{"web", "days", path.string(), marker, 0};
    source.files = files;
    source.manifest = manifest;
    return source;
  }
};

std::string names(const Result<std::vector<IntakeFile>>& files) {
  if (!files) return files.error().message;
  std::string all;
  for (const IntakeFile& file : *files) all += file.name + (file.digest ? "! " : " ");
  return all;
}

}  // namespace

TEST_CASE("span files: all of the marker's span, wherever below they lie", "[daemon][delivery]") {
  const Folder folder;
  for (const char* name : {"in/2024-01-05/part-1.csv", "in/2024-01-05/part-0.csv",
                           "in/2024-01-06/part-0.csv", "in/2024-01-05/part-2.csv.tmp",
                           "in/2024-01-05/readme.txt", "in/2024-01-05/_SUCCESS"}) {
    folder.write(name);
  }
  const WatchedSource source = folder.source("in/{YYYY}-{MM}-{DD}/part-*.csv",
                                             "in/{YYYY}-{MM}-{DD}/_SUCCESS", false);
  const auto files = files_of_span(source, folder.marker("in/2024-01-05/_SUCCESS", "2024-01-05"));
  CHECK(names(files) == "part-0.csv part-1.csv ");
  CHECK(files->front().path == (folder.path / "in/2024-01-05/part-0.csv").string());
}

TEST_CASE("span files: a marker in another folder, and one that matches the path itself",
          "[daemon][delivery]") {
  const Folder folder;
  for (const char* name : {"in/a/7.csv", "in/b/7.csv", "in/b/8.csv", "done/7"}) folder.write(name);
  const WatchedSource apart = folder.source("in/*/{SPAN}.csv", "done/{SPAN}", false);
  CHECK(names(files_of_span(apart, folder.marker("done/7", "7"))) == "in/a/7.csv in/b/7.csv ");
  const WatchedSource itself = folder.source("in/b/{SPAN}.csv", "in/b/{SPAN}.csv", false);
  CHECK_THAT(names(files_of_span(itself, folder.marker("in/b/8.csv", "8"))),
             Catch::Contains("no file of span 8 is there"));
}

TEST_CASE("span files: a manifest names them, and says what is not there yet", "[daemon][delivery]") {
  const Folder folder;
  folder.write("in/7/a.csv");
  folder.write("in/7/other.csv");
  folder.write("in/7/LIST", sha256("x").hex() + "  a.csv\nsub/b.csv\n");
  const WatchedSource source = folder.source("in/{SPAN}/*.csv", "in/{SPAN}/LIST", true);
  const SettledFile marker = folder.marker("in/7/LIST", "7");
  const auto files = files_of_span(source, marker);
  REQUIRE_FALSE(files);
  CHECK(files.error().code == ErrorCode::not_found);
  CHECK(files.error().message == "its manifest names sub/b.csv, which is not there yet");
  folder.write("in/7/sub/b.csv");
  CHECK(names(files_of_span(source, marker)) == "a.csv! sub/b.csv ");
  folder.write("in/7/LIST", "../8/a.csv\n");
  CHECK_THAT(names(files_of_span(source, marker)), Catch::Contains("line 1 of the manifest"));
}
