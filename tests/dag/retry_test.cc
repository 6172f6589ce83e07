// The retry table, and how tries follow each other in the engine.
#include "dag/retry.h"

#include <fstream>
#include <sstream>

#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

constexpr std::int64_t mib = 1 << 20;

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, at);) parts.push_back(part);
  return parts;
}

ResourceSpec memory_from(const std::string& text) {
  const auto parts = split(text, ',');
  ResourceSpec resources;
  resources.memory_bytes = std::stoll(parts.at(0)) * mib;
  resources.memory_grow = std::stod(parts.at(1));
  resources.memory_max_bytes = std::stoll(parts.at(2)) * mib;
  return resources;
}

constexpr const char* tried = "name = \"x\"\n[step.a]\noperator = \"one\"\n";

}  // namespace

TEST_CASE("retry table: every row has its bound or no other try", "[dag][retry]") {
  std::ifstream file(PIPELINED_SOURCE_DIR "/tests/dag/data/retry.tsv");
  REQUIRE(file);
  int rows = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    ++rows;
    INFO(line);
    const auto cell = split(line, '\t');
    REQUIRE(cell.size() == 10);
    RetrySpec retry;
    retry.max = std::stoll(cell[0]);
    retry.backoff_ms = std::stoll(cell[1]);
    retry.backoff_max_ms = std::stoll(cell[2]);
    retry.max_time_ms = std::stoll(cell[3]);
    const ResourceSpec resources = memory_from(cell[7]);
    const TimeMs start = 1'700'000'000'000;
    const FailedTry failed{std::stoll(cell[4]), start, start + std::stoll(cell[5]),
                           cell[6] == "retryable", cell[6] == "oom"};
    const NextTry next = next_try(retry, resources, failed);
    CHECK(next.again == (cell[8] != "-"));
    if (cell[8] == "-") continue;
    CHECK(next.bound_ms == std::stoll(cell[8]));
    CHECK(memory_of_try(resources, failed.tries) == std::stoll(cell[9]) * mib);
  }
  CHECK(rows >= 25);
}

TEST_CASE("retry: the pause is drawn from the whole range below its bound", "[dag][engine]") {
  EngineWorld world;
  world.apply(std::string(tried) + "retry = { max = 400, backoff = \"10s\", backoff_max = \"10s\" }\n");
  const RunNumber run = world.run("x");
  std::int64_t least = 10'000, most = 0;
  for (int i = 0; i < 200; ++i) {
    world.end(0, Outcome::failed, true);
    const std::int64_t pause = world.step(run, "a").next_try_at - world.now.wall_ms;
    REQUIRE(pause >= 0);
    REQUIRE(pause <= 10'000);
    least = std::min(least, pause);
    most = std::max(most, pause);
    world.wait(pause);
    REQUIRE(world.started.size() == 1);
  }
  CHECK(least < 1'000);
  CHECK(most > 9'000);
}

TEST_CASE("retry: max_time counts from the first try, over a restart too", "[dag][engine]") {
  EngineWorld world;
  world.apply(std::string(tried) +
              "retry = { max = 100, backoff = \"1s\", backoff_max = \"1s\", max_time = \"10m\" }\n");
  const RunNumber run = world.run("x");
  world.wait(300'000);
  world.end(0, Outcome::failed, true);
  world.wait(1'000);
  world.restart();
  REQUIRE(world.started.size() == 1);
  world.wait(299'000);
  world.end(0, Outcome::failed, true);
  CHECK(world.state(run, "a") == StepState::failed);
  CHECK(world.step(run, "a").reason.sentence.find("retry.max_time") != std::string::npos);
}

TEST_CASE("retry: memory grows by try, and out of memory without growth is final", "[dag][engine]") {
  const auto out_of_memory = [](EngineWorld& world) {
    event::AttemptEnded ended = EngineWorld::answer(world.started.front(), Outcome::failed);
    world.started.clear();
    ended.failure_class = "out_of_memory";
    ended.error = "out of memory (limit 2.0 GiB)";
    world.turn(ended);
  };
  EngineWorld world;
  world.apply(std::string(tried) + "retry = { max = 5, backoff = \"0s\" }\n"
              "resources = { memory = { start = \"2GiB\", grow = 2, max = \"8GiB\" } }\n");
  const RunNumber run = world.run("x");
  std::vector<std::int64_t> limits;
  while (!world.started.empty()) {
    limits.push_back(world.started.front().memory_bytes / mib);
    out_of_memory(world);
    world.wait(1);
  }
  CHECK(limits == std::vector<std::int64_t>{2048, 4096, 8192});
  CHECK(world.step(run, "a").reason.code == "out_of_memory");
  CHECK(world.step(run, "a").reason.sentence.find("grows no further") != std::string::npos);

  EngineWorld other;
  other.apply(std::string(tried) + "retry = { max = 5 }\nresources = { memory = \"2GiB\" }\n");
  const RunNumber once = other.run("x");
  out_of_memory(other);
  CHECK(other.state(once, "a") == StepState::failed);
  CHECK(other.step(once, "a").tries == 1);
}

TEST_CASE("retry: a fault of the machine gets no more memory and counts no try", "[dag][engine]") {
  EngineWorld world;
  world.apply(std::string(tried) + "retry = { max = 1 }\n"
              "resources = { memory = { start = \"1GiB\", grow = 2, max = \"8GiB\" } }\n");
  const RunNumber run = world.run("x");
  const std::string lost = world.started.front().attempt;
  world.started.clear();
  world.turn(event::AttemptLost{lost, "killed from outside"});
  REQUIRE(world.started.size() == 1);
  CHECK(world.started.front().memory_bytes == 1024 * mib);
  CHECK(world.step(run, "a").tries == 0);
}

TEST_CASE("stop: a daemon that is stopped again and again fails no step", "[dag][engine]") {
  EngineWorld world;
  world.apply(tried);
  const RunNumber run = world.run("x");
  for (int i = 0; i < 5; ++i) {
    world.turn(event::DaemonStops{});
    CHECK(world.step(run, "a").reason.code == "daemon_stopped");
    CHECK(world.step(run, "a").faults == 0);
    world.restart();
    REQUIRE(world.started.size() == 1);
  }
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("stop: a daemon that dies three times in a row fails the step and says so", "[dag][engine]") {
  EngineWorld world;
  world.apply(tried);
  const RunNumber run = world.run("x");
  world.restart();
  world.restart();
  CHECK(world.state(run, "a") == StepState::running);
  world.restart();
  CHECK(world.state(run, "a") == StepState::failed);
  CHECK(world.step(run, "a").reason.code == "machine_fault");
  CHECK(world.step(run, "a").reason.sentence.find("three times in a row") != std::string::npos);
}

TEST_CASE("stop: a stop while a cancel is on its way finishes the cancel", "[dag][engine]") {
  EngineWorld world;
  world.apply(tried);
  const RunNumber run = world.run("x");
  world.turn(event::CancelRequested{0, run, "uid 1000", ""});
  world.turn(event::DaemonStops{});
  world.restart();
  CHECK(world.started.empty());
  CHECK(world.run_state(run) == RunState::cancelled);
}
