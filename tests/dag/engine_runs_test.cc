// Runs of a part of a pipeline, and runs that are taken up again.
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

const std::string chain = R"(
name = "chain"
[params]
p = 1
q = 1
[step.a]
operator = "one"
params.p = "${p}"
tags = ["first"]
[step.b]
operator = "one"
in.in = "a"
params.p = "${q}"
[step.c]
operator = "single"
in.in = "b"
)";

const std::string fan = R"(
name = "fan"
[source.s]
path = "in/{SPAN}.csv"
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
[step.gate]
foreach = "read"
operator = "gate"
in.in = "read"
[step.all]
operator = "many"
in.in = "gate.out"
)";

RunOptions selecting(std::string select, ValueTable params = {}) {
  RunOptions options;
  options.select = std::move(select);
  options.params = std::move(params);
  return options;
}

struct Chain : EngineWorld {
  Chain() { apply(chain); }
  RunNumber go(RunOptions options = {}) {
    const RunNumber number = run("chain", std::move(options));
    run_all();
    return number;
  }
  Error refusal(const RunOptions& options) {
    turn(event::RunRequested{++last_request, "chain", options, "me"});
    REQUIRE(replies.back().error);
    return *replies.back().error;
  }
  const ResultRow& result(RunNumber number, const std::string& name) {
    return ledger.results.at(step(number, name).result);
  }
};

}  // namespace

TEST_CASE("run --select: steps outside give what an earlier run recorded", "[dag][engine]") {
  Chain world;
  const RunNumber first = world.go();
  const RunNumber other = world.go(selecting("c"));
  CHECK(world.run_state(other) == RunState::succeeded);
  CHECK(world.state(other, "a") == StepState::skipped);
  CHECK(world.step(other, "a").reason.code == "not_selected");
  CHECK(world.state(other, "b") == StepState::cached);
  CHECK(world.step(other, "b").reason.sentence ==
        "not selected: its output of run " + std::to_string(first) + " stands in");
  CHECK(world.state(other, "c") == StepState::cached);
  CHECK(world.result(other, "c").run == first);
}

TEST_CASE("run --select: a selection runs with other parameters on what is recorded",
          "[dag][engine]") {
  Chain world;
  const RunNumber first = world.go();
  const RunNumber other = world.go(selecting("b+", {{"p", Value(7)}, {"q", Value(5)}}));
  // a is not selected, so that its new parameter changes nothing.
  CHECK(world.step(other, "a").result == world.step(first, "a").result);
  CHECK(world.state(other, "b") == StepState::succeeded);
  CHECK(world.state(other, "c") == StepState::succeeded);
  // What it made with other parameters does not stand in for anybody else.
  const RunNumber last = world.go(selecting("c"));
  CHECK(world.step(last, "b").result == world.step(first, "b").result);
  // … but for a run with the same ones.
  const RunNumber same = world.go(selecting("c", {{"p", Value(7)}, {"q", Value(5)}}));
  CHECK(world.step(same, "b").result == world.step(other, "b").result);
}

TEST_CASE("run --select: what nobody has made is refused with the way out", "[dag][engine]") {
  Chain world;
  const Error missing = world.refusal(selecting("c"));
  CHECK(missing.message ==
        "run --select: step c needs b, which is not selected and which no earlier run has made; "
        "select it too, for example +c");
  CHECK(world.ledger.runs.empty());
  CHECK_FALSE(world.engine->plan("chain", selecting("c"), world.now));
  CHECK_THAT(world.refusal(selecting("d")).message, Catch::Contains("names no step"));
  CHECK_THAT(world.refusal(selecting("a and b")).message, Catch::Contains("leaves no step"));
  RunOptions forced = selecting("a");
  forced.force = {"b"};
  CHECK_THAT(world.refusal(forced).message, Catch::Contains("not part of the selection"));
  world.go(selecting("+c"));
  CHECK(world.go(selecting("c")) == 2);
}

TEST_CASE("run --select: its outputs are not the pipeline's own, and a start takes it up",
          "[dag][engine]") {
  EngineWorld world;
  world.apply(chain + "[step.last]\noperator = \"one\"\nin.in = { latest = \"c\" }\n");
  world.run("chain", selecting("+c"));
  world.end(0, Outcome::ok);  // a
  world.restart();
  world.run_all();
  CHECK(world.run_state(1) == RunState::succeeded);
  CHECK(world.state(1, "last") == StepState::skipped);
  const RunNumber full = world.run("chain");
  world.run_all();
  CHECK(world.step(full, "last").reason.code == "first_time");  // nothing to resolve yet
  CHECK(world.ledger.results.at(world.step(full, "last").result).inputs.empty());
}

TEST_CASE("run --select: elements of spans take what was made of that version", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan);
  world.arrive("fan", "s", "1", "one");
  world.arrive("fan", "s", "2", "two");
  world.run("fan");
  world.run_all();
  world.arrive("fan", "s", "2", "two again");
  world.arrive("fan", "s", "3", "three");
  const RunNumber part = world.run("fan", selecting("all"));
  world.run_all();
  // Nobody has worked on version 2 of span 2 or on span 3.
  CHECK(world.state(part, "gate", "1") == StepState::cached);
  CHECK(world.state(part, "gate", "2") == StepState::skipped);
  CHECK(world.state(part, "gate", "3") == StepState::skipped);
  CHECK(world.ledger.results.at(world.step(part, "all").result).inputs.size() == 1);
  CHECK(world.span_state("fan", "s", "3") == SpanState::open);  // it judges no span
  CHECK(world.span_state("fan", "s", "2", 2) == SpanState::open);
}

TEST_CASE("run --select: nothing stands in for a halted span", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan);
  world.arrive("fan", "s", "1", "one");
  world.arrive("fan", "s", "2", "two");
  world.run("fan");
  world.verdicts["gate/2"] = Outcome::halt;
  world.run_all();
  const RunNumber part = world.run("fan", selecting("all"));
  world.run_all();
  CHECK(world.state(part, "gate", "2") == StepState::skipped);
  CHECK_THAT(world.step(part, "gate", "2").reason.sentence, Catch::Contains("halted at gate"));
  CHECK(world.run_state(1) == RunState::halted);  // a part does not supersede it
}

TEST_CASE("run --select: a failed step closes its span, a good one does not open it",
          "[dag][engine]") {
  EngineWorld world;
  world.apply(fan);
  world.arrive("fan", "s", "1", "one");
  world.run("fan", selecting("read"));
  world.run_all();
  CHECK(world.span_state("fan", "s", "1") == SpanState::open);
  world.run("fan", selecting("gate"));
  world.verdicts["gate/1"] = Outcome::failed;
  world.run_all();
  CHECK(world.span_state("fan", "s", "1") == SpanState::failed);
}

TEST_CASE("retry: named steps alone, and what they had blocked", "[dag][engine]") {
  EngineWorld world;
  world.apply(R"(
name = "two"
[step.a]
operator = "one"
[step.a2]
operator = "one"
in.in = "a"
[step.b]
operator = "one"
[step.b2]
operator = "one"
in.in = "b"
)");
  const RunNumber run = world.run("two");
  world.verdicts = {{"a", Outcome::failed}, {"b", Outcome::failed}};
  world.run_all();
  world.verdicts.clear();
  event::RetryRequested retry{1, run, "me", "once more"};
  retry.steps = {"a"};
  world.turn(retry);
  CHECK_FALSE(world.replies.back().error);
  world.run_all();
  CHECK(world.state(run, "a") == StepState::succeeded);
  CHECK(world.state(run, "a2") == StepState::succeeded);
  CHECK(world.state(run, "b") == StepState::failed);
  CHECK(world.state(run, "b2") == StepState::blocked);
  CHECK(world.run_state(run) == RunState::failed);

  retry.steps = {"a2"};
  world.turn(retry);
  REQUIRE(world.replies.back().error);
  CHECK_THAT(world.replies.back().error->message,
             Catch::Contains("a2 of run 1 is succeeded, neither failed nor halted") &&
                 Catch::Contains("pipectl run two --force a2"));
  retry.steps = {"zz"};
  world.turn(retry);
  CHECK_THAT(world.replies.back().error->message, Catch::Contains("has no step zz"));
  CHECK(world.run_state(run) == RunState::failed);

  retry.steps.clear();
  retry.select = "b+";
  world.turn(retry);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  retry.select = "b+";
  world.turn(retry);
  CHECK(world.replies.back().error);  // succeeded
}

TEST_CASE("retry: one element of several, its span opens again", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan);
  world.arrive("fan", "s", "1", "one");
  world.arrive("fan", "s", "2", "two");
  const RunNumber run = world.run("fan");
  world.verdicts = {{"gate/1", Outcome::failed}, {"gate/2", Outcome::failed}};
  world.run_all();
  world.verdicts.clear();
  event::RetryRequested retry{1, run, "me", ""};
  retry.steps = {"gate/2"};
  world.turn(retry);
  world.run_all();
  CHECK(world.state(run, "gate", "2") == StepState::succeeded);
  CHECK(world.span_state("fan", "s", "2") == SpanState::accepted);
  CHECK(world.span_state("fan", "s", "1") == SpanState::failed);
  CHECK(world.state(run, "all") == StepState::blocked);
}

TEST_CASE("retry: a halt that is named runs again, also across a restart", "[dag][engine]") {
  EngineWorld world;
  world.apply(R"(
name = "halting"
[step.gate]
operator = "one"
[step.after]
operator = "one"
in.in = "gate"
)");
  const RunNumber run = world.run("halting");
  world.verdicts["gate"] = Outcome::halt;
  world.run_all();
  CHECK(world.run_state(run) == RunState::halted);
  world.turn(event::RetryRequested{1, run, "me", ""});
  CHECK(world.started.empty());  // not named: its verdict stands
  CHECK(world.run_state(run) == RunState::halted);
  event::RetryRequested retry{2, run, "me", "the machine was wrong"};
  retry.steps = {"gate"};
  world.turn(retry);
  REQUIRE(world.started.size() == 1);
  world.restart();
  REQUIRE(world.started.size() == 1);  // not halted at once by what is recorded
  world.end(0, Outcome::halt);
  CHECK(world.run_state(run) == RunState::halted);
  world.verdicts.clear();
  world.turn(retry);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  // The newer result is what others reuse.
  const RunNumber later = world.run("halting");
  CHECK(world.state(later, "gate") == StepState::cached);
  CHECK(world.run_state(later) == RunState::succeeded);
}

TEST_CASE("retry: a run of an older version goes on with that version", "[dag][engine]") {
  EngineWorld world;
  world.apply(chain);
  const auto old = world.pipelines.back();
  const RunNumber run = world.run("chain");
  world.verdicts["b"] = Outcome::failed;
  world.run_all();
  world.verdicts.clear();
  world.apply(chain + "[step.d]\noperator = \"one\"\nin.in = \"c\"\n");
  event::RetryRequested retry{1, run, "me", ""};
  world.turn(retry);
  REQUIRE(world.replies.back().error);
  CHECK_THAT(world.replies.back().error->message, Catch::Contains("whose files cannot be read"));
  retry.version = old;
  world.turn(retry);
  world.end(0, Outcome::ok);
  world.restart();  // an open run of that version is built again from it
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.ledger.runs.at(run).version == old->version);
  CHECK_FALSE(world.ledger.steps.contains({run, "d", ""}));
}

TEST_CASE("resume: a cancelled run goes on where it was", "[dag][engine]") {
  EngineWorld world;
  world.apply(chain);
  const RunNumber run = world.run("chain");
  world.end(0, Outcome::ok);
  world.turn(event::ResumeRequested{1, run, "me", "", {}});
  CHECK_THAT(world.replies.back().error->message, Catch::Contains("is running, not cancelled"));
  world.turn(event::CancelRequested{2, run, "me", "enough"});
  world.end(0, Outcome::cancelled);
  CHECK(world.run_state(run) == RunState::cancelled);
  world.turn(event::ResumeRequested{3, run, "me", "after all", {}});
  CHECK_FALSE(world.replies.back().error);
  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].step == "b");
  world.restart();
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.ledger.decisions.back().kind == "resume");
}

TEST_CASE("resume: a held run is released", "[dag][engine]") {
  EngineWorld world;
  world.apply(chain);
  const RunNumber run = world.run("chain");
  event::HoldRequested hold;
  hold.request = 1;
  hold.run = run;
  hold.who = "me";
  hold.why = "wait";
  world.turn(hold);
  world.end(0, Outcome::ok);
  CHECK(world.started.empty());
  world.turn(event::ResumeRequested{2, run, "me", "go", {}});
  CHECK_FALSE(world.replies.back().error);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("resume, retry: one that was cancelled in the queue waits for its turn, then begins",
          "[dag][engine]") {
  for (const bool resume : {true, false}) {
    for (const bool waits : {true, false}) {
      EngineWorld world;
      world.apply(chain);
      world.run("chain");
      RunOptions options;
      options.select = "a+1";
      const RunNumber second = world.run("chain", options);
      world.turn(event::CancelRequested{2, second, "me", "enough"});
      CHECK(world.run_state(second) == RunState::cancelled);
      if (!waits) world.run_all();
      if (resume) world.turn(event::ResumeRequested{3, second, "me", "after all", {}});
      else world.turn(event::RetryRequested{3, second, "me", "after all", {}, {}, {}});
      REQUIRE_FALSE(world.replies.back().error);
      CHECK(world.run_state(second) == (waits ? RunState::queued : RunState::succeeded));  // all is cached
      CHECK((world.ledger.runs.at(second).started_at == 0) == waits);
      const std::string living = world.engine->state_text();
      if (waits) {
        world.restart();
        CHECK(world.engine->state_text() == living);
      }
      world.run_all();
      CHECK(world.run_state(second) == RunState::succeeded);
      CHECK(world.state(second, "c") == StepState::skipped);  // not selected
    }
  }
}

TEST_CASE("resume: neither a failed nor a superseded run", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan);
  world.arrive("fan", "s", "1", "one");
  const RunNumber run = world.run("fan");
  world.verdicts["gate/1"] = Outcome::halt;
  world.run_all();
  world.verdicts.clear();
  world.arrive("fan", "s", "1", "one, mended");
  const RunNumber next = world.run("fan");
  CHECK(world.run_state(run) == RunState::cancelled);
  world.turn(event::ResumeRequested{1, run, "me", "", {}});
  CHECK_THAT(world.replies.back().error->message, Catch::Contains("superseded by run 2"));
  world.verdicts["gate/1"] = Outcome::failed;
  world.run_all();
  CHECK(world.run_state(next) == RunState::failed);
  world.turn(event::ResumeRequested{1, next, "me", "", {}});
  CHECK_THAT(world.replies.back().error->message, Catch::Contains("pipectl retry 2"));
}

TEST_CASE("migrate: what is defined alike is kept, the rest runs anew", "[dag][engine]") {
  EngineWorld world;
  world.apply(chain);
  const auto old = world.pipelines.back();
  const RunNumber run = world.run("chain");
  world.end(0, Outcome::ok);
  world.end(0, Outcome::ok);
  world.end(0, Outcome::failed);  // c
  const std::int64_t kept = world.step(run, "a").result;
  std::string text = chain;
  text.replace(text.find("params.p = \"${q}\""), 17, "params.p = \"better\"");
  text.replace(text.find("[step.c]"), std::string::npos, "[step.e]\noperator = \"single\"\nin.in = \"b\"\n");
  world.apply(text);

  const auto plan = world.engine->plan_migration(run, old, world.now);
  REQUIRE(plan);
  std::map<std::string, std::string> verdicts;
  for (const PlannedStep& step : *plan) verdicts[step.step] = step.verdict;
  CHECK(verdicts == std::map<std::string, std::string>{
                        {"a", "keep"}, {"b", "run"}, {"c", "drop"}, {"e", "depends"}});
  CHECK(world.ledger.runs.at(run).version == old->version);  // it was only asked

  world.turn(event::MigrateRequested{1, run, "me", "a better b", old});
  REQUIRE_FALSE(world.replies.back().error);
  CHECK(world.step(run, "c").state == StepState::skipped);
  CHECK(world.step(run, "c").reason.code == "migrated");
  world.end(0, Outcome::ok);
  world.restart();
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.step(run, "a").result == kept);
  CHECK(world.state(run, "b") == StepState::succeeded);
  CHECK(world.state(run, "e") == StepState::succeeded);
  CHECK(world.ledger.runs.at(run).version == world.pipelines.back()->version);
}

TEST_CASE("migrate: refused while steps run, and when there is nothing to move to",
          "[dag][engine]") {
  EngineWorld world;
  world.apply(chain);
  const auto old = world.pipelines.back();
  const RunNumber run = world.run("chain");
  world.turn(event::MigrateRequested{1, run, "me", "", {}});
  CHECK_THAT(world.replies.back().error->message, Catch::Contains("in force already"));
  world.apply(chain + "[step.d]\noperator = \"one\"\nin.in = \"c\"\n");
  world.turn(event::MigrateRequested{2, run, "me", "", {}});
  CHECK_THAT(world.replies.back().error->message, Catch::Contains("are running"));
  world.end(0, Outcome::failed);
  world.turn(event::MigrateRequested{3, run, "me", "", old});
  CHECK_FALSE(world.replies.back().error);
  CHECK(world.run_state(run) == RunState::failed);  // a is defined alike: its failure is kept
  CHECK(world.state(run, "d") == StepState::blocked);
  event::RetryRequested retry{4, run, "me", ""};
  world.turn(retry);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.state(run, "d") == StepState::succeeded);
}

TEST_CASE("migrate: what was decided while the run was over holds for its halts", "[dag][engine]") {
  for (const bool dropped : {true, false}) {
    EngineWorld world;
    world.apply(fan);
    const auto old = world.pipelines.back();
    world.arrive("fan", "s", "1", "one");
    world.arrive("fan", "s", "2", "two");
    const RunNumber run = world.run("fan");
    world.verdicts = {{"gate/1", Outcome::halt}, {"gate/2", Outcome::failed}};
    world.run_all();
    REQUIRE(world.run_state(run) == RunState::failed);
    REQUIRE(world.state(run, "gate", "1") == StepState::halted);
    if (dropped) {
      world.turn(event::SpanRequested{1, "fan", "s", "1", "me", "no good", false});
    } else {
      world.verdicts.erase("gate/2");
      const RunNumber other = world.run("fan");
      world.run_all();
      world.turn(event::AcceptRequested{1, other, "gate", "1", "me", "fine"});
    }
    REQUIRE_FALSE(world.replies.back().error);
    world.apply(fan + "[step.more]\noperator = \"single\"\nin.in = \"all\"\n");
    world.turn(event::MigrateRequested{2, run, "me", "one step more", old});
    REQUIRE_FALSE(world.replies.back().error);
    CHECK(world.state(run, "gate", "1") == (dropped ? StepState::skipped : StepState::succeeded));
  }
}

TEST_CASE("migrate: a queued run begins with the new version, a halt is kept", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan);
  world.arrive("fan", "s", "1", "one");
  const RunNumber run = world.run("fan");
  const RunNumber queued = world.run("fan");
  world.verdicts["gate/1"] = Outcome::halt;
  const auto old = world.pipelines.back();
  world.end(0, Outcome::ok);
  world.apply(fan + "[step.more]\noperator = \"one\"\nin.in = \"all\"\n");
  world.turn(event::MigrateRequested{1, queued, "me", "", old});
  REQUIRE_FALSE(world.replies.back().error);
  CHECK(world.run_state(queued) == RunState::queued);
  world.run_all();
  CHECK(world.run_state(run) == RunState::halted);
  world.turn(event::MigrateRequested{2, run, "me", "", old});
  REQUIRE_FALSE(world.replies.back().error);
  CHECK(world.run_state(run) == RunState::halted);
  world.turn(event::AcceptRequested{3, run, "gate", "1", "me", "it is right"});
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.state(run, "more") == StepState::succeeded);
  CHECK(world.run_state(queued) == RunState::succeeded);
  CHECK(world.state(queued, "more") == StepState::cached);
}
