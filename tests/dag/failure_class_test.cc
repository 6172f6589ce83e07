// What kind of failure an attempt came to stands in its row.
#include <catch2/catch.hpp>

#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

constexpr const char* one_step =
    "name = \"x\"\n[step.a]\noperator = \"one\"\ntimeout = \"10s\"\n"
    "resources = { scratch = \"1MiB\", memory = \"2MiB\" }\n";

const AttemptRow& only_attempt(const EngineWorld& world) {
  REQUIRE(world.ledger.attempts.size() == 1);
  return world.ledger.attempts.begin()->second;
}

}  // namespace

TEST_CASE("failure class: what the worker found is kept with what was used", "[dag][engine]") {
  EngineWorld world;
  world.apply(one_step);
  world.run("x");
  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].scratch_bytes == 1 << 20);
  CHECK(world.started[0].memory_bytes == 2 << 20);
  event::AttemptEnded ended = EngineWorld::answer(world.started[0], Outcome::failed);
  ended.failure_class = "out_of_memory";
  ended.memory_peak_bytes = 3 << 20;
  ended.scratch_bytes = 4096;
  world.turn(ended);
  CHECK(only_attempt(world).failure_class == "out_of_memory");
  CHECK(only_attempt(world).memory_peak_bytes == 3 << 20);
  CHECK(only_attempt(world).scratch_bytes == 4096);
}

TEST_CASE("failure class: an attempt that the engine ended for its time is a timeout",
          "[dag][engine]") {
  EngineWorld world;
  world.apply(one_step);
  world.run("x");
  world.wait(10'001);
  REQUIRE(world.killed.size() == 1);
  event::AttemptEnded ended = EngineWorld::answer(world.started[0], Outcome::cancelled);
  ended.failure_class = "killed";
  world.turn(ended);
  CHECK(only_attempt(world).failure_class == "timeout");
}

TEST_CASE("failure class: a success has none, a lost attempt was killed", "[dag][engine]") {
  EngineWorld world;
  world.apply(one_step);
  world.run("x");
  event::AttemptEnded ended = EngineWorld::answer(world.started[0], Outcome::ok);
  ended.failure_class = "crash";
  const bool lost = GENERATE(false, true);
  const std::string first = world.started[0].attempt;
  if (lost) {
    world.turn(event::AttemptLost{world.started[0].attempt, "its host died"});
  } else {
    world.turn(ended);
  }
  CHECK(world.ledger.attempts.at(first).failure_class == (lost ? "killed" : ""));
}
