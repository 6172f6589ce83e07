// Large runs are decided in portions: what comes of them is the same, and others need not wait.
#include "tests/support/engine_world.h"

namespace pipelined {
namespace {

std::string layers(int width) {
  std::string text = "name = \"wide\"\n";
  for (int i = 0; i < width; ++i) {
    const std::string n = std::to_string(i);
    text += "[step.a" + n + "]\noperator = \"one\"\nparams.p = " + n + "\n[step.b" + n +
            "]\noperator = \"one\"\nin.in = \"a" + n + "\"\n";
  }
  return text;
}

void set_portion(EngineWorld& world, std::int64_t decisions) {
  Capacity capacity{1000, 0, 0};
  capacity.decisions = decisions;
  world.turn(event::CapacityChanged{capacity});
}

std::int64_t states(EngineWorld& world, RunNumber run, StepState state) {
  std::int64_t count = 0;
  for (const StepRow& row : world.ledger.steps_of(run)) count += row.state == state ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("portions: one event decides no more than it may, and asks to go on at once", "[engine]") {
  EngineWorld world;
  set_portion(world, 10);
  world.apply(layers(40));
  REQUIRE(world.ledger.begin());
  world.engine->apply(event::RunRequested{1, "wide", {}, "uid 1000"}, world.now, world.effects);
  CHECK(world.engine->live_attempts() == 5);  // every other node waits for the one before
  REQUIRE(world.engine->next_timer());
  CHECK(*world.engine->next_timer() == world.now.steady_ms);
  world.engine->apply(event::TimeReached{}, world.now, world.effects);
  CHECK(world.engine->live_attempts() == 10);
  REQUIRE(world.ledger.commit());
}

TEST_CASE("portions: a run comes to the same end in portions of any size", "[engine]") {
  const std::int64_t decisions = GENERATE(1, 3, 7, 2000);
  EngineWorld world;
  set_portion(world, decisions);
  world.apply(layers(30));
  world.verdicts["a7"] = Outcome::failed;
  const RunNumber first = world.run("wide");
  world.run_all();
  CHECK(world.ledger.find_run(first)->state == RunState::failed);
  CHECK(states(world, first, StepState::succeeded) == 58);
  CHECK(states(world, first, StepState::blocked) == 1);
  world.verdicts.clear();
  const RunNumber second = world.run("wide");
  world.run_all();
  CHECK(world.ledger.find_run(second)->state == RunState::succeeded);
  CHECK(states(world, second, StepState::cached) == 58);
  CHECK(states(world, second, StepState::succeeded) == 2);
}

TEST_CASE("portions: a run is not over while some of it was not looked at", "[engine]") {
  EngineWorld world;
  set_portion(world, 5);
  world.apply(layers(20));
  world.run("wide");
  world.run_all();
  REQUIRE(world.ledger.begin());
  world.engine->apply(event::RunRequested{9, "wide", {}, "uid 1000"}, world.now, world.effects);
  CHECK(world.ledger.find_run(2)->state == RunState::running);  // all of it will be reused
  while (world.engine->next_timer()) {
    world.engine->apply(event::TimeReached{}, world.now, world.effects);
  }
  REQUIRE(world.ledger.commit());
  CHECK(world.ledger.find_run(2)->state == RunState::succeeded);
}

TEST_CASE("portions: work far back in a long queue starts with the inputs that it was queued with",
          "[engine]") {
  constexpr int width = 12'000;
  EngineWorld world;
  world.apply("name = \"long\"\n[source.s]\npath = \"{SPAN}.csv\"\n[step.each]\nforeach = \"source.s\"\n"
              "operator = \"one\"\nin.in = \"each\"\n");
  REQUIRE(world.ledger.begin());
  std::vector<Effect> effects;
  for (int i = 1; i <= width; ++i) {
    const std::string n = std::to_string(i);
    world.engine->apply(event::Arrived{"long", "s", n, EngineWorld::artifact("data " + n), n + ".csv"},
                        world.now, effects);
  }
  REQUIRE(world.ledger.commit());
  const RunNumber run = world.run("long");
  std::set<std::string> inputs;
  while (!world.started.empty()) {
    const effect::StartAttempt& next = world.started.front();
    REQUIRE(next.inputs.size() == 1);
    CHECK(next.inputs[0].artifacts[0].digest == EngineWorld::artifact("data " + next.element).digest);
    inputs.insert(next.element);
    world.end(0, Outcome::ok);
  }
  CHECK(inputs.size() == width);
  CHECK(world.ledger.find_run(run)->state == RunState::succeeded);
  world.run("long");  // the same keys
  CHECK(world.started.empty());
}

}  // namespace pipelined
