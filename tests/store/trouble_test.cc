// Crashes, full disks, foreign and damaged files.
#include <catch2/catch.hpp>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "daemon/store/sqlite.h"
#include "daemon/store/views.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

/// Runs `work` in a child that is then killed without any clean-up.
template <class Work>
void in_killed_child(Work work) {
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    work();
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  REQUIRE(WIFSIGNALED(status));
}

/// Puts turns of rows until one fails.
Error fill(Store& store) {
  const std::string text(100000, 'x');
  for (std::int64_t number = 2; number < 100000; ++number) {
    RunRow run = run_row(number);
    run.reason.sentence = text;
    if (auto put = put_all(store, run); !put) return put.error();
  }
  return {ErrorCode::internal, "the disk never filled"};
}

}  // namespace

TEST_CASE("store: a process killed between begin and commit leaves nothing of its turn",
          "[store][crash]") {
  const TestFolder folder;
  in_killed_child([&folder] {
    auto store = open_in(folder);
    CHECK(put_all(*store, run_row(1)).has_value());
    CHECK(store->begin().has_value());
    for (RunNumber number = 2; number < 200; ++number) store->put(run_row(number));
  });
  auto store = open_in(folder);
  CHECK(store->find_run(1));
  CHECK_FALSE(store->find_run(2));
  CHECK(store->recover()->last_run == 1);
  CHECK(store->check().empty());
}

TEST_CASE("store: a process killed right after commit loses nothing", "[store][crash]") {
  const TestFolder folder;
  in_killed_child([&folder] {
    auto store = open_in(folder);
    for (RunNumber number = 1; number <= 20; ++number) {
      CHECK(put_all(*store, run_row(number)).has_value());
    }
  });
  auto store = open_in(folder);
  CHECK(store->recover()->runs.size() == 20);
}

TEST_CASE("store: a file that is full refuses the turn and goes on reading", "[store][full]") {
  const TestFolder folder;
  StoreOptions options = options_in(folder);
  options.page_count_max = 200;
  auto opened = Store::open(options);
  REQUIRE(opened);
  Store& store = **opened;
  REQUIRE(put_all(store, run_row(1)));
  const Error error = fill(store);
  CHECK(error.code == ErrorCode::exhausted);
  CHECK(error.message.find("free some space") != std::string::npos);
  CHECK(store.find_run(1));
  CHECK(store.recover());
  REQUIRE(store.begin());
  store.rollback();
}

TEST_CASE("store: a full disk refuses turns, reads on, and is writable again when there is space",
          "[store][full][root]") {
  const TestFolder folder;
  if (::mount("none", folder.path().c_str(), "tmpfs", 0, "size=3m") != 0) {
    WARN("not possible here: this test mounts a small file system");
    return;
  }
  {
    StoreOptions options = options_in(folder);
    options.ballast_bytes = 256 << 10;
    auto opened = Store::open(options);
    REQUIRE(opened);
    Store& store = **opened;
    REQUIRE(put_all(store, run_row(1)));
    REQUIRE(std::filesystem::exists(folder.file("ballast")));
    {
      std::ofstream rest(folder.file("rest"));
      const std::string block(4096, 'r');
      while (rest.write(block.data(), 4096).flush()) {
      }
    }
    const Error error = fill(store);
    CHECK(error.code == ErrorCode::exhausted);
    CHECK(store.find_run(1));
    CHECK_FALSE(std::filesystem::exists(folder.file("ballast")));
    // What the ballast gave back is soon used up as well.
    static_cast<void>(fill(store).code);
    std::filesystem::remove(folder.file("rest"));
    CHECK(store.probe());
    CHECK(std::filesystem::exists(folder.file("ballast")));
    CHECK(put_all(store, run_row(5)));
    CHECK(store.check().empty());
  }
  SECTION("it opens for reading on a disk without a free block") {
    {
      std::ofstream rest(folder.file("rest"));
      const std::string block(4096, 'r');
      while (rest.write(block.data(), 4096).flush()) {
      }
    }
    auto opened = Store::open(options_in(folder));
    REQUIRE(opened);
    CHECK((*opened)->find_run(1));
    CHECK((*opened)->recover());
  }
  ::umount2(folder.path().c_str(), MNT_DETACH);
}

TEST_CASE("store: records of a newer program are refused with a sentence", "[store][schema]") {
  const TestFolder folder;
  open_in(folder).reset();
  {
    auto database = Database::open({folder.file("state.db"), 0});
    REQUIRE(database);
    REQUIRE((*database)->execute("PRAGMA user_version = 99"));
  }
  const auto refused = Store::open(options_in(folder));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::unsupported);
  CHECK(refused.error().message.find("schema version 99") != std::string::npos);
}

TEST_CASE("store: a second opening is refused while the first is open", "[store]") {
  const TestFolder folder;
  auto first = open_in(folder);
  const auto second = Store::open(options_in(folder));
  REQUIRE_FALSE(second);
  CHECK(second.error().code == ErrorCode::conflict);
  first.reset();
  CHECK(Store::open(options_in(folder)));
}

TEST_CASE("store: a file that is no database is called corrupt", "[store]") {
  const TestFolder folder;
  std::ofstream(folder.file("state.db")) << std::string(9000, 'z');
  const auto refused = Store::open(options_in(folder));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::corrupt);
}

TEST_CASE("store: damage inside the file is found at the start", "[store]") {
  const TestFolder folder;
  {
    auto store = open_in(folder);
    REQUIRE(store->begin());
    for (RunNumber number = 1; number < 500; ++number) store->put(run_row(number));
    REQUIRE(store->commit());
  }
  const auto size = std::filesystem::file_size(folder.file("state.db"));
  {
    std::fstream file(folder.file("state.db"), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(size / 4096 / 2 * 4096));
    file << std::string(4096, '\xee');
  }
  const auto refused = Store::open(options_in(folder));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::corrupt);
}

TEST_CASE("store: a step of a run that does not exist fails the turn as a defect", "[store]") {
  const TestFolder folder;
  auto store = open_in(folder);
  const auto refused = put_all(*store, step_row(9, "ingest", "", StepState::running, 1));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == ErrorCode::internal);
  CHECK(put_all(*store, run_row(9), step_row(9, "ingest", "", StepState::running, 1)));
}

TEST_CASE("store: a copy holds the same rows and can be opened", "[store]") {
  const TestFolder folder;
  const TestFolder other;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, run_row(1)));
  REQUIRE(store->back_up(other.file("state.db")));
  CHECK_FALSE(store->back_up(other.file("state.db")));
  auto copy = open_in(other);
  CHECK(fields(*copy->find_run(1)) == fields(run_row(1)));
  CHECK(copy->meta("instance") == store->meta("instance"));
}
