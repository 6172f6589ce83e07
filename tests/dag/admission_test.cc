// Who starts next: pools, limits, priorities with ageing, the critical path.
#include "dag/admission.h"

#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

std::string step_text(const std::string& name, const std::string& more) {
  return "[step." + name + "]\noperator = \"one\"\nparams.p = \"" + name + "\"\n" + more;
}

std::vector<std::string> names(const std::vector<effect::StartAttempt>& started) {
  std::vector<std::string> all;
  for (const effect::StartAttempt& start : started) all.push_back(start.step);
  return all;
}

Capacity capacity_of(double cpus) {
  Capacity capacity;
  capacity.cpus = cpus;
  return capacity;
}

}  // namespace

TEST_CASE("pool: no more slots are taken than there are, over all pipelines", "[dag][admission]") {
  EngineWorld world;
  Capacity capacity = capacity_of(8);
  capacity.pools["gpu"] = 2;
  world.turn(event::CapacityChanged{capacity});
  world.apply("name = \"x\"\n" + step_text("a", "pool = \"gpu\"\n") +
              step_text("b", "pool = \"gpu\"\n") + step_text("free", ""));
  world.apply("name = \"y\"\n" + step_text("c", "pool = \"gpu\"\n"));
  world.run("x");
  const RunNumber other = world.run("y");
  CHECK(names(world.started) == std::vector<std::string>{"a", "b", "free"});
  world.end(0, Outcome::ok);
  CHECK(names(world.started) == std::vector<std::string>{"b", "free", "c"});
  world.run_all();
  CHECK(world.run_state(other) == RunState::succeeded);
}

TEST_CASE("pool: slots come from live attempts after a restart too", "[dag][admission]") {
  EngineWorld world;
  world.capacity.pools["gpu"] = 1;
  world.turn(event::CapacityChanged{world.capacity});
  world.apply("name = \"x\"\n" + step_text("a", "pool = \"gpu\"\n") + step_text("b", "pool = \"gpu\"\n"));
  world.run("x");
  for (int i = 0; i < 2; ++i) {
    REQUIRE(world.started.size() == 1);
    world.restart();
  }
  REQUIRE(world.started.size() == 1);
  world.run_all();
  CHECK(world.run_state(1) == RunState::succeeded);
}

TEST_CASE("pool: one that does not exist lets the step wait and tells a person", "[dag][admission]") {
  EngineWorld world;
  world.apply("name = \"x\"\n" + step_text("a", "pool = \"gpu\"\n"));
  const RunNumber run = world.run("x");
  CHECK(world.started.empty());
  REQUIRE(world.ledger.alerts.size() == 1);
  CHECK(world.ledger.alerts.begin()->second.sentence.find("pool gpu does not exist") !=
        std::string::npos);
  world.capacity.pools["gpu"] = 1;
  world.turn(event::CapacityChanged{world.capacity});
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("limits: gpus, memory and scratch are kept", "[dag][admission]") {
  EngineWorld world;
  world.capacity = capacity_of(8);
  world.capacity.gpus = 2;
  world.capacity.memory_bytes = 8 << 20;
  world.capacity.scratch_bytes = 10 << 20;
  world.turn(event::CapacityChanged{world.capacity});
  world.apply("name = \"x\"\n" + step_text("g1", "resources = { gpus = 2 }\n") +
              step_text("g2", "resources = { gpus = 1 }\n") +
              step_text("m1", "resources = { memory = \"6MiB\" }\n") +
              step_text("m2", "resources = { memory = \"3MiB\" }\n") +
              step_text("s1", "resources = { scratch = \"9MiB\" }\n") +
              step_text("s2", "resources = { scratch = \"2MiB\" }\n"));
  world.run("x");
  CHECK(names(world.started) == std::vector<std::string>{"g1", "m1", "s1"});
  CHECK(world.started[2].scratch_bytes == 9 << 20);
  CHECK(world.started[0].gpus == std::vector<std::int64_t>{0, 1});
  CHECK(world.started[1].gpus.empty());
  world.end(0, Outcome::ok);
  CHECK(names(world.started) == std::vector<std::string>{"m1", "s1", "g2"});
}

TEST_CASE("gpus: each has one attempt at a time, the lowest that is free", "[dag][admission]") {
  EngineWorld world;
  world.capacity = capacity_of(8);
  world.capacity.gpus = 3;
  world.turn(event::CapacityChanged{world.capacity});
  std::string text = "name = \"x\"\n";
  for (const char* name : {"a", "b", "c", "d"}) text += step_text(name, "resources = { gpus = 1 }\n");
  world.apply(text);
  world.run("x");
  REQUIRE(world.started.size() == 3);
  for (std::int64_t i = 0; i < 3; ++i) {
    CHECK(world.started[static_cast<std::size_t>(i)].gpus == std::vector<std::int64_t>{i});
  }
  world.end(1, Outcome::ok);
  REQUIRE(names(world.started) == std::vector<std::string>{"a", "c", "d"});
  CHECK(world.started[2].gpus == std::vector<std::int64_t>{1});
}

TEST_CASE("group: its steps share a limit and a priority", "[dag][admission]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[group.late]\nmax_parallel = 1\npriority = -5\n" +
              step_text("a", "group = \"late\"\n") + step_text("b", "group = \"late\"\n") +
              step_text("c", "") + step_text("d", ""));
  world.turn(event::CapacityChanged{capacity_of(1)});
  world.run("x");
  std::vector<std::string> order;
  while (!world.started.empty()) {
    order.push_back(world.started.front().step);
    if (order.size() == 2) world.turn(event::CapacityChanged{capacity_of(4)});
    CHECK(std::count_if(world.started.begin(), world.started.end(), [](const auto& start) {
            return start.step == "a" || start.step == "b";
          }) <= 1);
    world.end(0, Outcome::ok);
  }
  CHECK(order == std::vector<std::string>{"c", "d", "a", "b"});
}

TEST_CASE("priority: waiting work rises and is not starved", "[dag][admission]") {
  EngineWorld world;
  world.turn(event::CapacityChanged{capacity_of(1)});
  world.apply("name = \"low\"\n" + step_text("slow", "priority = -10\ncache = false\n"));
  world.apply("name = \"high\"\n[run]\nmax_active = 100\n" + step_text("quick", "cache = false\n"));
  world.run("high");
  world.run("low");
  int before = 0;
  // Something fresh is always there, and of higher priority.
  for (; before < 100; ++before) {
    world.run("high");
    world.wait(60'000);
    REQUIRE(world.started.size() == 1);
    world.end(0, Outcome::ok);
    if (names(world.started) == std::vector<std::string>{"slow"}) break;
  }
  CHECK(before >= 8);
  CHECK(before <= 12);
}

TEST_CASE("size: a step that needs much is not starved by small ones", "[dag][admission]") {
  EngineWorld world;
  world.turn(event::CapacityChanged{capacity_of(4)});
  world.apply("name = \"small\"\n[run]\nmax_active = 1000\n" + step_text("s", "cache = false\n"));
  world.apply("name = \"big\"\n" + step_text("b", "resources = { cpus = 4 }\n"));
  for (int i = 0; i < 4; ++i) world.run("small");
  world.run("big");
  int minutes = 0;
  for (; minutes < 60 && !world.started.empty() && world.started.back().step != "b"; ++minutes) {
    world.run("small");
    world.wait(60'000);
    world.end(0, Outcome::ok);
  }
  CHECK(world.started.back().step == "b");
  CHECK(minutes <= 12);
}

TEST_CASE("critical path: the step with the longest known way goes first", "[dag][admission]") {
  EngineWorld world;
  world.turn(event::CapacityChanged{capacity_of(1)});
  // By depth `deep` goes first; by what was recorded `long` does.
  world.apply("name = \"x\"\n" + step_text("deep", "cache = true\n") +
              "[step.deep2]\noperator = \"one\"\nin.in = \"deep\"\n" + step_text("long", ""));
  world.run("x");
  CHECK(world.started.front().step == "deep");
  while (!world.started.empty()) {
    world.wait(world.started.front().step == "long" ? 600'000 : 1'000);
    world.end(0, Outcome::ok);
  }
  RunOptions again;
  again.force = {"deep", "deep2", "long"};
  world.run("x", again);
  CHECK(world.started.front().step == "long");
  world.restart();
  CHECK(world.started.front().step == "long");
}

TEST_CASE("timeout.queue: a step that gets no slot in time fails and says why", "[dag][admission]") {
  EngineWorld world;
  world.capacity.pools["gpu"] = 1;
  world.turn(event::CapacityChanged{world.capacity});
  world.apply("name = \"x\"\n" + step_text("a", "pool = \"gpu\"\npriority = 1\n") +
              step_text("b", "pool = \"gpu\"\ntimeout = { queue = \"10m\" }\n"));
  const RunNumber run = world.run("x");
  world.wait(599'000);
  CHECK(world.state(run, "b") == StepState::waiting);
  world.wait(1'000);
  const StepRow row = world.step(run, "b");
  CHECK(row.state == StepState::failed);
  CHECK(row.reason.code == "queue_timeout");
  CHECK(row.reason.sentence.find("pool gpu is full: 1 of 1 slot taken by run 1 a") !=
        std::string::npos);
  world.run_all();
  CHECK(world.run_state(run) == RunState::failed);
}

TEST_CASE("timeout.progress: silence ends an attempt, progress keeps it", "[dag][admission]") {
  EngineWorld world;
  world.apply("name = \"x\"\n" +
              step_text("a", "timeout = { progress = \"1m\" }\nretry = { max = 1, backoff = \"4m\" }\n"));
  const RunNumber run = world.run("x");
  const std::string attempt = world.started.front().attempt;
  CHECK(world.started.front().timeout_progress_ms == 60'000);
  for (int i = 0; i < 5; ++i) {
    world.wait(50'000);
    world.turn(event::AttemptProgress{attempt});
  }
  CHECK(world.killed.empty());
  world.wait(59'000);
  CHECK(world.killed.empty());
  world.wait(1'000);
  REQUIRE(world.killed.size() == 1);
  world.end(0, Outcome::cancelled);
  CHECK(world.step(run, "a").reason.code == "retry");
  CHECK(world.step(run, "a").reason.sentence.find("no progress for 1 min") != std::string::npos);
  world.wait(240'000);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("admission queue: ten thousand blocked entries cost one look", "[dag][admission]") {
  AdmissionQueue queue;
  Demand pooled;
  pooled.claims.push_back({"gpu", 1, 0, true});
  Turn turn;
  for (turn.node = 0; turn.node < 10'000; ++turn.node) queue.add(pooled, turn);
  turn.rank = 100;
  queue.add(Demand{}, turn);
  Capacity capacity = capacity_of(4);
  capacity.pools["gpu"] = 1;
  Load load;
  load.add(pooled);
  const auto taken = queue.take_fitting(load, capacity, 0);
  REQUIRE(taken.size() == 1);
  CHECK(taken.front().first.node == 10'000);
  turn.rank = 0;
  for (turn.node = 0; turn.node < 10'000; ++turn.node) queue.remove(pooled, turn);
  CHECK(queue.empty());
}
