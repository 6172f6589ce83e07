// The engine's fine print, a rule a test.
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

const std::string two_steps = R"(
name = "two"
[params]
p = 1
[step.a]
operator = "one"
params.p = "${p}"
[step.b]
operator = "one"
in.in = "a"
)";

// A fanned-out source with a gate and a collector.
const std::string fanned = R"(
name = "fan"
[source.s]
path = "in/{SPAN}.csv"
[[trigger]]
arrival = ["s"]
coalesce = "1s"
[step.prepare]
foreach = "source.s"
operator = "single"
in.in = "each"
[step.gate]
foreach = "prepare"
operator = "gate"
in.in = "prepare"
[step.all]
operator = "many"
in.in = "gate.out"
)";

struct Fan : EngineWorld {
  explicit Fan(const std::string& text = fanned) { apply(text); }
  void land(const std::string& span, const std::string& content = "") {
    arrive("fan", "s", span, "content " + span + content);
  }
  RunNumber go() {
    wait(1000);
    run_all();
    return ledger.runs.rbegin()->first;
  }
};

std::size_t inputs_of(const EngineWorld& world, RunNumber run, const std::string& step) {
  return world.ledger.results.at(world.step(run, step).result).inputs.size();
}

}  // namespace

TEST_CASE("engine: a step runs after its input and is reused when nothing changed", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  const RunNumber first = world.run("two");
  world.run_all();
  CHECK(world.take_log() == std::vector<std::string>{"start a", "start b"});
  CHECK(world.run_state(first) == RunState::succeeded);
  const RunNumber second = world.run("two");
  CHECK(world.take_log().empty());
  CHECK(world.state(second, "b") == StepState::cached);
}

TEST_CASE("engine: an unchanged output stops the ripple", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  world.run("two");
  world.run_all();
  world.take_log();
  RunOptions options;
  options.params["p"] = Value(2);
  const RunNumber run = world.run("two", options);
  REQUIRE(world.started.size() == 1);
  // a runs with p = 2 and makes what it made with p = 1.
  event::AttemptEnded ended = EngineWorld::answer(world.started[0], Outcome::ok);
  ended.outputs = world.ledger.results.at(1).outputs;
  world.started.clear();
  world.turn(ended);
  CHECK(world.state(run, "b") == StepState::cached);
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("engine: a lost output is a miss that says so", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  world.run("two");
  world.run_all();
  world.take_log();
  world.ledger.lost.insert(world.ledger.results.at(1).outputs[0].artifact.digest);
  const RunNumber run = world.run("two");
  CHECK(world.take_log() == std::vector<std::string>{"start a"});
  CHECK(world.step(run, "a").reason.code == "output_lost");
}

TEST_CASE("engine: a report with another fence is ignored", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  const RunNumber run = world.run("two");
  event::AttemptEnded ended = EngineWorld::answer(world.started[0], Outcome::ok);
  ended.fence = "00000000000000000000000000000000";
  world.turn(ended);
  CHECK(world.state(run, "a") == StepState::running);
  CHECK(world.ledger.results.empty());
  // And the right one counts once.
  ended.fence = world.started[0].fence;
  world.turn(ended);
  world.turn(ended);
  CHECK(world.ledger.results.size() == 1);
}

TEST_CASE("engine: an output that is missing fails the attempt", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  const RunNumber run = world.run("two");
  event::AttemptEnded ended = EngineWorld::answer(world.started[0], Outcome::ok);
  ended.outputs.clear();
  world.turn(ended);
  CHECK(world.run_state(run) == RunState::failed);
  CHECK(world.state(run, "b") == StepState::blocked);
  CHECK(world.step(run, "a").reason.sentence ==
        "output out missing: the operator ended without writing it");
}

TEST_CASE("engine: retries back off, count tries and end", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps + "[step.c]\noperator = \"one\"\nin.in = \"b\"\n"
                          "retry = { max = 2, backoff = \"1s\" }\n");
  const RunNumber run = world.run("two");
  world.end(0, Outcome::ok);
  world.end(0, Outcome::ok);
  for (int tries = 1; tries <= 3; ++tries) {
    REQUIRE(world.started.size() == 1);
    world.end(0, Outcome::failed, true);
    CHECK(world.step(run, "c").tries == tries);
    if (tries < 3) {
      CHECK(world.started.empty());
      CHECK(world.run_state(run) == RunState::running);
      world.wait(4000);
    }
  }
  CHECK(world.run_state(run) == RunState::failed);
}

TEST_CASE("engine: a failure that is not retryable uses no tries left", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\nretry = { max = 5 }\n");
  const RunNumber run = world.run("x");
  world.end(0, Outcome::failed, false);
  CHECK(world.run_state(run) == RunState::failed);
}

TEST_CASE("engine: machine faults count no try, three in a row fail the step", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  const RunNumber run = world.run("two");
  for (int fault = 1; fault <= 3; ++fault) {
    REQUIRE(world.started.size() == 1);
    const std::string id = world.started[0].attempt;
    world.started.clear();
    world.turn(event::AttemptLost{id, "its host died"});
    CHECK(world.step(run, "a").tries == 0);
  }
  CHECK(world.run_state(run) == RunState::failed);
  CHECK(world.step(run, "a").reason.code == "machine_fault");
}

TEST_CASE("engine: a timeout kills and counts a try", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\ntimeout = \"10s\"\n");
  const RunNumber run = world.run("x");
  world.wait(9999);
  CHECK(world.killed.empty());
  world.wait(1);
  REQUIRE(world.killed.size() == 1);
  world.end(0, Outcome::failed, true);
  CHECK(world.step(run, "a").reason.sentence == "timed out after 10 s");
  CHECK(world.run_state(run) == RunState::failed);
}

TEST_CASE("engine: one attempt a key at a time, the other run then reuses it", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps + "[run]\nmax_active = 2\n");
  const RunNumber first = world.run("two");
  const RunNumber second = world.run("two");
  REQUIRE(world.started.size() == 1);
  SECTION("after a success it is cached") {
    world.run_all();
    CHECK(world.state(second, "a") == StepState::cached);
    CHECK(world.take_log().size() == 2);
  }
  SECTION("after a failure the next one runs") {
    world.end(0, Outcome::failed);
    CHECK(world.run_state(first) == RunState::failed);
    REQUIRE(world.started.size() == 1);
    CHECK(world.started[0].run == second);
  }
  SECTION("when the holder's run is cancelled the other one runs") {
    world.turn(event::CancelRequested{1, first, "me", "no"});
    REQUIRE(world.killed.size() == 1);
    world.end(0, Outcome::cancelled);
    CHECK(world.run_state(first) == RunState::cancelled);
    REQUIRE(world.started.size() == 1);
    CHECK(world.started[0].run == second);
  }
}

TEST_CASE("engine: runs queue behind the active one", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  const RunNumber first = world.run("two");
  const RunNumber second = world.run("two");
  CHECK(world.run_state(second) == RunState::queued);
  if (GENERATE(false, true)) world.restart();
  world.run_all();
  CHECK(world.run_state(first) == RunState::succeeded);
  CHECK(world.run_state(second) == RunState::succeeded);
}

TEST_CASE("engine: force passes over results from before the run", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  world.run("two");
  world.run_all();
  world.take_log();
  RunOptions options;
  options.force = {"a"};
  const RunNumber run = world.run("two", options);
  world.run_all();
  CHECK(world.take_log() == std::vector<std::string>{"start a"});
  CHECK(world.step(run, "a").state == StepState::succeeded);
}

TEST_CASE("engine: without a cache a step runs every time", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\ncache = false\n");
  world.run("x");
  world.run_all();
  world.run("x");
  world.run_all();
  CHECK(world.take_log().size() == 2);
}

TEST_CASE("engine: parameters equal to the file's make a full run", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  RunOptions options;
  options.params["p"] = Value(1);
  const RunNumber run = world.run("two", options);
  CHECK(world.ledger.runs.at(run).options.full());
}

TEST_CASE("engine: unknown parameters and kinds are refused with a sentence", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps);
  RunOptions options;
  options.params["q"] = Value(1);
  world.turn(event::RunRequested{1, "two", options, "me"});
  REQUIRE(world.replies.back().error);
  CHECK(world.replies.back().error->message == "run: pipeline two has no parameter q; did you mean 'p'?");
  options.params.clear();
  options.params["p"] = Value("x");
  world.turn(event::RunRequested{2, "two", options, "me"});
  REQUIRE(world.replies.back().error);
  CHECK(world.replies.back().error->message == "run: parameter p is a int, not \"x\"");
}

TEST_CASE("engine: cancel asks, waits and ends as cancelled", "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps + "[step.always]\noperator = \"one\"\nafter = [\"b\"]\nrun_on = \"always\"\n");
  const RunNumber run = world.run("two");
  world.turn(event::CancelRequested{1, run, "uid 7", "enough"});
  REQUIRE(world.killed.size() == 1);
  CHECK(world.run_state(run) == RunState::running);
  if (GENERATE(false, true)) {
    world.restart();
  } else {
    world.end(0, Outcome::cancelled);
  }
  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].step == "always");
  world.run_all();
  CHECK(world.run_state(run) == RunState::cancelled);
  CHECK(world.state(run, "a") == StepState::cancelled);
}

TEST_CASE("engine: run_on failure runs when an ancestor failed and is skipped otherwise",
          "[dag][engine]") {
  EngineWorld world;
  world.apply(two_steps + "[step.clean]\noperator = \"one\"\nafter = [\"b\"]\nrun_on = \"failure\"\n");
  SECTION("failure") {
    const RunNumber run = world.run("two");
    world.end(0, Outcome::failed);
    REQUIRE(world.started.size() == 1);
    CHECK(world.started[0].step == "clean");
    world.run_all();
    CHECK(world.run_state(run) == RunState::failed);
    CHECK(world.state(run, "clean") == StepState::succeeded);
  }
  SECTION("success") {
    const RunNumber run = world.run("two");
    world.run_all();
    CHECK(world.state(run, "clean") == StepState::skipped);
    CHECK(world.run_state(run) == RunState::succeeded);
  }
}

TEST_CASE("engine: a review waits for a person and is remembered by evidence", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\n"
              "[step.b]\noperator = \"one\"\nin.in = \"a\"\nreview = true\n");
  const RunNumber run = world.run("x");
  world.run_all();
  CHECK(world.run_state(run) == RunState::in_review);
  if (GENERATE(false, true)) world.restart();
  SECTION("approve") {
    world.turn(event::ApproveRequested{1, run, "b", "", "uid 1", "fine"});
    REQUIRE(!world.replies.back().error);
    world.run_all();
    CHECK(world.run_state(run) == RunState::succeeded);
    const RunNumber again = world.run("x");
    CHECK(world.run_state(again) == RunState::succeeded);
  }
  SECTION("reject") {
    world.turn(event::RejectRequested{1, run, "b", "", "uid 1", "no"});
    CHECK(world.run_state(run) == RunState::rejected);
    const RunNumber again = world.run("x");
    CHECK(world.run_state(again) == RunState::rejected);
  }
}

TEST_CASE("engine: a review that nobody answers expires and is not remembered", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\nreview = { expires = \"1h\" }\n");
  const RunNumber run = world.run("x");
  CHECK(world.run_state(run) == RunState::in_review);
  world.wait(3'600'000);
  CHECK(world.run_state(run) == RunState::rejected);
  CHECK(world.run_state(world.run("x")) == RunState::in_review);
}

TEST_CASE("engine: when compares metrics of steps before, and says the values", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\n"
              "[step.b]\noperator = \"one\"\nin.in = \"a\"\nwhen = \"a.auc >= 0.7\"\n");
  const RunNumber run = world.run("x");
  event::AttemptEnded ended = EngineWorld::answer(world.started[0], Outcome::ok);
  world.started.clear();
  SECTION("holds") {
    ended.metrics = {{"auc", "", 0.71}};
    world.turn(ended);
    world.run_all();
    CHECK(world.state(run, "b") == StepState::succeeded);
  }
  SECTION("does not hold") {
    ended.metrics = {{"auc", "", 0.5}};
    world.turn(ended);
    CHECK(world.state(run, "b") == StepState::skipped);
    CHECK(world.run_state(run) == RunState::succeeded);
  }
  SECTION("a name that is not there fails the step") {
    world.turn(ended);
    CHECK(world.state(run, "b") == StepState::failed);
  }
}

TEST_CASE("spans: A, B, A again is version 3", "[dag][engine]") {
  Fan world;
  world.land("1", "A");
  world.land("1", "B");
  world.land("1", "B");
  world.land("1", "A");
  CHECK(world.ledger.arrivals.size() == 3);
  CHECK(world.ledger.arrivals.at(3).version == 3);
}

TEST_CASE("spans: coalescing is a quiet period, capped at ten times itself", "[dag][engine]") {
  Fan world;
  for (int i = 0; i < 25; ++i) {
    world.land(std::to_string(i));
    world.wait(500);
  }
  CHECK(world.ledger.runs.size() == 1);  // at 10 s, though it was never quiet for 1 s
}

TEST_CASE("spans: unfired arrivals fire after a restart, fired ones do not again", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.restart();
  CHECK(world.go() == 1);
  world.restart();
  world.wait(60'000);
  CHECK(world.ledger.runs.size() == 1);
}

TEST_CASE("spans: a paused pipeline keeps its arrivals", "[dag][engine]") {
  Fan world;
  world.turn(event::PauseRequested{1, "fan", "me", true});
  world.land("1");
  world.wait(10'000);
  CHECK(world.ledger.runs.empty());
  if (GENERATE(false, true)) world.restart();
  world.turn(event::PauseRequested{2, "fan", "me", false});
  world.wait(10'000);
  world.run_all();
  CHECK(world.ledger.runs.size() == 1);
}

TEST_CASE("spans: skipped elements are not collected and nothing to collect skips", "[dag][engine]") {
  Fan world;
  const RunNumber run = world.run("fan");
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.state(run, "all") == StepState::skipped);
}

TEST_CASE("spans: collected in span order, numbers as numbers", "[dag][engine]") {
  Fan world;
  for (const char* span : {"10", "9", "100"}) world.land(span);
  world.wait(1000);
  while (world.started.front().step != "all") world.end(0, Outcome::ok);
  REQUIRE(world.started[0].inputs[0].artifacts.size() == 3);
  std::vector<ArtifactRef> expected;
  for (const char* span : {"9", "10", "100"}) {
    expected.push_back(world.ledger.results.at(world.step(1, "gate", span).result).outputs[0].artifact);
  }
  CHECK(world.started[0].inputs[0].artifacts == expected);
}

TEST_CASE("spans: last N counts after leaving out", "[dag][engine]") {
  std::string text = fanned;
  const std::string from = "in.in = \"gate.out\"";
  text.replace(text.find(from), from.size(), "in.in = { of = \"gate.out\", spans = \"last 2\" }");
  Fan world(text);
  for (const char* span : {"1", "2", "3"}) world.land(span);
  world.verdicts["gate/2"] = Outcome::halt;
  const RunNumber run = world.go();
  CHECK(world.run_state(run) == RunState::halted);
  world.turn(event::SpanRequested{1, "fan", "s", "2", "me", "no", false});
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  const auto result = world.ledger.results.at(world.step(run, "all").result);
  REQUIRE(result.inputs.size() == 2);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto gate = world.ledger.results.at(world.step(run, "gate", i == 0 ? "1" : "3").result);
    CHECK(result.inputs[i].artifact == gate.outputs[0].artifact);
  }
}

TEST_CASE("spans: new takes what no successful run has had", "[dag][engine]") {
  std::string text = fanned;
  const std::string from = "in.in = \"gate.out\"";
  text.replace(text.find(from), from.size(), "in.in = { of = \"gate.out\", spans = \"new\" }");
  Fan world(text);
  world.land("1");
  world.land("2");
  const RunNumber first = world.go();
  CHECK(inputs_of(world, first, "all") == 2);
  world.land("3");
  const RunNumber second = world.go();
  CHECK(inputs_of(world, second, "all") == 1);
  const RunNumber third = world.run("fan");
  CHECK(world.state(third, "all") == StepState::skipped);
}

TEST_CASE("spans: a failed span is open again when its step is defined otherwise", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.land("2");
  world.verdicts["gate/2"] = Outcome::failed;
  const RunNumber first = world.go();
  CHECK(world.run_state(first) == RunState::failed);
  CHECK(world.state(first, "all") == StepState::blocked);
  SECTION("the same definition leaves it out") {
    const RunNumber second = world.run("fan");
    world.run_all();
    CHECK(world.run_state(second) == RunState::succeeded);
    CHECK(inputs_of(world, second, "all") == 1);
  }
  SECTION("a changed one tries again") {
    world.verdicts.clear();
    std::string text = fanned;
    const std::string from = "operator = \"gate\"";
    text.replace(text.find(from), from.size(), from + "\nparams.p = 7");
    world.apply(text);
    const RunNumber second = world.run("fan");
    world.run_all();
    CHECK(world.run_state(second) == RunState::succeeded);
    CHECK(inputs_of(world, second, "all") == 2);
  }
}

TEST_CASE("spans: evidence of a halted step can be read, its data cannot", "[dag][engine]") {
  Fan world(fanned + "[step.tell]\nforeach = \"gate\"\noperator = \"single\"\nin.in = \"gate.report\"\n");
  world.land("1");
  world.verdicts["gate/1"] = Outcome::halt;
  const RunNumber run = world.go();
  CHECK(world.run_state(run) == RunState::halted);
  CHECK(world.state(run, "tell", "1") == StepState::succeeded);
  CHECK(world.state(run, "all") == StepState::waiting);
}

TEST_CASE("spans: a restored span takes part again", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.land("2");
  world.go();
  world.turn(event::SpanRequested{1, "fan", "s", "2", "me", "wrong", false});
  CHECK(inputs_of(world, [&] { const RunNumber r = world.run("fan"); world.run_all(); return r; }(), "all") == 1);
  world.turn(event::SpanRequested{2, "fan", "s", "2", "me", "right after all", true});
  const RunNumber run = world.run("fan");
  world.run_all();
  CHECK(inputs_of(world, run, "all") == 2);
}

TEST_CASE("spans: a source without a version yet is waited for", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[source.r]\npath = \"r.csv\"\n[step.a]\noperator = \"single\"\n"
              "in.in = { source = \"r\" }\n");
  const RunNumber run = world.run("x");
  CHECK(world.run_state(run) == RunState::running);
  if (GENERATE(false, true)) world.restart();
  world.arrive("x", "r", "all", "first");
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("plan: says what the run then does", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.go();
  world.land("2");
  world.wait(0);
  auto plan = world.engine->plan("fan", {}, world.now);
  REQUIRE(plan);
  std::map<std::string, std::string> said;
  for (const PlannedStep& step : *plan) said[step_path(step.step, step.element)] = step.verdict;
  CHECK(said["prepare/1"] == "reuse");
  CHECK(said["prepare/2"] == "run");
  CHECK(said["gate/2"] == "depends");
  CHECK(said["all"] == "depends");
  CHECK(world.ledger.runs.size() == 1);
  const RunNumber run = world.go();
  for (const auto& [path, verdict] : said) {
    const auto slash = path.find('/');
    const StepRow row = world.step(run, path.substr(0, slash),
                                   slash == std::string::npos ? "" : path.substr(slash + 1));
    if (verdict == "reuse") CHECK(row.state == StepState::cached);
    if (verdict == "run") CHECK(row.state == StepState::succeeded);
  }
}

TEST_CASE("engine: rebuilt from its rows it is what it was", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.land("2");
  world.verdicts["gate/2"] = Outcome::halt;
  world.go();
  world.land("3");
  const std::string before = world.engine->state_text();
  world.restart();
  CHECK(world.engine->state_text() == before);
}

TEST_CASE("explain: a step that ran keeps why it ran and when it began", "[dag][engine]") {
  EngineWorld world;
  const auto text = [](const std::string& p) {
    return "name = \"x\"\n[step.a]\noperator = \"one\"\nparams.p = " + p + "\n";
  };
  world.apply(text("1"));
  world.run("x");
  world.run_all();
  world.apply(text("2"));
  const RunNumber run = world.run("x");
  const TimeMs began = world.now.wall_ms;
  world.wait(500);
  world.run_all();
  const StepRow row = world.step(run, "a");
  CHECK(row.state == StepState::succeeded);
  REQUIRE(row.reason.details.size() == 1);
  CHECK(row.reason.details[0] == ReasonDetail{"parameter p", "1", "2"});
  CHECK(row.started_at == began);
  CHECK(row.ended_at == began + 500);
  CHECK(world.step(world.run("x"), "a").started_at == 0);
}
