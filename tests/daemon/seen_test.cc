#include "daemon/app_seen.h"

#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include <catch2/catch.hpp>

namespace pipelined {
namespace {

SettledFile file(const std::string& path, std::int64_t mtime = 7) {
  SettledFile settled;
  settled.pipeline = "flights";
  settled.source = "months";
  settled.span = "2013-01";
  settled.path = path;
  settled.facts = {100, mtime, 8, 9, 10};
  return settled;
}

struct Fixture {
  Fixture() {
    char name[] = "/tmp/seen-test-XXXXXX";
    folder = ::mkdtemp(name);
  }
  ~Fixture() { std::filesystem::remove_all(folder); }
  std::string path() const { return folder + "/seen-files"; }
  std::string folder;
};

}  // namespace

TEST_CASE_METHOD(Fixture, "seen files: a file is known after the turn that recorded it, not before",
                 "[daemon][seen]") {
  SeenFiles seen(path());
  seen.offered(file("/in/a.csv"));
  CHECK_FALSE(seen.knows(file("/in/a.csv")));
  seen.failed();
  seen.recorded();
  CHECK_FALSE(seen.knows(file("/in/a.csv")));
  seen.offered(file("/in/a.csv"));
  seen.recorded();
  CHECK(seen.knows(file("/in/a.csv")));
  CHECK_FALSE(seen.knows(file("/in/a.csv", 70)));
  CHECK_FALSE(seen.knows(file("/in/b.csv")));
}

TEST_CASE_METHOD(Fixture, "seen files: what was saved is known in the next life", "[daemon][seen]") {
  SeenFiles seen(path());
  seen.offered(file("/in/a name with blanks.csv"));
  seen.offered(file("/in/line\nbreak.csv"));
  seen.recorded();
  CHECK(seen.dirty());
  REQUIRE(seen.save());
  CHECK_FALSE(seen.dirty());
  SeenFiles next(path());
  next.load();
  CHECK(next.size() == 1);
  CHECK(next.knows(file("/in/a name with blanks.csv")));
}

TEST_CASE_METHOD(Fixture, "seen files: damage only costs work", "[daemon][seen]") {
  for (const char* text : {"", "rubbish", "pipelined seen files 1\n1 2 three\n\n1 2 3 4 5 \n",
                           "pipelined seen files 9\n1 2 3 4 5 x\n"}) {
    std::ofstream(path(), std::ios::trunc) << text;
    SeenFiles seen(path());
    seen.load();
    CHECK_FALSE(seen.knows(file("/in/a.csv")));
  }
}

TEST_CASE_METHOD(Fixture, "seen files: sources that are gone are forgotten", "[daemon][seen]") {
  SeenFiles seen(path());
  seen.offered(file("/in/a.csv"));
  SettledFile other = file("/in/a.csv");
  other.source = "weather";
  seen.offered(other);
  seen.recorded();
  seen.keep_only({{"flights", "weather", "/in", "{YYYY}.csv", 2000}});
  CHECK(seen.size() == 1);
  CHECK(seen.knows(other));
}

TEST_CASE_METHOD(Fixture, "seen files: a folder that takes nothing is an error in words",
                 "[daemon][seen]") {
  SeenFiles seen(folder + "/none/seen-files");
  const auto saved = seen.save();
  REQUIRE_FALSE(saved);
  CHECK(saved.error().message.find("seen-files") != std::string::npos);
}

}  // namespace pipelined
