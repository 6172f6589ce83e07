// Scrubs: every wrong byte is found, set apart, marked and told; right ones are left alone.
#include <catch2/catch.hpp>

#include <random>

#include "daemon/store/removal.h"
#include "tests/keeping/keeping_world.h"

using namespace pipelined;

namespace {

constexpr TimeMs day = 86'400'000;

struct ScrubWorld : KeepingWorld {
  /// Turns one bit of a stored text over.
  void damage(const std::string& text) {
    const std::string path = object_of(text);
    std::string bytes = text;
    bytes[bytes.size() / 2] ^= 1;
    REQUIRE(::chmod(path.c_str(), 0644) == 0);
    write_text(path, bytes);
    REQUIRE(::chmod(path.c_str(), 0444) == 0);
  }
  Job scrub() { return work({"scrub", false, false, {}, {}, "mia"}); }
  bool marked(const Digest& digest) {
    Query query(store->database(), "SELECT corrupt_at IS NOT NULL FROM artifacts WHERE digest = ?1",
                digest);
    return query.next() && query.flag(0);
  }
  std::string place() { return store->meta("scrub_place").value_or(""); }
  void tick() {
    keeper->tick();
    loop.run_until([&] { return !keeper->busy(); });
  }
};

}  // namespace

TEST_CASE("scrub: a good store has nothing to tell", "[keeping][scrub]") {
  ScrubWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  const Job job = world.scrub();
  REQUIRE(job.done());
  CHECK_FALSE(has_violation(job.report));
  CHECK(row_of(job.report, "objects").checked == 7);
  CHECK(row_of(job.report, "objects").bytes > 0);
  CHECK(world.told.empty());
}

TEST_CASE("scrub: what is wrong is set apart, marked and told, and counts as lost",
          "[keeping][scrub]") {
  ScrubWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  world.damage("run 2 out");
  world.damage("run 3 in");
  const ArtifactRef made = world.output_of(2);
  const Job job = world.scrub();
  REQUIRE(job.done());
  const ReportRow row = row_of(job.report, "objects");
  CHECK(row.verdict == RowVerdict::violated);
  CHECK(row.found == 2);
  CHECK(row.runs == std::set<RunNumber>{2, 3});
  CHECK(world.marked(made.digest));
  CHECK_FALSE(world.marked(world.output_of(1).digest));
  CHECK_FALSE(std::filesystem::exists(world.object_of("run 2 out")));
  REQUIRE(world.told.size() == 2);
  CHECK(world.told[0].find("made by ingest/2 in run 2 of flights, is corrupt; `pipectl run flights`") !=
        std::string::npos);
  CHECK(world.told[1].find("delivered as flights/3 of flights, is corrupt; deliver /in again") !=
        std::string::npos);
  CHECK(world.store->first_lost(*world.store->find_result_by_id(2)) == made.digest);
  CHECK_FALSE(world.store->first_lost(*world.store->find_result_by_id(1)));
  // Marked once; a second round has nothing more to say.
  CHECK_FALSE(has_violation(world.scrub().report));
  CHECK(world.told.size() == 2);
  CHECK(violated(world.look(true)).empty());
}

TEST_CASE("scrub: an object that is missing is as wrong as one with other bytes",
          "[keeping][scrub]") {
  ScrubWorld world;
  world.add_run(1000);
  REQUIRE(::unlink(world.object_of("run 1 out").c_str()) == 0);
  CHECK(row_of(world.scrub().report, "objects").found == 1);
  CHECK(world.marked(world.output_of(1).digest));
}

TEST_CASE("scrub: of a random thousand bits turned over none is missed", "[keeping][scrub]") {
  ScrubWorld world;
  for (int i = 0; i < 60; ++i) world.add_run(1000);
  std::mt19937 chance(20260201);
  std::set<RunNumber> damaged;
  for (RunNumber run = 1; run <= 60; ++run) {
    if (chance() % 2 == 0) continue;
    world.damage("run " + std::to_string(run) + " out");
    damaged.insert(run);
  }
  CHECK(row_of(world.scrub().report, "objects").found == static_cast<std::int64_t>(damaged.size()));
  for (RunNumber run = 1; run <= 60; ++run) {
    CAPTURE(run);
    CHECK(world.marked(world.output_of(run).digest) == (damaged.count(run) > 0));
  }
}

TEST_CASE("scrub: it is read no faster than it may be", "[keeping][scrub]") {
  ScrubWorld world;
  world.put(std::string(1 << 20, 'x'));
  REQUIRE(world.store->begin());
  REQUIRE(world.store->commit());
  world.add_run(1000);
  ScrubOptions options;
  options.store = world.store_folder();
  const auto seconds = [&] {
    const auto begin = std::chrono::steady_clock::now();
    const auto found = read_objects(world.store->database(), options);
    REQUIRE(found);
    CHECK(found->wrong.empty());
    return std::pair(std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count(),
                     found->bytes);
  };
  const std::int64_t bytes = seconds().second;
  options.bytes_per_second = bytes * 4;
  CHECK(seconds().first >= 0.24);
}

TEST_CASE("scrub: by itself it goes through everything once a period, and on where it was",
          "[keeping][scrub]") {
  ScrubWorld world;
  for (int i = 0; i < 3; ++i) world.add_run(1000);
  world.damage("run 3 out");
  world.scrub_days = 30;
  world.make_keeper().set_policy({}, 0);
  world.tick();
  CHECK(world.place() == "0 " + std::to_string(world.now));
  world.now += 30 * day - 1;
  world.tick();
  CHECK(world.told.empty());
  world.now += 1;
  world.tick();
  CHECK(world.told.size() == 1);
  CHECK(world.place() == "0 " + std::to_string(world.now));
  // A round that was interrupted goes on behind the last artifact.
  world.damage("run 1 out");
  world.damage("run 2 out");
  std::int64_t id = 0;
  {
    Query query(world.store->database(), "SELECT id FROM artifacts WHERE digest = ?1",
                world.output_of(1).digest);
    REQUIRE(query.next());
    id = query.integer(0);
  }
  REQUIRE(world.store->set_meta("scrub_place", std::to_string(id) + " " + std::to_string(world.now)));
  world.tick();
  CHECK(world.told.size() == 2);
  CHECK(world.marked(world.output_of(2).digest));
  CHECK_FALSE(world.marked(world.output_of(1).digest));
}
