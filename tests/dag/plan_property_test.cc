// What `plan` says is what the run does: random pipelines, caches, failures, parameters.
//
// Each seed makes a pipeline, then a few rounds of: something changes, plan, run, compare.
#include <random>
#include <set>

#include "tests/support/engine_world.h"
#include "tests/support/random_pipeline.h"

using namespace pipelined;

namespace {

using Steps = std::map<std::pair<std::string, std::string>, PlannedStep>;

/// What stands in the way of the claim that the run did as planned; empty: nothing does.
std::string contradiction(const PlannedStep& planned, const StepRow& row) {
  const bool ran = row.attempts > 0;
  if (planned.verdict == "run" && !ran) return "was to run and did not";
  if (planned.verdict == "reuse" && (ran || row.state != StepState::cached)) {
    return "was to be reused and was not";
  }
  if (planned.verdict == "skip" && row.state != StepState::skipped) return "was to be skipped";
  if (planned.verdict == "halt" && (ran || row.state != StepState::halted)) return "was to halt";
  if (planned.verdict == "block" && ran) return "was to be blocked and ran";
  if (planned.verdict == "depends" && planned.reason.sentence.empty()) {
    return "depends on something that was not said";
  }
  return {};
}

struct Tally {
  std::map<std::string, int> verdicts;
  int rounds = 0;
};

void play_round(EngineWorld& world, RandomPipeline& pipeline, Tally& tally) {
  const RunOptions options = pipeline.options();
  const auto planned = world.engine->plan(pipeline.name, options, world.now);
  REQUIRE(planned);
  pipeline.choose_verdicts(world.verdicts);
  const RunNumber run = world.run(pipeline.name, options);
  world.run_all();
  std::set<std::pair<std::string, std::string>> told;
  for (const PlannedStep& step : *planned) {
    INFO("run " << run << ", " << step_path(step.step, step.element) << ": " << step.verdict << " ("
                << step.reason.sentence << ")");
    told.emplace(step.step, step.element);
    const StepRow row = world.step(run, step.step, step.element);
    INFO("became " << name_of(row.state) << " (" << row.reason.sentence << ") after "
                   << row.attempts << " attempts");
    const std::string wrong = contradiction(step, row);
    CHECK(wrong.empty());
    if (!wrong.empty()) UNSCOPED_INFO(wrong);
    ++tally.verdicts[step.verdict];
  }
  for (const auto& [key, row] : world.ledger.steps) {
    if (row.run == run) CHECK(told.count({row.step, row.element}) == 1);
  }
  ++tally.rounds;
}

}  // namespace

TEST_CASE("plan: the run that follows never contradicts it, on random graphs", "[dag][plan]") {
  Tally tally;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    EngineWorld world;
    RandomPipeline pipeline(seed);
    CAPTURE(seed, pipeline.text());
    world.apply(pipeline.text());
    for (int round = 0; round < 5; ++round) {
      pipeline.change(world);
      play_round(world, pipeline, tally);
      world.wait(60'000);
    }
  }
  // The generator must reach what it is meant to test.
  for (const char* verdict : {"run", "reuse", "depends", "halt", "skip"}) {
    CAPTURE(verdict);
    CHECK(tally.verdicts[verdict] > 100);
  }
  CHECK(tally.rounds == 1500);
}

TEST_CASE("plan: work that another step is about to do is no second run", "[dag][plan]") {
  EngineWorld world;
  world.apply(R"(
name = "twins"
[step.a]
operator = "one"
[step.b]
operator = "one"
)");
  const auto planned = world.engine->plan("twins", {}, world.now);
  REQUIRE(planned);
  CHECK(planned->at(0).verdict == "run");
  CHECK(planned->at(1).verdict == "depends");
  CHECK(planned->at(1).reason.sentence == "the same work as a");

  SECTION("also when it is another run that does it") {
    world.run("twins");
    const auto second = world.engine->plan("twins", {}, world.now);
    REQUIRE(second);
    CHECK(second->at(0).verdict == "depends");
    CHECK(second->at(0).reason.sentence == "the same work is running");
  }
}

TEST_CASE("plan: a step that waits for another's output says whose", "[dag][plan]") {
  EngineWorld world;
  world.apply(R"(
name = "chain"
[step.a]
operator = "one"
[step.b]
operator = "single"
in.in = "a"
[step.c]
operator = "single"
in.in = "b"
)");
  const auto planned = world.engine->plan("chain", {}, world.now);
  REQUIRE(planned);
  CHECK(planned->at(0).reason.sentence == "no earlier result");
  CHECK(planned->at(1).verdict == "depends");
  CHECK(planned->at(1).reason.sentence == "depends on the output of a");
  CHECK(planned->at(2).reason.sentence == "depends on the output of b");
}
