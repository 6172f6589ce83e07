// Scratch folders of resumable operators, from one attempt to the next.
#include <fcntl.h>
#include <sys/stat.h>
#include <utime.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <filesystem>

#include "tests/artifacts/artifacts_world.h"

namespace pipelined {
namespace {

const std::string key(64, 'a'), other_key(64, 'b');

AttemptPlan begin(ArtifactsWorld& world, const std::string& attempt, const std::string& checkpoint) {
  effect::StartAttempt start;
  start.attempt = attempt;
  start.checkpoint = checkpoint;
  auto plan = world.wait<AttemptPlan>([&](auto done) { world.artifacts->prepare(start, done); });
  REQUIRE(plan);
  return *plan;
}

void end(ArtifactsWorld& world, const std::string& attempt, bool finished) {
  world.artifacts->discard(attempt, finished);
  world.settle();
}

}  // namespace

TEST_CASE("checkpoints: the next attempt at the same work finds what a lost one left",
          "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  write_text(begin(world, "01A", key).folder + "/scratch/state", "half");
  SECTION("when it was lost") { end(world, "01A", false); }
  SECTION("when the daemon died with it") { world.open_again(); }
  CHECK(entries_of(begin(world, "01B", other_key).folder + "/scratch").empty());
  CHECK(entries_of(begin(world, "01C", "").folder + "/scratch").empty());
  const AttemptPlan second = begin(world, "01D", key);
  CHECK(read_text(second.folder + "/scratch/state") == "half");
  end(world, "01D", true);
  CHECK(entries_of(begin(world, "01E", key).folder + "/scratch").empty());
}

TEST_CASE("checkpoints: the newest state counts, also when it is that there is none",
          "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  write_text(begin(world, "01A", key).folder + "/scratch/state", "old");
  end(world, "01A", false);
  const AttemptPlan second = begin(world, "01B", key);
  std::filesystem::remove(second.folder + "/scratch/state");
  end(world, "01B", false);
  CHECK(entries_of(begin(world, "01C", key).folder + "/scratch").empty());
}

TEST_CASE("checkpoints: a link in the place of the scratch folder is not followed or kept",
          "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  const AttemptPlan first = begin(world, "01A", key);
  const std::string elsewhere = folder.file("elsewhere");
  write_text(elsewhere + "/file", "not ours");
  std::filesystem::remove(first.folder + "/scratch");
  std::filesystem::create_directory_symlink(elsewhere, first.folder + "/scratch");
  end(world, "01A", false);
  const AttemptPlan second = begin(world, "01B", key);
  CHECK_FALSE(std::filesystem::is_symlink(second.folder + "/scratch"));
  CHECK(entries_of(second.folder + "/scratch").empty());
  CHECK(read_text(elsewhere + "/file") == "not ours");
}

TEST_CASE("checkpoints: what nobody came for in 14 days is gone after a start", "[artifacts]") {
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  for (const std::string& one : {key, other_key}) {
    const std::string attempt = "01" + one.substr(0, 1);
    write_text(begin(world, attempt, one).folder + "/scratch/state", "half");
    end(world, attempt, false);
  }
  const std::time_t old = std::time(nullptr) - 15 * 24 * 3600;
  const utimbuf times{old, old};
  REQUIRE(::utime((world.folder() + "/checkpoints/" + key).c_str(), &times) == 0);
  world.open_again();
  CHECK(entries_of(world.folder() + "/checkpoints") == std::vector<std::string>{other_key});
}

}  // namespace pipelined
