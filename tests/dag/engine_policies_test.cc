// Holds, pauses, reviews and arrivals at a gate; conditions of run_on steps; wide collections.
#include <ctime>

#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

constexpr TimeMs hour = 3'600'000;

constexpr const char* chain =
    "name = \"x\"\n[step.a]\noperator = \"one\"\n[step.b]\noperator = \"one\"\nin.in = \"a\"\n";

event::HoldRequested hold_of(const std::string& pipeline, RunNumber run, const std::string& step) {
  event::HoldRequested hold;
  hold.request = 7;
  hold.pipeline = pipeline;
  hold.run = run;
  hold.step = step;
  hold.who = "alice";
  hold.why = "the disk is being changed";
  return hold;
}

void approve(EngineWorld& world, RunNumber run, const std::string& step, const std::string& who,
             std::vector<std::string> groups = {}) {
  world.replies.clear();
  world.turn(event::ApproveRequested{1, run, step, "", who, "fine", std::move(groups)});
}

std::size_t alerts_with(const EngineWorld& world, const std::string& part) {
  std::size_t count = 0;
  for (const auto& [id, row] : world.ledger.alerts) {
    count += row.sentence.find(part) != std::string::npos ? 1 : 0;
  }
  return count;
}

constexpr const char* gated_source =
    "name = \"x\"\n[source.s]\npath = \"in/{SPAN}.csv\"\n"
    "review = { who = [\"alice\"], expires = \"3d\", remind = \"1d\" }\n"
    "[[trigger]]\narrival = [\"s\"]\ncoalesce = \"0s\"\n"
    "[step.read]\nforeach = \"source.s\"\noperator = \"single\"\nin.in = \"each\"\n";

void answer_arrival(EngineWorld& world, const std::string& span, bool approved,
                    const std::string& who = "alice") {
  world.replies.clear();
  world.turn(event::SpanReviewed{1, "x", "s", span, who, "looked at it", approved});
}

}  // namespace

TEST_CASE("hold: a held step does not start, what runs goes on", "[dag][policies]") {
  EngineWorld world;
  world.apply(chain);
  const RunNumber run = world.run("x");
  world.turn(hold_of("", run, "b"));
  REQUIRE(world.replies.back().sentence.find("is held until somebody releases it") !=
          std::string::npos);
  world.run_all();
  CHECK(world.state(run, "a") == StepState::succeeded);
  CHECK(world.run_state(run) == RunState::running);
  world.restart();
  CHECK(world.started.empty());
  event::HoldRequested release = hold_of("", run, "b");
  release.release = true;
  world.turn(release);
  REQUIRE(world.started.size() == 1);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  world.turn(release);
  CHECK(world.replies.back().error);
}

TEST_CASE("hold: of a whole pipeline it takes waiting work out of the queue", "[dag][policies]") {
  EngineWorld world;
  world.capacity.cpus = 1;
  world.turn(event::CapacityChanged{world.capacity});
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\n[step.c]\noperator = \"one\"\n"
              "params.p = 2\n");
  const RunNumber run = world.run("x");
  REQUIRE(world.started.size() == 1);
  world.turn(hold_of("x", 0, ""));
  world.end(0, Outcome::ok);
  CHECK(world.started.empty());
  CHECK(world.run_state(run) == RunState::running);
  event::HoldRequested release = hold_of("x", 0, "");
  release.release = true;
  world.turn(release);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("hold: it ends by its time, also after a restart", "[dag][policies]") {
  EngineWorld world;
  world.apply(chain);
  event::HoldRequested hold = hold_of("x", 0, "a");
  hold.until = world.now.wall_ms + hour;
  world.turn(hold);
  const RunNumber run = world.run("x");
  CHECK(world.started.empty());
  world.wait(hour - 1000);
  world.restart();
  CHECK(world.started.empty());
  world.wait(1000);
  CHECK(world.started.size() == 1);
  REQUIRE(world.ledger.holds.size() == 1);
  CHECK_FALSE(world.ledger.holds.begin()->second.active);
  CHECK(world.ledger.holds.begin()->second.ended_by == "time");
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("hold: a clock that is set back does not end it early", "[dag][policies]") {
  EngineWorld world;
  world.apply(chain);
  event::HoldRequested hold = hold_of("x", 0, "a");
  hold.until = world.now.wall_ms + hour;
  world.turn(hold);
  world.run("x");
  world.now.wall_ms -= hour;
  world.wait(hour);
  CHECK(world.started.empty());
  world.wait(hour);
  CHECK(world.started.size() == 1);
}

TEST_CASE("hold: what is wrong with a wish is said", "[dag][policies]") {
  EngineWorld world;
  world.apply(chain);
  world.turn(hold_of("nobody", 0, ""));
  CHECK(world.replies.back().error->code == ErrorCode::not_found);
  world.turn(hold_of("x", 0, "nothing"));
  CHECK(world.replies.back().error->code == ErrorCode::not_found);
  world.turn(hold_of("", 99, ""));
  CHECK(world.replies.back().error->code == ErrorCode::not_found);
  event::HoldRequested late = hold_of("x", 0, "");
  late.until = world.now.wall_ms - 1;
  world.turn(late);
  CHECK(world.replies.back().error->code == ErrorCode::invalid);
  CHECK(world.ledger.holds.empty());
}

TEST_CASE("hold: a cancelled run cleans up though it is held", "[dag][policies]") {
  EngineWorld world;
  world.apply(std::string(chain) +
              "[step.clean]\noperator = \"one\"\nafter = [\"b\"]\nrun_on = \"always\"\n");
  const RunNumber run = world.run("x");
  world.turn(hold_of("", run, ""));
  world.turn(event::CancelRequested{0, run, "alice", ""});
  REQUIRE(world.killed.size() == 1);
  world.end(0, Outcome::cancelled);
  REQUIRE(world.started.size() == 1);
  CHECK(world.started.front().step == "clean");
  world.run_all();
  CHECK(world.run_state(run) == RunState::cancelled);
  CHECK(world.engine->live_attempts() == 0);
  CHECK_FALSE(world.ledger.holds.begin()->second.active);
}

TEST_CASE("pause: alone it starts no runs, with --hold-steps no further step either",
          "[dag][policies]") {
  EngineWorld world;
  world.apply(chain);
  const RunNumber run = world.run("x");
  event::PauseRequested pause{1, "x", "alice"};
  world.turn(pause);
  world.end(0, Outcome::ok);
  REQUIRE(world.started.size() == 1);  // b: a plain pause lets runs go on
  pause.hold_steps = true;
  world.turn(pause);
  world.end(0, Outcome::failed, true);
  const RunNumber next = world.run("x");
  CHECK(world.started.empty());
  CHECK(world.run_state(run) == RunState::failed);
  pause.paused = false;
  world.turn(pause);
  world.run_all();
  CHECK(world.run_state(next) == RunState::succeeded);
}

TEST_CASE("review: only who is named may answer", "[dag][policies]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\n"
              "review = { who = [\"alice\", \"group:ml\", \"token:ci\"] }\n");
  const RunNumber run = world.run("x");
  approve(world, run, "a", "bob", {"www"});
  REQUIRE(world.replies.back().error);
  CHECK(world.replies.back().error->code == ErrorCode::denied);
  CHECK(world.replies.back().error->message.find("alice, group ml and token:ci") !=
        std::string::npos);
  world.turn(event::RejectRequested{1, run, "a", "", "bob", "no"});
  CHECK(world.replies.back().error->code == ErrorCode::denied);
  CHECK(world.run_state(run) == RunState::in_review);
  approve(world, run, "a", "carol", {"ml"});
  CHECK_FALSE(world.replies.back().error);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("review: not the one who started the run", "[dag][policies]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\nreview = { not_starter = true }\n");
  const RunNumber run = world.run("x");  // by uid 1000
  approve(world, run, "a", "uid 1000");
  CHECK(world.replies.back().error->code == ErrorCode::denied);
  approve(world, run, "a", "alice");
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("review: answer, author and evidence are on record", "[dag][policies]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\n"
              "[step.b]\noperator = \"single\"\nin.in = \"a\"\nreview = true\n");
  const RunNumber run = world.run("x");
  world.run_all();
  REQUIRE(world.run_state(run) == RunState::in_review);
  const std::string digest =
      world.ledger.results.at(world.step(run, "a").result).outputs.front().artifact.digest.hex();
  const Value evidence = ValueTable{{"in", ValueList{digest}}};
  CHECK(world.ledger.alerts.begin()->second.evidence == evidence);
  approve(world, run, "b", "alice");
  REQUIRE(world.ledger.acceptances.size() == 1);
  const AcceptanceRow& row = world.ledger.acceptances.begin()->second;
  CHECK(row.who == "alice");
  CHECK(row.why == "fine");
  CHECK(row.evidence == evidence);
  CHECK(world.ledger.decisions.back().kind == "approve");
}

TEST_CASE("review: reminders come, each once, and stop with the answer", "[dag][policies]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\nreview = { remind = \"1h\" }\n");
  const RunNumber run = world.run("x");
  world.wait(hour - 1);
  CHECK(alerts_with(world, "still waits") == 0);
  world.wait(1);
  CHECK(alerts_with(world, "still waits") == 1);
  world.restart();
  world.wait(hour - 1);
  CHECK(alerts_with(world, "still waits") == 1);
  world.wait(1);
  CHECK(alerts_with(world, "still waits") == 2);
  approve(world, run, "a", "alice");
  world.run_all();
  world.wait(10 * hour);
  CHECK(alerts_with(world, "still waits") == 2);
}

TEST_CASE("review: a newer run at the same gate ends the older one as superseded", "[dag][policies]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[params]\np = 1\n[run]\nmax_active = 3\n"
              "[step.a]\noperator = \"one\"\nparams.p = \"${p}\"\n"
              "[step.b]\noperator = \"single\"\nin.in = \"a\"\nreview = true\n");
  const RunNumber first = world.run("x");
  world.run_all();
  REQUIRE(world.run_state(first) == RunState::in_review);
  RunOptions other;
  other.params["p"] = 2;
  const RunNumber second = world.run("x", other);
  world.run_all();
  CHECK(world.run_state(second) == RunState::in_review);
  CHECK(world.run_state(first) == RunState::cancelled);
  CHECK(world.ledger.runs.at(first).end_reason.code == "superseded");
  // An older run that comes to the gate late asks nobody any more.
  RunOptions late, newest;
  late.params["p"] = 3;
  newest.params["p"] = 4;
  const RunNumber third = world.run("x", late);
  const RunNumber fourth = world.run("x", newest);
  REQUIRE(world.started.size() == 2);
  world.end(1, Outcome::ok);
  CHECK(world.run_state(fourth) == RunState::in_review);
  world.end(0, Outcome::ok);
  CHECK(world.run_state(third) == RunState::cancelled);
  CHECK(world.run_state(fourth) == RunState::in_review);
}

TEST_CASE("review: a halt beside it is never superseded", "[dag][policies]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[params]\np = 1\n[run]\nmax_active = 3\n"
              "[step.a]\noperator = \"one\"\nparams.p = \"${p}\"\n"
              "[step.b]\noperator = \"single\"\nin.in = \"a\"\nreview = true\n"
              "[step.g]\noperator = \"gate\"\nin.in = \"a\"\n");
  world.verdicts["g"] = Outcome::halt;
  const RunNumber first = world.run("x");
  world.run_all();
  REQUIRE(world.run_state(first) == RunState::halted);
  world.verdicts.clear();
  RunOptions other;
  other.params["p"] = 2;
  const RunNumber second = world.run("x", other);
  world.run_all();
  CHECK(world.run_state(second) == RunState::in_review);
  CHECK(world.run_state(first) == RunState::halted);
  CHECK(world.state(first, "b") == StepState::cancelled);
  CHECK(world.state(first, "g") == StepState::halted);
}

TEST_CASE("review: a rejected gate ends the run as rejected", "[dag][policies]") {
  EngineWorld world;
  world.apply(std::string(chain) + "review = true\n[step.c]\noperator = \"one\"\nin.in = \"b\"\n");
  const RunNumber run = world.run("x");
  world.run_all();
  world.turn(event::RejectRequested{1, run, "b", "", "alice", "too weak"});
  CHECK(world.run_state(run) == RunState::rejected);
  CHECK(world.state(run, "c") == StepState::blocked);
}

TEST_CASE("arrival review: nothing counts before somebody approved it", "[dag][policies]") {
  EngineWorld world;
  world.apply(gated_source);
  world.arrive("x", "s", "1", "first");
  CHECK(world.span_state("x", "s", "1") == SpanState::in_review);
  CHECK(world.ledger.runs.empty());
  CHECK(alerts_with(world, "waits for review: pipectl approve x s/1") == 1);
  world.restart();
  CHECK(world.ledger.runs.empty());
  answer_arrival(world, "1", true, "bob");
  CHECK(world.replies.back().error->code == ErrorCode::denied);
  answer_arrival(world, "1", true);
  REQUIRE_FALSE(world.replies.back().error);
  REQUIRE(world.ledger.runs.size() == 1);
  world.run_all();
  CHECK(world.run_state(1) == RunState::succeeded);
  CHECK(world.span_state("x", "s", "1") == SpanState::accepted);
  answer_arrival(world, "1", false);
  CHECK(world.replies.back().error->code == ErrorCode::conflict);
}

TEST_CASE("arrival review: a rejected version leaves the one before in force", "[dag][policies]") {
  EngineWorld world;
  world.apply(gated_source);
  world.arrive("x", "s", "1", "first");
  answer_arrival(world, "1", true);
  world.run_all();
  world.arrive("x", "s", "1", "second");
  answer_arrival(world, "1", false);
  CHECK(world.span_state("x", "s", "1", 2) == SpanState::rejected);
  CHECK(world.ledger.runs.size() == 1);
  const RunNumber run = world.run("x");
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
  REQUIRE(world.ledger.runs.at(run).spans.size() == 1);
  CHECK(world.ledger.runs.at(run).spans.front().version == 1);
  world.restart();
  CHECK(world.ledger.runs.size() == 2);
}

TEST_CASE("arrival review: it reminds, expires to rejected, and a newer version takes its place",
          "[dag][policies]") {
  EngineWorld world;
  world.apply(gated_source);
  world.arrive("x", "s", "1", "first");
  world.arrive("x", "s", "1", "second");
  CHECK(world.span_state("x", "s", "1", 1) == SpanState::dropped);
  CHECK(world.span_state("x", "s", "1", 2) == SpanState::in_review);
  world.wait(24 * hour);
  CHECK(alerts_with(world, "still waits") == 1);
  world.wait(24 * hour);
  CHECK(alerts_with(world, "still waits") == 2);
  world.wait(24 * hour);
  CHECK(world.span_state("x", "s", "1", 2) == SpanState::rejected);
  CHECK(world.ledger.runs.empty());
}

TEST_CASE("arrival review: a run that was there before does not see what is approved later",
          "[dag][policies]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[run]\nmax_active = 2\n[source.s]\npath = \"s.csv\"\nreview = true\n"
              "[step.a]\noperator = \"one\"\ncache = false\n"
              "[step.b]\noperator = \"data.sql\"\nin.a = \"a\"\nin.reference = { source = \"s\" }\n"
              "params.query = \"\"\n");
  const std::string span = "s";
  world.arrive("x", "s", span, "first");
  answer_arrival(world, span, true);
  world.arrive("x", "s", span, "second");
  const RunNumber run = world.run("x");
  answer_arrival(world, span, true);
  world.end(0, Outcome::ok);
  REQUIRE(world.started.size() == 1);
  bool old_one = false;
  for (const PortInputs& port : world.started.front().inputs) {
    old_one = old_one || (port.port == "reference" &&
                          port.artifacts.front().digest == EngineWorld::artifact("first").digest);
  }
  CHECK(old_one);
  world.run_all();
  CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("when: it is asked of run_on steps too", "[dag][policies]") {
  EngineWorld world;
  world.apply("name = \"x\"\n[step.a]\noperator = \"one\"\n"
              "[step.tell]\noperator = \"one\"\nafter = [\"a\"]\nrun_on = \"always\"\n"
              "when = \"a.loss > 1\"\n");
  const auto end_with = [&](double loss) {
    event::AttemptEnded ended = EngineWorld::answer(world.started.front(), Outcome::ok);
    world.started.clear();
    ended.metrics.push_back({"loss", "", loss});
    world.turn(ended);
  };
  const RunNumber quiet = world.run("x");
  end_with(0.5);
  CHECK(world.started.empty());
  CHECK(world.state(quiet, "tell") == StepState::skipped);
  CHECK(world.step(quiet, "tell").reason.code == "condition_false");
  RunOptions again;
  again.force = {"a"};
  const RunNumber loud = world.run("x", again);
  end_with(2);
  REQUIRE(world.started.size() == 1);
  CHECK(world.started.front().step == "tell");
  world.run_all();
  CHECK(world.run_state(loud) == RunState::succeeded);
}

namespace {

// Processor seconds for n elements, two collections of them and a step after them all.
double wide_seconds(int n) {
  EngineWorld world;
  world.capacity.cpus = 32;
  world.turn(event::CapacityChanged{world.capacity});
  world.apply("name = \"w\"\n[source.s]\npath = \"in/{SPAN}.csv\"\n"
              "[step.a]\nforeach = \"source.s\"\noperator = \"single\"\nin.in = \"each\"\n"
              "[step.b]\nforeach = \"a\"\noperator = \"single\"\nin.in = \"a\"\n"
              "[step.aside]\nforeach = \"a\"\noperator = \"one\"\nafter = [\"b\"]\n"
              "[step.both]\noperator = \"data.sql\"\nin.a = \"a\"\nin.b = \"b\"\nparams.query = \"\"\n"
              "[step.last]\noperator = \"one\"\nafter = [\"b\", \"both\", \"a\"]\n");
  for (int i = 0; i < n; ++i) world.arrive("w", "s", std::to_string(i), std::to_string(i));
  const std::clock_t begin = std::clock();
  const RunNumber run = world.run("w");
  while (!world.started.empty()) {
    // From the last element to the first: the worst order for whoever collects.
    const std::vector<effect::StartAttempt> now = std::exchange(world.started, {});
    for (auto start = now.rbegin(); start != now.rend(); ++start) {
      world.turn(EngineWorld::answer(*start, Outcome::ok));
    }
  }
  const double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
  REQUIRE(world.run_state(run) == RunState::succeeded);
  return seconds;
}

}  // namespace

TEST_CASE("wide: ten times the elements cost about ten times as much", "[dag][policies]") {
  const double small = wide_seconds(1'000), large = wide_seconds(10'000);
  CAPTURE(small, large);
  CHECK(large < 40 * small);
}
