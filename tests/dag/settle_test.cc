#include "dag/settle.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

using namespace pipelined;

namespace {

FileFacts facts(std::int64_t size, std::int64_t time_ns = 1, std::uint64_t inode = 1) {
  return {size, time_ns, time_ns, inode, 1};
}

}  // namespace

TEST_CASE("settle: at rest after the settle time, said once", "[settle]") {
  Settling files(100);
  CHECK(files.look("a", facts(1), 0) == SettleState::waiting);
  CHECK(files.next_due() == 100);
  CHECK(files.due(99).empty());
  CHECK(files.due(100) == std::vector<std::string>{"a"});
  CHECK(files.look("a", facts(1), 99) == SettleState::waiting);
  CHECK(files.look("a", facts(1), 100) == SettleState::settled);
  CHECK(files.look("a", facts(1), 100) == SettleState::known);
  CHECK(files.look("a", facts(1), 10'000, true) == SettleState::known);
  CHECK_FALSE(files.next_due());
}

TEST_CASE("settle: any fact that changes begins the time anew", "[settle]") {
  const FileFacts first = facts(1);
  FileFacts changed = first;
  SECTION("size") { changed.size = 2; }
  SECTION("mtime") { changed.mtime_ns = 2; }
  SECTION("ctime") { changed.ctime_ns = 2; }
  SECTION("inode") { changed.inode = 2; }
  SECTION("device") { changed.device = 2; }
  Settling files(100);
  CHECK(files.look("a", first, 0) == SettleState::waiting);
  CHECK(files.look("a", changed, 100) == SettleState::waiting);
  CHECK(files.next_due() == 200);
  CHECK(files.look("a", changed, 200) == SettleState::settled);
  CHECK(files.look("a", first, 300) == SettleState::waiting);  // and once more after rest
  CHECK(files.look("a", first, 400) == SettleState::settled);
}

TEST_CASE("settle: an event of writing begins the time anew while a file waits", "[settle]") {
  Settling files(100);
  CHECK(files.look("a", facts(1), 0) == SettleState::waiting);
  CHECK(files.look("a", facts(1), 60, true) == SettleState::waiting);
  CHECK(files.look("a", facts(1), 100) == SettleState::waiting);
  CHECK(files.look("a", facts(1), 160) == SettleState::settled);
}

TEST_CASE("settle: a file that is gone is forgotten", "[settle]") {
  Settling files(100);
  CHECK(files.look("a", facts(1), 0) == SettleState::waiting);
  CHECK(files.look("a", std::nullopt, 50) == SettleState::gone);
  CHECK_FALSE(files.next_due());
  CHECK(files.paths().empty());
  CHECK(files.look("a", facts(1), 60) == SettleState::waiting);
  CHECK(files.next_due() == 160);
}

TEST_CASE("settle: no settle time means at once", "[settle]") {
  Settling files(0);
  CHECK(files.look("a", facts(1), 5) == SettleState::settled);
  CHECK(files.look("a", facts(1), 5) == SettleState::known);
  CHECK(files.look("a", facts(2), 6) == SettleState::settled);
}

TEST_CASE("settle: a file that still changed when it was read settles again", "[settle]") {
  Settling files(100);
  (void)files.look("a", facts(1), 0);
  CHECK(files.look("a", facts(1), 100) == SettleState::settled);
  files.unsettle("a", 150);
  CHECK(files.look("a", facts(1), 249) == SettleState::waiting);
  CHECK(files.look("a", facts(1), 250) == SettleState::settled);
  files.unsettle("unknown", 0);
  Settling hasty(0);
  (void)hasty.look("a", facts(1), 0);
  hasty.unsettle("a", 0);
  CHECK(*hasty.next_due() > 0);  // or it would be read without end
}

TEST_CASE("settle: what somebody knows already is not said", "[settle]") {
  Settling files(100);
  (void)files.look("a", facts(1), 0);
  files.mark_known("a", facts(1));
  CHECK_FALSE(files.next_due());
  CHECK(files.look("a", facts(1), 500) == SettleState::known);
  CHECK(files.look("a", facts(2), 500) == SettleState::waiting);
}

TEST_CASE("settle: names that are left alone", "[settle]") {
  for (const char* name : {".hidden", ".2013.csv", "x.tmp", "x.csv.part", "x.TMP", ".", "..", ""}) {
    CHECK(is_ignored_name(name));
  }
  for (const char* name : {"x.csv", "tmp", "part", "x.tmp.csv", "x.parts", "tmp.x"}) {
    CHECK_FALSE(is_ignored_name(name));
  }
}

// A world of files that change at random and are looked at at random, beside the plainest model: a
// file may be said to be at rest only if it was the same at two looks at least the settle time
// apart with no other look between that saw something else; never twice for the same facts in a
// row; and every file that stops changing is said in the end.
TEST_CASE("settle: random histories keep the promises", "[settle][property]") {
  std::mt19937 random(11);
  for (int round = 0; round < 300; ++round) {
    const std::int64_t settle_ms = static_cast<std::int64_t>(random() % 4) * 50;
    Settling files(settle_ms);
    std::map<std::string, std::optional<FileFacts>> world;
    std::map<std::string, std::pair<FileFacts, std::int64_t>> same_since;
    std::map<std::string, FileFacts> said;
    std::int64_t now = 0, time_ns = 1;
    const auto look = [&](const std::string& path) {
      const auto& actual = world[path];
      if (!actual) {
        same_since.erase(path);
        said.erase(path);
      } else if (same_since.count(path) == 0 || same_since[path].first != *actual) {
        same_since[path] = {*actual, now};
        said.erase(path);
      }
      const SettleState state = files.look(path, actual, now);
      CHECK((state == SettleState::gone) == !actual);
      if (!actual) return;
      const bool due = now - same_since[path].second >= settle_ms;
      CHECK((state == SettleState::waiting) == !due);
      CHECK((state == SettleState::known) == (due && said.count(path) > 0));
      if (state == SettleState::settled) said[path] = *actual;
    };
    for (int event = 0; event < 200; ++event) {
      const std::string path(1, static_cast<char>('a' + random() % 4));
      now += static_cast<std::int64_t>(random() % 40);
      switch (random() % 5) {
        case 0: world[path] = facts(static_cast<std::int64_t>(random() % 3), ++time_ns); break;
        case 1: world[path].reset(); break;
        default: look(path);
      }
    }
    // Nothing changes any more: timers alone bring every file to rest.
    for (const auto& [path, actual] : world) look(path);
    while (const auto due = files.next_due()) {
      REQUIRE(*due <= now + settle_ms);
      now = std::max(now, *due);
      for (const std::string& path : files.due(now)) look(path);
    }
    for (const auto& [path, actual] : world) {
      if (actual) CHECK(said.at(path) == *actual);
    }
  }
}
