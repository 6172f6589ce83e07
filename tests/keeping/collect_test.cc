// Collections: what goes, what stays, and that bytes go only when nothing needs them.
#include <catch2/catch.hpp>
#include <sys/time.h>

#include "tests/keeping/keeping_world.h"

using namespace pipelined;

namespace {

constexpr TimeMs day = 86'400'000;

/// A world in which only the newest run of a pipeline stays for ever.
struct CollectWorld : KeepingWorld {
  CollectWorld() { policy.runs_newest = 1; }
  Job gc(bool dry_run = false) {
    if (!keeper) make_keeper();
    keeper->set_policy(policy, 24);
    const Job job = work({"gc", false, dry_run, {}, {}, "mia"});
    CAPTURE(job.error);
    CHECK(job.done());
    return job;
  }
  /// Makes every object look old; the clock of files is not ours to set.
  void age_objects() {
    for (const auto& entry :
         std::filesystem::recursive_directory_iterator(store_folder() + "/objects")) {
      const timeval old[2] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
      if (entry.is_regular_file()) CHECK(::utimes(entry.path().c_str(), old) == 0);
    }
  }
  bool has_bytes(const std::string& text) const { return std::filesystem::exists(object_of(text)); }
  RetentionPolicy policy;
};

}  // namespace

TEST_CASE("gc: an old run goes; its bytes go with the next collection", "[keeping][gc]") {
  CollectWorld world;
  world.add_run(world.now - 100 * day);
  world.add_run(world.now - 1 * day);
  world.age_objects();
  CHECK(row_of(world.gc(true).report, "runs").found == 1);
  CHECK(world.store->find_run(1));
  CHECK(row_of(world.gc().report, "runs").found == 1);
  CHECK_FALSE(world.store->find_run(1));
  CHECK(world.store->find_run(2));
  CHECK_FALSE(world.store->find_result_by_id(1));
  CHECK(world.has_bytes("run 1 out"));
  world.now += 2 * day;
  CHECK(row_of(world.gc().report, "artifacts").found == 1);
  CHECK_FALSE(world.has_bytes("run 1 out"));
  CHECK(world.has_bytes("run 1 in"));  // the newest version of its span
  CHECK(world.has_bytes("run 2 out"));
  CHECK(world.has_bytes("bundle of flights"));
  CHECK(violated(world.look(true)).empty());
}

TEST_CASE("gc: pinned runs and artifacts stay", "[keeping][gc]") {
  CollectWorld world;
  world.add_run(world.now - 100 * day);
  world.add_run(world.now - 100 * day);
  world.add_run(world.now - 1 * day);
  world.age_objects();
  const Digest kept = world.output_of(2).digest;
  world.make_keeper();
  REQUIRE(world.keeper->pin({"run", "1", "mia", "paper", 0}));
  REQUIRE(world.keeper->pin({"artifact", kept.hex(), "mia", "", 0}));
  CHECK(world.keeper->pin({"run", "99", "mia", "", 0}).error().code == ErrorCode::not_found);
  for (int i = 0; i < 3; ++i) {
    world.gc();
    world.now += 2 * day;
  }
  CHECK(world.store->find_run(1));
  CHECK_FALSE(world.store->find_run(2));
  CHECK(world.has_bytes("run 1 out"));
  CHECK(world.has_bytes("run 2 out"));
  REQUIRE(world.keeper->unpin("run", "1"));
  REQUIRE(world.keeper->unpin("artifact", kept.hex()));
  for (int i = 0; i < 3; ++i) {
    world.gc();
    world.now += 2 * day;
  }
  CHECK_FALSE(world.store->find_run(1));
  CHECK_FALSE(world.has_bytes("run 1 out"));
  CHECK_FALSE(world.has_bytes("run 2 out"));
  CHECK(violated(world.look(true)).empty());
}

TEST_CASE("gc: bytes of nobody go when two collections found them old", "[keeping][gc]") {
  CollectWorld world;
  world.add_run(world.now);
  const std::string orphan = world.object_of("nobody's");
  write_text(orphan, "nobody's");
  world.gc();
  CHECK(std::filesystem::exists(orphan));
  world.now += 2 * day;
  world.age_objects();
  CHECK(row_of(world.gc().report, "objects").found == 1);
  CHECK_FALSE(std::filesystem::exists(orphan));
  CHECK(world.has_bytes("run 1 out"));
}

TEST_CASE("gc: young bytes stay though the row says nothing of them", "[keeping][gc]") {
  CollectWorld world;
  world.now = static_cast<TimeMs>(::time(nullptr)) * 1000;
  const std::string orphan = world.object_of("nobody's");
  write_text(orphan, "nobody's");
  world.gc();
  world.gc();
  CHECK(std::filesystem::exists(orphan));
}

TEST_CASE("gc: what came into use after the copy stays", "[keeping][gc]") {
  CollectWorld world;
  world.add_run(world.now - 100 * day);
  world.add_run(world.now - 1 * day);
  world.age_objects();
  const CopyMark copied = mark_of(*world.store, world.now);
  const ArtifactRef output = world.output_of(1);
  std::int64_t id = 0;
  {
    Query query(world.store->database(), "SELECT id FROM artifacts WHERE digest = ?1",
                output.digest);
    REQUIRE(query.next());
    id = query.integer(0);
  }
  // A run begins that reuses the old result.
  RunRow run = run_row(3);
  run.created_seq = world.next_seq();
  StepRow step = step_row(3, "ingest", "1", StepState::cached, world.next_seq());
  step.result = 1;
  REQUIRE(put_all(*world.store, run, step));
  CHECK(tombstone(*world.store, {id}, copied, world.now)->empty());
  CHECK(*remove_results(*world.store, {1}, copied) == 0);
}

TEST_CASE("gc: deleted bytes count as lost until they are made again", "[keeping][gc]") {
  CollectWorld world;
  world.add_run(world.now);
  const ResultRow result = *world.store->find_result_by_id(1);
  CHECK_FALSE(world.store->first_lost(result));
  std::vector<std::int64_t> all;
  {
    Query query(world.store->database(), "SELECT id FROM artifacts");
    while (query.next()) all.push_back(query.integer(0));
  }
  CopyMark late = mark_of(*world.store, world.now + day);
  REQUIRE(tombstone(*world.store, all, late, world.now));
  CHECK(world.store->first_lost(result));
  world.put("run 1 out");
  REQUIRE(world.store->begin());
  REQUIRE(world.store->commit());
  CHECK_FALSE(world.store->first_lost(result));
}

TEST_CASE("gc: logs go before their runs", "[keeping][gc]") {
  CollectWorld world;
  const RunNumber old = world.add_run(world.now - 40 * day);
  const RunNumber fresh = world.add_run(world.now - 1 * day);
  write_text(world.store_folder() + "/logs/" + KeepingWorld::attempt_of(old), "old");
  write_text(world.store_folder() + "/logs/" + KeepingWorld::attempt_of(fresh), "new");
  CHECK(row_of(world.gc().report, "logs").found == 1);
  CHECK(world.store->find_run(old));
  CHECK_FALSE(std::filesystem::exists(world.artifacts->log_path(KeepingWorld::attempt_of(old))));
  CHECK(std::filesystem::exists(world.artifacts->log_path(KeepingWorld::attempt_of(fresh))));
}

TEST_CASE("gc: room of rows that went is given back, but for what is taken again soon", "[keeping][gc]") {
  CollectWorld world;
  world.add_run(world.now - 1 * day);
  Database& records = world.store->database();
  const auto figure = [&](const std::string& sql) {
    Query query(records, sql);
    return query.next() ? query.integer(0) : -1;
  };
  const auto in_turn = [&](const char* sql) {
    REQUIRE(world.store->begin());
    records.run(sql);
    REQUIRE(world.store->commit());
  };
  in_turn("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 6000) "
          "INSERT INTO unused_objects (name, since) SELECT printf('%02000d', i), 1 FROM n");
  const std::int64_t full = figure("PRAGMA page_count");
  in_turn("DELETE FROM unused_objects");
  REQUIRE(figure("PRAGMA freelist_count") > 3000);
  CHECK(row_of(world.gc(true).report, "pages").found > 2000);
  CHECK(figure("PRAGMA page_count") == full);
  const Report done = world.gc().report;
  CHECK(row_of(done, "pages").found > 2000);
  CHECK(row_of(done, "pages").bytes == row_of(done, "pages").found * 4096);
  CHECK(figure("PRAGMA freelist_count") == Approx(1000).margin(20));
  CHECK(figure("PRAGMA page_count") < full - 2000);
  CHECK(violated(world.look(true)).empty());
  CHECK(row_of(world.gc().report, "pages").found < 20);
}

TEST_CASE("gc: a day after the first start it runs by itself, and then daily", "[keeping][gc]") {
  CollectWorld world;
  world.add_run(world.now - 100 * day);
  world.add_run(world.now - 1 * day);
  world.make_keeper();
  world.keeper->set_policy(world.policy, 24);
  world.keeper->tick();
  CHECK_FALSE(world.keeper->busy());
  world.now += day - 1;
  world.keeper->tick();
  CHECK_FALSE(world.keeper->busy());
  world.now += 1;
  world.keeper->tick();
  REQUIRE(world.keeper->busy());
  world.loop.run_until([&] { return !world.keeper->busy(); });
  CHECK_FALSE(world.store->find_run(1));
  world.keeper->tick();
  CHECK_FALSE(world.keeper->busy());
}
