// What people may rely on when runs, spans, restarts and decisions cross one another.
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

const std::string chain = R"(
name = "chain"
[params]
p = 1
[step.a]
operator = "one"
params.p = "${p}"
[step.b]
operator = "one"
in.in = "a"
)";

const std::string fan_head = R"(
name = "fan"
[params]
p = 1
[source.s]
path = "in/{SPAN}.csv"
)";
const std::string on_arrival = "[[trigger]]\narrival = [\"s\"]\ncoalesce = \"1s\"\n";
const std::string fan_steps = R"(
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
[step.gate]
foreach = "read"
operator = "gate"
in.in = "read"
params.p = "${p}"
[step.all]
operator = "many"
in.in = "gate.out"
)";

struct Fan : EngineWorld {
  explicit Fan(const std::string& more = "", const std::string& steps = fan_steps) {
    apply(fan_head + on_arrival + more + steps);
  }
  void land(const std::string& span, const std::string& content = "") {
    arrive("fan", "s", span, "content " + span + content);
  }
  RunNumber go() {
    wait(1000);
    run_all();
    return ledger.runs.rbegin()->first;
  }
  void drop(const std::string& span) {
    turn(event::SpanRequested{1, "fan", "s", span, "me", "wrong", false});
  }
  void restore(const std::string& span) {
    turn(event::SpanRequested{1, "fan", "s", span, "me", "right", true});
  }
  std::size_t collected(RunNumber run, const std::string& step = "all") {
    return ledger.results.at(this->step(run, step).result).inputs.size();
  }
  std::size_t find_started(const std::string& path) {
    for (std::size_t i = 0; i < started.size(); ++i) {
      if (step_path(started[i].step, started[i].element) == path) return i;
    }
    FAIL(path + " was not started");
    return 0;
  }
};

}  // namespace

TEST_CASE("retry: a queued run keeps its place and does nothing early", "[dag][engine]") {
  EngineWorld world;
  world.apply(chain);
  world.run("chain");
  const RunNumber second = world.run("chain");
  world.turn(event::RetryRequested{9, second, "me", "now"});
  REQUIRE(world.replies.back().error);
  CHECK(world.run_state(second) == RunState::queued);
  world.run_all();
  CHECK(world.run_state(second) == RunState::succeeded);
  CHECK(world.state(second, "b") == StepState::cached);
}

TEST_CASE("retry: a run that is being cancelled is over first", "[dag][engine]") {
  EngineWorld world;
  world.apply(chain);
  const RunNumber run = world.run("chain");
  world.turn(event::CancelRequested{1, run, "me", "enough"});
  world.turn(event::RetryRequested{2, run, "me", "but"});
  REQUIRE(world.replies.back().error);
  world.end(0, Outcome::cancelled);
  CHECK(world.run_state(run) == RunState::cancelled);
  world.turn(event::RetryRequested{3, run, "me", "again"});
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("retry: a step for failures watches anew", "[dag][engine]") {
  EngineWorld world;
  world.apply(chain + "[step.mourn]\noperator = \"one\"\nafter = [\"b\"]\nrun_on = \"failure\"\n");
  const RunNumber run = world.run("chain");
  world.turn(event::CancelRequested{1, run, "me", "enough"});
  world.end(0, Outcome::cancelled);
  CHECK(world.state(run, "mourn") == StepState::skipped);
  world.turn(event::RetryRequested{2, run, "me", "again"});
  world.end(0, Outcome::failed);
  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].step == "mourn");
}

TEST_CASE("retry: later spans go past what stays rejected", "[dag][engine]") {
  EngineWorld world;
  world.operators["many"] = fake_operator(
      "many", {port("in", "files/1", true), port("before", "files/1", false, true)}, {port("out")});
  world.apply(fan_head + on_arrival + R"(
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
[step.gate]
foreach = "read"
operator = "gate"
in.in = "read"
[step.below]
foreach = "gate"
operator = "many"
in.in = "gate.out"
in.before = { of = "gate.out", span = -1, optional = true }
)");
  for (const char* span : {"1", "2", "3"}) world.arrive("fan", "s", span, span);
  world.verdicts["gate/2"] = Outcome::halt;
  world.verdicts["below/3"] = Outcome::failed;
  world.wait(1000);
  world.run_all();
  world.turn(event::RejectRequested{1, 1, "gate", "2", "me", "broken"});
  world.run_all();
  REQUIRE(world.state(1, "gate", "2") == StepState::rejected);
  REQUIRE(world.state(1, "below", "3") == StepState::failed);
  world.verdicts.clear();
  world.turn(event::RetryRequested{2, 1, "me", "again"});
  world.run_all();
  CHECK(world.state(1, "below", "2") == StepState::blocked);
  CHECK(world.state(1, "below", "3") == StepState::succeeded);
}

TEST_CASE("retry: a span that was dropped meanwhile takes no part", "[dag][engine]") {
  Fan world("", std::string(fan_steps) + "[step.side]\noperator = \"one\"\n");
  world.land("1");
  world.land("2");
  world.verdicts["gate/2"] = Outcome::halt;
  world.verdicts["side"] = Outcome::failed;
  const RunNumber run = world.go();
  REQUIRE(world.run_state(run) == RunState::failed);
  world.drop("2");
  world.verdicts.clear();
  world.turn(event::RetryRequested{1, run, "me", "again"});
  world.run_all();
  CHECK(world.state(run, "gate", "2") == StepState::skipped);
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.collected(run) == 1);
}

TEST_CASE("restart: a run cancelled by a newer one stays cancelled", "[dag][engine]") {
  Fan world("[run]\noverlap = \"cancel_previous\"\n");
  world.land("1");
  world.wait(1000);
  REQUIRE(world.started.size() == 1);
  world.land("2");
  world.wait(1000);  // run 2 cancels run 1, whose attempt is still being killed
  CHECK(world.killed.size() == 1);
  world.restart();
  CHECK(world.run_state(1) == RunState::cancelled);
  world.run_all();
  CHECK(world.state(1, "read", "1") == StepState::cancelled);
  CHECK(world.run_state(2) == RunState::succeeded);
}

TEST_CASE("overlap: cancel_previous leaves no older run in the queue", "[dag][engine]") {
  Fan world("[run]\noverlap = \"cancel_previous\"\n");
  for (const char* span : {"1", "2", "3"}) {
    world.land(span);
    world.wait(1000);
  }
  world.run_all();
  CHECK(world.run_state(1) == RunState::cancelled);
  CHECK(world.run_state(2) == RunState::cancelled);
  CHECK(world.run_state(3) == RunState::succeeded);
  CHECK(world.collected(3) == 3);
}

TEST_CASE("overlap: skip lets the arrivals wait for the next run", "[dag][engine]") {
  Fan world("[run]\noverlap = \"skip\"\n");
  world.land("1");
  world.wait(1000);
  world.land("2");
  world.wait(1000);
  CHECK(world.ledger.runs.size() == 1);
  world.run_all();
  world.land("3");
  CHECK(world.collected(world.go()) == 3);
}

TEST_CASE("restart: a review still expires", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\nreview = { expires = \"1h\" }\n");
  const RunNumber run = world.run("x");
  world.wait(1'800'000);
  world.restart();
  world.wait(1'799'000);
  CHECK(world.run_state(run) == RunState::in_review);
  world.wait(1000);
  CHECK(world.run_state(run) == RunState::rejected);
}

TEST_CASE("clock: a review expires after its time though the wall clock was set", "[dag][engine]") {
  for (const std::int64_t step : {-315'360'000'000, 315'360'000'000}) {
    EngineWorld world;
    world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\nreview = { expires = \"1h\" }\n");
    const RunNumber run = world.run("x");
    world.now.wall_ms += step;
    world.wait(3'599'000);
    CHECK(world.run_state(run) == RunState::in_review);
    world.wait(1000);
    CHECK(world.run_state(run) == RunState::rejected);
  }
}

TEST_CASE("restart: with the clock set back a review waits no longer than its whole time",
          "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\nreview = { expires = \"1h\" }\n");
  const RunNumber run = world.run("x");
  world.now.wall_ms -= 315'360'000'000;
  world.restart();
  world.wait(3'600'000);
  CHECK(world.run_state(run) == RunState::rejected);
}

TEST_CASE("retry: a review that stood beside a failure still expires", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\nreview = { expires = \"1h\" }\n"
              "[step.b]\noperator = \"one\"\nparams.p = 2\n");
  world.verdicts["b"] = Outcome::failed;
  const RunNumber run = world.run("x");
  world.run_all();
  REQUIRE(world.run_state(run) == RunState::failed);
  world.restart();
  world.verdicts.clear();
  world.turn(event::RetryRequested{1, run, "me", "again"});
  world.run_all();
  REQUIRE(world.run_state(run) == RunState::in_review);
  world.wait(3'600'000);
  CHECK(world.run_state(run) == RunState::rejected);
}

TEST_CASE("review: one answer is for all open runs with the same evidence", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[run]\nmax_active = 2\n[step.a]\noperator = \"one\"\nreview = true\n");
  const RunNumber first = world.run("x");
  const RunNumber second = world.run("x");
  SECTION("approved") {
    world.turn(event::ApproveRequested{1, first, "a", "", "me", "fine"});
    world.run_all();
    CHECK(world.run_state(first) == RunState::succeeded);
    CHECK(world.run_state(second) == RunState::succeeded);
  }
  SECTION("rejected") {
    world.turn(event::RejectRequested{1, first, "a", "", "me", "no"});
    CHECK(world.run_state(first) == RunState::rejected);
    CHECK(world.run_state(second) == RunState::rejected);
  }
}

TEST_CASE("drop: a span whose elements were all done stays out after a restart", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.land("2");
  world.wait(1000);
  world.end(world.find_started("read/1"), Outcome::ok);
  world.end(world.find_started("gate/1"), Outcome::ok);  // span 1 is accepted, span 2 still reads
  CHECK(world.span_state("fan", "s", "1") == SpanState::accepted);
  world.drop("1");
  if (GENERATE(false, true)) world.restart();
  world.run_all();
  CHECK(world.run_state(1) == RunState::succeeded);
  CHECK(world.collected(1) == 1);
}

TEST_CASE("drop: an element that was running is not begun again by a restart", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan_head + on_arrival +
              "[step.read]\nforeach = \"source.s\"\noperator = \"single\"\nin.in = \"each\"\n");
  world.arrive("fan", "s", "1", "content");
  world.wait(1000);
  world.turn(event::SpanRequested{1, "fan", "s", "1", "me", "wrong", false});
  world.restart();
  CHECK(world.started.empty());
  CHECK(world.state(1, "read", "1") == StepState::skipped);
  CHECK(world.run_state(1) == RunState::succeeded);
}

TEST_CASE("drop: a cancel after it leaves the span's element skipped", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.wait(1000);
  world.drop("1");
  world.turn(event::CancelRequested{1, 1, "me", "enough"});
  world.end(0, Outcome::cancelled);
  CHECK(world.state(1, "read", "1") == StepState::skipped);
}

TEST_CASE("drop: a span that took no part in a successful run is still new", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.land("2");
  world.wait(1000);
  world.drop("2");
  world.run_all();
  CHECK(world.run_state(1) == RunState::succeeded);
  CHECK(world.ledger.spans.at({"fan", "s", "1", 1}).succeeded_run == 1);
  CHECK(world.ledger.spans.at({"fan", "s", "2", 1}).succeeded_run == 0);
}

TEST_CASE("reject: holds for a halt that another open run comes to later", "[dag][engine]") {
  Fan world("[run]\nmax_active = 2\n");
  world.land("1");
  world.verdicts["gate/1"] = Outcome::halt;
  const RunNumber first = world.go();
  REQUIRE(world.run_state(first) == RunState::halted);
  RunOptions options;
  options.params["p"] = Value(2);  // another key, the same span version
  const RunNumber second = world.run("fan", options);
  REQUIRE(world.started.size() == 1);
  world.turn(event::RejectRequested{1, first, "gate", "1", "me", "broken file"});
  world.run_all();
  CHECK(world.run_state(second) == RunState::rejected);
}

TEST_CASE("supersede: a run that halts after its span was replaced is superseded", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.wait(1000);
  world.end(0, Outcome::ok);  // read/1; gate/1 runs
  world.land("1", " corrected");
  world.wait(1000);  // run 2 waits behind run 1
  REQUIRE(world.run_state(2) == RunState::queued);
  world.end(0, Outcome::halt);
  world.run_all();
  CHECK(world.run_state(1) == RunState::cancelled);
  CHECK(world.ledger.runs.at(1).end_reason.code == "superseded");
  CHECK(world.run_state(2) == RunState::succeeded);
}

TEST_CASE("supersede: also by a newer run that is over", "[dag][engine]") {
  Fan world("[run]\nmax_active = 2\n", std::string(fan_steps) + "[step.side]\noperator = \"one\"\n"
            "cache = false\n");
  world.land("1");
  world.wait(1000);
  world.end(world.find_started("read/1"), Outcome::ok);  // gate/1 and side of run 1 run on
  world.land("1", " corrected");
  world.wait(1000);
  REQUIRE(world.run_state(2) == RunState::running);
  world.turn(event::CancelRequested{1, 2, "me", "not now"});
  for (std::size_t i = world.started.size(); i-- > 0;) {
    if (world.started[i].run == 2) world.end(i, Outcome::cancelled);
  }
  REQUIRE(world.run_state(2) == RunState::cancelled);
  world.verdicts["gate/1"] = Outcome::halt;
  world.run_all();
  CHECK(world.run_state(1) == RunState::cancelled);
  CHECK(world.ledger.runs.at(1).end_reason.code == "superseded");
}

TEST_CASE("accept: for a run that is over is on record and holds for later runs", "[dag][engine]") {
  Fan world("", fan_steps + "[step.side]\noperator = \"one\"\n");
  world.land("1");
  world.verdicts["gate/1"] = Outcome::halt;
  world.verdicts["side"] = Outcome::failed;
  const RunNumber run = world.go();
  REQUIRE(world.run_state(run) == RunState::failed);
  world.turn(event::AcceptRequested{1, run, "gate", "1", "me", "a holiday"});
  REQUIRE(!world.replies.back().error);
  CHECK(world.state(run, "gate", "1") == StepState::halted);
  REQUIRE(!world.ledger.decisions.empty());
  CHECK(world.ledger.decisions.back().kind == "accept");
  world.verdicts.clear();
  const RunNumber later = world.run("fan");
  world.run_all();
  CHECK(world.run_state(later) == RunState::succeeded);
}

TEST_CASE("accept: a halt under an accepted key ends succeeded", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.verdicts["gate/1"] = Outcome::halt;
  const RunNumber first = world.go();
  world.turn(event::AcceptRequested{1, first, "gate", "1", "me", "fine"});
  world.run_all();
  RunOptions options;
  options.force = {"gate"};
  const RunNumber second = world.run("fan", options);
  world.run_all();
  CHECK(world.state(second, "gate", "1") == StepState::succeeded);
  CHECK(world.run_state(second) == RunState::succeeded);
}

TEST_CASE("accept: a step without a key goes on in its own run", "[dag][engine]") {
  EngineWorld world;
  world.apply(chain + "[step.clean]\noperator = \"one\"\nafter = [\"b\"]\nrun_on = \"always\"\n");
  world.verdicts["clean"] = Outcome::halt;
  const RunNumber run = world.run("chain");
  world.run_all();
  REQUIRE(world.run_state(run) == RunState::halted);
  world.turn(event::AcceptRequested{1, run, "clean", "", "me", "known"});
  REQUIRE(!world.replies.back().error);
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("triggers: arrivals that wait follow the triggers of the newest version", "[dag][engine]") {
  EngineWorld world;
  const std::string steps =
      "[step.read]\nforeach = \"source.s\"\noperator = \"single\"\nin.in = \"each\"\n";
  const std::string other = "[source.r]\npath = \"r.csv\"\n[[trigger]]\narrival = [\"r\"]\n";
  world.apply(fan_head + other + on_arrival + steps);
  world.arrive("fan", "s", "1", "content");
  world.apply(fan_head + on_arrival + steps);  // what was trigger 1 is trigger 0 now
  world.wait(60'000);
  world.run_all();
  CHECK(world.ledger.runs.size() == 1);
  CHECK(world.ledger.arrivals.at(1).run == 1);
}

TEST_CASE("triggers: an arrival starts one run, whatever waits for it", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan_head + on_arrival + "[[trigger]]\narrival = [\"s\"]\ncoalesce = \"5s\"\n" +
              "[step.read]\nforeach = \"source.s\"\noperator = \"single\"\nin.in = \"each\"\n");
  world.arrive("fan", "s", "1", "content");
  world.wait(1000);
  world.wait(10'000);
  CHECK(world.ledger.runs.size() == 1);
}

TEST_CASE("triggers: all_of waits for one arrival of each source", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan_head + "[source.r]\npath = \"r.csv\"\n[[trigger]]\narrival = [\"s\", \"r\"]\n"
                         "all_of = true\ncoalesce = \"1s\"\n"
                         "[step.read]\nforeach = \"source.s\"\noperator = \"single\"\n"
                         "in.in = \"each\"\n");
  world.arrive("fan", "s", "1", "content");
  world.wait(10'000);
  CHECK(world.ledger.runs.empty());
  if (GENERATE(false, true)) world.restart();
  world.arrive("fan", "r", "all", "reference");
  world.wait(1000);
  CHECK(world.ledger.runs.size() == 1);
  CHECK(world.ledger.arrivals.at(1).run == 1);
  CHECK(world.ledger.arrivals.at(2).run == 1);
}

TEST_CASE("previous: a step below a collection is waited for, not passed over", "[dag][engine]") {
  const std::string steps = fan_steps + R"(
[step.score]
foreach = "gate"
operator = "many"
in.in = "gate.out"
in.whole = "all"
[step.trend]
foreach = "gate"
operator = "many"
in.in = "gate.out"
in.before = { of = "score", span = -1, optional = true }
)";
  EngineWorld world;
  OperatorInfo many = fake_operator(
      "many", {port("in", "files/1", true), port("whole", "files/1", false, true),
               port("before", "files/1", false, true)}, {port("out")}, {"p"});
  world.operators["many"] = many;
  world.apply(fan_head + on_arrival + steps);
  world.arrive("fan", "s", "1", "one");
  world.arrive("fan", "s", "2", "two");
  world.wait(1000);
  world.run_all();
  REQUIRE(world.run_state(1) == RunState::succeeded);
  const auto& inputs = world.ledger.results.at(world.step(1, "trend", "2").result).inputs;
  CHECK(std::any_of(inputs.begin(), inputs.end(),
                    [](const Binding& b) { return b.port == "before"; }));
}

TEST_CASE("after: between steps over one source holds element by element", "[dag][engine]") {
  Fan world("", "[step.read]\nforeach = \"source.s\"\noperator = \"single\"\nin.in = \"each\"\n"
                "[step.note]\nforeach = \"source.s\"\noperator = \"single\"\nin.in = \"each\"\n"
                "params.p = 9\nafter = [\"read\"]\n");
  world.land("1");
  world.land("2");
  world.wait(1000);
  world.end(world.find_started("read/1"), Outcome::ok);
  CHECK(world.state(1, "note", "1") == StepState::running);
  CHECK(world.state(1, "note", "2") == StepState::waiting);
}

TEST_CASE("after: a skipped step satisfies it", "[dag][engine]") {
  EngineWorld world;
  world.apply(fan_head + fan_steps + "[step.end]\noperator = \"one\"\nafter = [\"all\"]\n");
  const RunNumber run = world.run("fan");
  world.run_all();
  CHECK(world.state(run, "all") == StepState::skipped);
  CHECK(world.state(run, "end") == StepState::succeeded);
}

TEST_CASE("failure: counts for every run in which the step is defined alike", "[dag][engine]") {
  Fan world;
  world.land("1");
  world.land("2");
  world.verdicts["read/2"] = Outcome::failed;
  RunOptions options;
  options.params["p"] = Value(2);  // gate is defined otherwise, read is not
  world.wait(0);
  const RunNumber first = world.run("fan", options);
  world.run_all();
  REQUIRE(world.run_state(first) == RunState::failed);
  CHECK(world.span_state("fan", "s", "2") == SpanState::failed);
  const RunNumber second = world.go();
  CHECK(world.run_state(second) == RunState::succeeded);
  CHECK(world.collected(second) == 1);
}

TEST_CASE("timeout: a worker whose host goes with it has timed out", "[dag][engine]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\ntimeout = \"10s\"\n");
  const RunNumber run = world.run("x");
  world.wait(10'000);
  const std::string id = world.started.at(0).attempt;
  world.turn(event::AttemptLost{id, "its host was killed"});
  CHECK(world.run_state(run) == RunState::failed);
  CHECK(world.step(run, "a").reason.sentence == "timed out after 10 s");
  CHECK(world.step(run, "a").tries == 1);
}

TEST_CASE("foreach: a range and the last spans choose elements", "[dag][engine]") {
  const std::string each = "operator = \"single\"\nin.in = \"each\"\n";
  Fan world("", "[step.a]\nforeach = { of = \"source.s\", spans = \"last 2\" }\n" + each +
                "[step.b]\nforeach = { of = \"source.s\", spans = \"2..3\" }\n" + each +
                "[step.all]\noperator = \"many\"\nin.in = { of = \"b\", spans = \"3..9\" }\n");
  for (const char* span : {"1", "2", "3", "4"}) world.land(span);
  const RunNumber run = world.go();
  CHECK(world.run_state(run) == RunState::succeeded);
  CHECK(world.state(run, "a", "2") == StepState::waiting);  // no such element
  CHECK(is_done(world.state(run, "a", "4")));
  CHECK(is_done(world.state(run, "b", "2")));
  CHECK(world.state(run, "b", "4") == StepState::waiting);
  CHECK(world.collected(run) == 1);
}

TEST_CASE("run_on: a step after failures reads whatever is there", "[dag][engine]") {
  EngineWorld world;
  world.operators["many"] = fake_operator(
      "many", {port("in", "files/1", true), port("rules", "files/1", false, true)}, {port("out")});
  world.apply(fan_head + on_arrival + R"(
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
[step.tell]
operator = "many"
in.in = "read"
in.rules = { file = "rules.txt" }
run_on = "always"
)", {{"rules.txt", "be brief"}});
  for (const char* span : {"1", "2", "3"}) world.arrive("fan", "s", span, span);
  world.verdicts["read/2"] = Outcome::failed;
  world.wait(1000);
  world.run_all();
  CHECK(world.run_state(1) == RunState::failed);
  const auto& inputs = world.ledger.results.at(world.step(1, "tell").result).inputs;
  REQUIRE(inputs.size() == 3);  // read/1, read/3 and the rules
  CHECK(inputs[2].port == "rules");
}

TEST_CASE("cancel: a step that halts meanwhile leaves no run at rest that asks somebody",
          "[dag][engine]") {
  EngineWorld world;
  world.apply(R"(
name = "shop"
[step.a]
operator = "one"
[step.b]
operator = "one"
in.in = "a"
[step.mourn]
operator = "one"
run_on = "failure"
in.in = "b"
)");
  const RunNumber run = world.run("shop");
  world.turn(event::CancelRequested{9, run, "mia", "no time"});
  world.end(0, Outcome::halt);
  CHECK(world.run_state(run) == RunState::cancelled);
  CHECK(world.state(run, "a") == StepState::cancelled);
  CHECK(world.step(run, "a").reason.sentence == "cancelled by mia: no time");
  CHECK(world.ledger.alerts.empty());
  // What it found is on record, and halts the next run at once.
  const RunNumber next = world.run("shop");
  CHECK(world.run_state(next) == RunState::halted);
}

TEST_CASE("cancel: a review of what follows is not asked for", "[dag][engine]") {
  EngineWorld world;
  world.apply(R"(
name = "shop"
[step.a]
operator = "one"
[step.tidy]
operator = "one"
run_on = "always"
review = true
in.in = "a"
)");
  const RunNumber run = world.run("shop");
  world.turn(event::CancelRequested{9, run, "mia", "no time"});
  world.end(0, Outcome::cancelled);
  CHECK(world.run_state(run) == RunState::cancelled);
  CHECK(world.state(run, "tidy") == StepState::cancelled);
  CHECK(world.step(run, "tidy").reason.sentence == "cancelled by mia: no time");
}
