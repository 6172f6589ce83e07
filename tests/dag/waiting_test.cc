// What a step of an open run waits for, as people are told.
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

std::string waits(const EngineWorld& world, RunNumber run, const std::string& step,
                  const std::string& element = "") {
  const auto reason = world.engine->why_waiting(run, step, element, world.now);
  return reason ? reason->code + ": " + reason->sentence : "-";
}

constexpr const char* chain = R"(
name = "chain"
[step.a]
operator = "one"
retry = { max = 1, backoff = "8s" }
[step.b]
operator = "single"
in.in = "a"
[step.c]
operator = "single"
in.in = "b"
[step.d]
operator = "single"
in.in = "c"
[step.e]
operator = "single"
in.in = "d"
[step.f]
operator = "single"
in.in = "e"
[step.last]
operator = "one"
after = ["f"]
run_on = "always"
)";

}  // namespace

TEST_CASE("waiting: a step names what it waits for, up to what is running", "[dag][waiting]") {
  EngineWorld world;
  world.apply(chain);
  const RunNumber run = world.run("chain");
  world.now.wall_ms += 3000;
  CHECK(waits(world, run, "a") == "-");
  CHECK(waits(world, run, "b") == "waits_for_step: waits for a, which has been running for 3.0 s");
  CHECK(waits(world, run, "c") ==
        "waits_for_step: waits for b, which waits for a, which has been running for 3.0 s");
  CHECK(waits(world, run, "f") ==
        "waits_for_step: waits for e, which waits for d, which waits for c, and so on up to a, "
        "which has been running for 3.0 s");
  CHECK(waits(world, run, "last") ==
        "run_on: runs on always: waits until every step before it has ended");
  CHECK(waits(world, run, "nothing") == "-");
  CHECK(waits(world, 99, "a") == "-");

  SECTION("a try that backs off") {
    world.end(0, Outcome::failed, true);
    CHECK(waits(world, run, "a").starts_with("retry: waits before its next try, which begins in "));
    CHECK(waits(world, run, "b").starts_with(
        "waits_for_step: waits for a, which waits before its next try"));
  }
  SECTION("a halt") {
    world.end(0, Outcome::halt);
    CHECK(waits(world, run, "b") == "waits_for_step: waits for a, which is halted");
  }
  SECTION("a run that has to wait for another") {
    const RunNumber second = world.run("chain");
    CHECK(waits(world, second, "a") ==
          "run_queued: waits for run 1: pipeline chain allows 1 run at a time");
  }
}

TEST_CASE("waiting: a step that is ready says which limit is in the way", "[dag][waiting]") {
  EngineWorld world;
  world.apply(R"(
name = "wide"
[source.s]
path = "in/{SPAN}.csv"
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
max_parallel = 1
)");
  for (const char* span : {"2020-01", "2020-02", "2020-03"}) {
    world.arrive("wide", "s", span, span);
  }
  const RunNumber run = world.run("wide");
  REQUIRE(world.started.size() == 1);
  CHECK(waits(world, run, "read", "2020-02") ==
        "waits_for_slot: waits for a slot: max_parallel of step read in run 1 is full: 1 of 1 slot "
        "taken");

  SECTION("processors") {
    EngineWorld other;
    other.apply("name = \"two\"\n[step.a]\noperator = \"one\"\nresources = { cpus = 3 }\n"
                "[step.b]\noperator = \"one\"\nsalt = \"x\"\nresources = { cpus = 2 }\n");
    const RunNumber second = other.run("two");
    CHECK(waits(other, second, "b") ==
          "waits_for_slot: waits for a slot: cpus: needs 2, 1 of 4 free");
  }
}

TEST_CASE("waiting: a step that waits for the same work elsewhere says where", "[dag][waiting]") {
  EngineWorld world;
  world.apply("name = \"twins\"\n[step.a]\noperator = \"one\"\n[step.b]\noperator = \"one\"\n");
  const RunNumber run = world.run("twins");
  CHECK(waits(world, run, "b") == "same_work: waits for the same work, which a is doing");
}

TEST_CASE("waiting: a step that waits for a first delivery names the source", "[dag][waiting]") {
  EngineWorld world;
  world.apply(R"(
name = "late"
[source.weather]
path = "weather.csv"
[step.join]
operator = "single"
in.in = { source = "weather" }
)");
  const RunNumber run = world.run("late");
  CHECK(waits(world, run, "join") ==
        "waits_for_source: waits for the first delivery of source weather");
}
