// Random histories and collections: nothing that anything kept needs is ever lost.
#include <catch2/catch.hpp>
#include <sys/time.h>

#include <random>
#include <set>

#include "tests/keeping/keeping_world.h"

using namespace pipelined;

namespace {

constexpr TimeMs day = 86'400'000;

std::string text_of_report(const Report& report) { return pipelined::text_of(report); }

/// A world with a random past, and what has to be there whatever is collected.
struct RandomWorld : KeepingWorld {
  explicit RandomWorld(unsigned seed) : chance(seed) {
    policy.runs_newest = 1 + below(3);
    policy.runs_days = 1 + below(40);
    policy.artifacts_days = policy.runs_days;
    policy.results_days = 1 + below(20);
    REQUIRE(store->database().execute(
        "CREATE TABLE registry (name TEXT, model BLOB, card TEXT, note ANY) STRICT"));
    const std::int64_t runs_made = 10 + below(30);
    for (std::int64_t i = 0; i < runs_made; ++i) {
      add_run(now - below(120) * day, "pipeline" + std::to_string(below(3)));
    }
    for (int i = 0; i < 4; ++i) name_something();
    age_objects();
  }

  std::int64_t below(std::int64_t end) {
    return std::uniform_int_distribution<std::int64_t>(0, end - 1)(chance);
  }
  std::string text_of(RunNumber run) { return "run " + std::to_string(run) + " out"; }

  /// Pins a run or an artifact, or lets a table that no rule knows name one.
  void name_something() {
    const RunNumber run = 1 + below(runs);
    if (!store->find_run(run) || !has_bytes(text_of(run))) return;
    const Digest digest = output_of(run).digest;
    Database& records = store->database();
    switch (below(5)) {
      case 0: CHECK(make_keeper().pin({"run", std::to_string(run), "mia", "", 0})); break;
      case 1: CHECK(make_keeper().pin({"artifact", digest.hex(), "mia", "", 0})); break;
      case 2: records.run("INSERT INTO registry VALUES ('m', ?1, '', NULL)", digest); break;
      case 3:
        records.run("INSERT INTO registry VALUES ('m', NULL, ?1, NULL)",
                    "{\"model\": \"" + digest.hex() + "\"}");
        break;
      default:
        records.run("INSERT INTO step_requests VALUES (?1, 0, 'p', 's', '', 1, 'k', ?2, 'done', '', "
                    "0, 0) ON CONFLICT DO NOTHING", run, "{\"artifact\":\"" + digest.hex() + "\"}");
    }
    REQUIRE_FALSE(records.failure());
    protected_texts.insert(text_of(run));
  }

  void age_objects() {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(store_folder() + "/objects")) {
      const timeval old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
      if (entry.is_regular_file()) CHECK(::utimes(entry.path().c_str(), old) == 0);
    }
  }
  bool has_bytes(const std::string& text) const { return std::filesystem::exists(object_of(text)); }

  void collect() {
    make_keeper().set_policy(policy, 24);
    const Job job = work({"gc", false, false, {}, {}, "mia"});
    CAPTURE(job.error);
    REQUIRE(job.done());
  }

  /// By the rules of docs/keeping.md, worked out from the rows that are left.
  void check_kept() {
    for (const std::string& text : protected_texts) {
      CAPTURE(text);
      CHECK(has_bytes(text));
    }
    std::map<std::string, RunNumber> newest;
    for (RunNumber run = 1; run <= runs; ++run) {
      // Every span has one version here, which is the data that a new version would read.
      CHECK(has_bytes("run " + std::to_string(run) + " in"));
      if (const auto row = store->find_run(run)) newest[row->pipeline] = run;
    }
    for (RunNumber run = 1; run <= runs; ++run) {
      CAPTURE(run);
      const auto row = store->find_run(run);
      if (!row) continue;
      CHECK(has_bytes("bundle of " + row->pipeline));
      CHECK(store->find_result_by_id(run));
      const bool young = now - row->ended_at < policy.artifacts_days * day;
      if (young || newest[row->pipeline] == run) CHECK(has_bytes(text_of(run)));
    }
    const Report report = look(true);
    CAPTURE(text_of_report(report));
    CHECK(violated(report).empty());
  }

  std::mt19937 chance;
  RetentionPolicy policy;
  std::set<std::string> protected_texts;
};

}  // namespace

TEST_CASE("gc: whatever happened before, nothing that is kept or named loses its bytes",
          "[keeping][gc]") {
  std::int64_t runs_gone = 0, bytes_gone = 0;
  for (unsigned seed = 1; seed <= 8; ++seed) {
    CAPTURE(seed);
    RandomWorld world(seed);
    for (int round = 0; round < 4; ++round) {
      CAPTURE(round);
      world.collect();
      world.check_kept();
      world.now += (1 + world.below(30)) * day;
      if (round < 2) world.name_something();
    }
    for (RunNumber run = 1; run <= world.runs; ++run) {
      runs_gone += !world.store->find_run(run);
      bytes_gone += !world.has_bytes(world.text_of(run));
    }
  }
  // Else this would say nothing.
  CHECK(runs_gone > 15);
  CHECK(bytes_gone > 15);
}

TEST_CASE("gc: what is named between the decision and the removal stays", "[keeping][gc]") {
  RandomWorld world(7);
  world.policy.runs_newest = 1, world.policy.runs_days = world.policy.results_days = 1;
  world.policy.artifacts_days = 1;
  const RunNumber old = world.add_run(world.now - 200 * day, "pipeline9");
  world.add_run(world.now - 100 * day, "pipeline9");
  const Digest digest = world.output_of(old).digest;
  world.age_objects();
  world.collect();
  world.now += 3 * day;
  Keeper& keeper = world.make_keeper();
  keeper.set_policy(world.policy, 24);
  const auto number = keeper.start({"gc", false, false, {}, {}, "mia"});
  REQUIRE(number);
  world.loop.run_until([&] { return keeper.find_job(*number)->state == JobState::working ||
                                    keeper.find_job(*number)->ended(); });
  world.store->database().run("INSERT INTO registry VALUES ('m', ?1, '', NULL)", digest);
  world.loop.run_until([&] { return keeper.find_job(*number)->ended(); });
  CHECK(world.has_bytes(world.text_of(old)));
}

TEST_CASE("gc: checkpoints that nobody came for in 14 days go", "[keeping][gc]") {
  RandomWorld world(3);
  const std::string folder = world.store_folder() + "/checkpoints/";
  for (const char* name : {"old", "fresh"}) {
    std::filesystem::create_directories(folder + name);
    write_text(folder + name + "/state", "1");
  }
  const timeval old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
  REQUIRE(::utimes((folder + "old").c_str(), old) == 0);
  // Files have the machine's clock.
  world.now = static_cast<TimeMs>(::time(nullptr)) * 1000;
  world.collect();
  CHECK_FALSE(std::filesystem::exists(folder + "old"));
  CHECK(std::filesystem::exists(folder + "fresh/state"));
}
