// Spans worked through again, results declared bad, requests of steps.
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

const std::string head = R"(
name = "fan"
[params]
p = 1
[source.s]
path = "in/{YYYY}-{MM}.csv"
)";
const std::string steps = R"(
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
[step.model]
operator = "one"
in.in = "all"
)";
const std::string with_previous = R"(
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
[step.trend]
foreach = "read"
operator = "many"
in.in = "read"
in.before = { of = "read", span = -1, optional = true }
)";

struct Fan : EngineWorld {
  explicit Fan(const std::string& text = head + steps) {
    operators["many"] = fake_operator(
        "many", {port("in", "files/1", true), port("before", "files/1", false, true)}, {port("out")},
        {"p"});
    apply(text);
  }
  void land(int first, int last, const std::string& content = "") {
    for (int month = first; month <= last; ++month) {
      const std::string span = "2013-0" + std::to_string(month);
      arrive("fan", "s", span, "content " + span + content);
    }
  }
  static BackfillRow wish(const std::string& asked, const std::string& reprocess = "none") {
    BackfillRow row;
    row.pipeline = "fan", row.asked = asked, row.reprocess = reprocess, row.who = "me";
    return row;
  }
  std::optional<Error> ask(BackfillRow row) {
    turn(event::BackfillRequested{++last_request, std::move(row)});
    return replies.back().error;
  }
  std::vector<std::string> words(const BackfillRow& row) {
    const auto plan = engine->plan_backfill(row, now);
    if (!plan) return {plan.error().message};
    std::vector<std::string> told;
    for (const PlannedSpan& span : *plan) {
      told.push_back(span.span + (span.runs ? " runs: " : " stays: ") + span.why + " " +
                     std::to_string(span.steps_to_run) + "/" + std::to_string(span.steps_to_reuse));
    }
    return told;
  }
  const BackfillRow& backfill(std::int64_t id = 1) { return ledger.backfills.at(id); }
};

using Words = std::vector<std::string>;

}  // namespace

TEST_CASE("backfill: one run a span, oldest first, one at a time, steps of the span alone",
          "[dag][engine][backfill]") {
  Fan world;
  world.land(1, 4);
  REQUIRE_FALSE(world.ask(Fan::wish("2013-01..2013-03")));
  CHECK(world.replies.back().sentence == "backfill 1 of fan: 3 spans");
  CHECK(world.ledger.runs.size() == 1);
  CHECK(world.ledger.runs.at(1).reason.sentence == "backfill 1, 2013-01 (1 of 3)");
  world.run_all();
  REQUIRE(world.ledger.runs.size() == 3);
  for (RunNumber run = 1; run <= 3; ++run) {
    CHECK(world.run_state(run) == RunState::succeeded);
    CHECK(world.state(run, "gate", "2013-0" + std::to_string(run)) == StepState::succeeded);
    CHECK(world.state(run, "all") == StepState::skipped);  // a collection of one span is nobody's
    CHECK_FALSE(world.ledger.steps.contains({run, "gate", "2013-04"}));
  }
  CHECK(world.span_state("fan", "s", "2013-02") == SpanState::accepted);
  CHECK(world.span_state("fan", "s", "2013-04") == SpanState::open);
  CHECK(world.backfill().state == "done");
  // A full run reuses all of it.
  const RunNumber full = world.run("fan");
  world.run_all();
  CHECK(world.state(full, "gate", "2013-01") == StepState::cached);
  CHECK(world.state(full, "gate", "2013-04") == StepState::succeeded);
  CHECK(world.ledger.results.at(world.step(full, "all").result).inputs.size() == 4);
}

TEST_CASE("backfill: its plan says what would run and why", "[dag][engine][backfill]") {
  Fan world;
  world.land(1, 3);
  world.verdicts["gate/2013-02"] = Outcome::failed;
  world.run("fan");
  world.run_all();
  world.verdicts.clear();
  world.land(4, 4);
  CHECK(world.words(Fan::wish("2013-01..2013-04")) ==
        Words{"2013-01 stays: accepted in run 1, left as it is (reprocess none) 0/0",
              "2013-02 stays: failed at gate in run 1, left as it is (reprocess none) 0/0",
              "2013-03 stays: accepted in run 1, left as it is (reprocess none) 0/0",
              "2013-04 runs: no run has accepted it yet 2/0"});
  CHECK(world.words(Fan::wish("2013-01..2013-02", "failed")) ==
        Words{"2013-01 stays: accepted in run 1, left as it is (reprocess failed) 0/0",
              "2013-02 runs: failed at gate in run 1, worked on again (reprocess failed) 1/1"});
  BackfillRow newest = Fan::wish("2013-01..2013-03", "all");
  newest.order = "newest";
  CHECK(world.words(newest) ==
        Words{"2013-03 runs: accepted in run 1, worked on again (reprocess all) 0/2",
              "2013-02 runs: failed at gate in run 1, worked on again (reprocess all) 1/1",
              "2013-01 runs: accepted in run 1, worked on again (reprocess all) 0/2"});
  CHECK(world.ledger.runs.size() == 1);  // it was only asked
  CHECK(world.ledger.backfills.empty());
  REQUIRE(world.ask(Fan::wish("2013-01")));
  CHECK_THAT(world.replies.back().error->message,
             Catch::Contains("nothing is to be done for 2013-01 of s: 2013-01 is accepted in run 1"));
}

TEST_CASE("backfill: failed spans open again, dropped ones stay out", "[dag][engine][backfill]") {
  Fan world;
  world.land(1, 2);
  world.verdicts = {{"gate/2013-01", Outcome::failed}};
  world.run("fan");
  world.run_all();
  world.verdicts.clear();
  world.turn(event::SpanRequested{1, "fan", "s", "2013-02", "me", "test data", false});
  REQUIRE_FALSE(world.ask(Fan::wish("all", "all")));
  world.run_all();
  CHECK(world.span_state("fan", "s", "2013-01") == SpanState::accepted);
  CHECK(world.span_state("fan", "s", "2013-02") == SpanState::dropped);
  CHECK(world.ledger.runs.size() == 2);
}

TEST_CASE("backfill: spans that are done are reused, and run anew where the file has changed",
          "[dag][engine][backfill]") {
  Fan world;
  world.land(1, 2);
  world.run("fan");
  world.run_all();
  REQUIRE_FALSE(world.ask(Fan::wish("all", "all")));
  CHECK(world.started.empty());
  CHECK(world.state(2, "gate", "2013-01") == StepState::cached);
  CHECK(world.backfill().state == "done");
  std::string changed = head + steps;
  changed.replace(changed.find("p = 1"), 5, "p = 2");
  world.apply(changed);
  REQUIRE_FALSE(world.ask(Fan::wish("all", "all")));
  world.run_all();
  CHECK(world.state(4, "read", "2013-01") == StepState::cached);
  CHECK(world.state(4, "gate", "2013-01") == StepState::succeeded);
}

TEST_CASE("backfill: chunks and several runs at the same time, fresh work first",
          "[dag][engine][backfill]") {
  Fan world;
  world.turn(event::CapacityChanged{{1, 0, 0}});
  world.land(1, 5);
  BackfillRow wish = Fan::wish("all");
  wish.chunk = 2;
  wish.max_active = 2;
  wish.order = "newest";
  REQUIRE_FALSE(world.ask(wish));
  REQUIRE(world.ledger.runs.size() == 2);
  CHECK(world.ledger.runs.at(1).options.spans == Words{"2013-05", "2013-04"});
  CHECK(world.ledger.runs.at(2).options.spans == Words{"2013-03", "2013-02"});
  // A run of the pipeline does not wait for the backfill, and its steps come before it.
  world.land(6, 6);
  const RunNumber fresh = world.run("fan");
  CHECK(world.run_state(fresh) == RunState::running);
  world.end(0, Outcome::ok);  // what had begun
  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].run == fresh);
  world.run_all();
  CHECK(world.run_state(fresh) == RunState::succeeded);
  CHECK(world.backfill().state == "done");
  CHECK(world.ledger.runs.size() == 4);
}

TEST_CASE("backfill: it goes on after a restart where it was", "[dag][engine][backfill]") {
  Fan world;
  world.land(1, 3);
  REQUIRE_FALSE(world.ask(Fan::wish("all")));
  world.end(0, Outcome::ok);
  world.restart();
  world.run_all();
  world.restart();
  CHECK(world.ledger.runs.size() == 3);
  CHECK(world.backfill().state == "done");
  for (RunNumber run = 1; run <= 3; ++run) CHECK(world.run_state(run) == RunState::succeeded);
}

TEST_CASE("backfill: cancelled, it starts nothing more and ends what runs",
          "[dag][engine][backfill]") {
  Fan world;
  world.land(1, 3);
  REQUIRE_FALSE(world.ask(Fan::wish("all")));
  world.turn(event::BackfillCancelRequested{9, 1, "me", "wrong range"});
  CHECK(world.replies.back().sentence == "backfill 1 is cancelled after 1 of 3 spans");
  world.end(0, Outcome::cancelled);
  CHECK(world.run_state(1) == RunState::cancelled);
  CHECK(world.ledger.runs.at(1).end_reason.code == "backfill_cancelled");
  CHECK(world.ledger.runs.size() == 1);
  CHECK(world.backfill().state == "cancelled");
  world.turn(event::BackfillCancelRequested{9, 1, "me", ""});
  CHECK(world.replies.back().error);
  world.restart();
  CHECK(world.ledger.runs.size() == 1);
}

TEST_CASE("backfill: a pause holds it up", "[dag][engine][backfill]") {
  Fan world;
  world.land(1, 2);
  REQUIRE_FALSE(world.ask(Fan::wish("all")));
  world.turn(event::PauseRequested{1, "fan", "me", true});
  world.run_all();
  CHECK(world.ledger.runs.size() == 1);
  world.turn(event::PauseRequested{2, "fan", "me", false});
  world.run_all();
  CHECK(world.ledger.runs.size() == 2);
  CHECK(world.backfill().state == "done");
}

TEST_CASE("backfill: steps that look back see their spans in order", "[dag][engine][backfill]") {
  Fan world(head + with_previous);
  world.land(1, 3);
  BackfillRow wish = Fan::wish("all");
  wish.max_active = 2;
  REQUIRE(world.ask(wish));
  CHECK_THAT(world.replies.back().error->message,
             Catch::Contains("step trend reads what came of the spans before"));
  REQUIRE_FALSE(world.ask(Fan::wish("all")));
  world.run_all();
  const auto before = [&](RunNumber run, const std::string& span) -> Digest {
    for (const Binding& in : world.ledger.results.at(world.step(run, "trend", span).result).inputs) {
      if (in.port == "before") return in.artifact.digest;
    }
    return {};
  };
  CHECK(before(1, "2013-01") == Digest{});
  const auto output = [&](RunNumber run, const std::string& span) {
    return world.ledger.results.at(world.step(run, "read", span).result).outputs[0].artifact.digest;
  };
  CHECK(before(2, "2013-02") == output(1, "2013-01"));
  CHECK(before(3, "2013-03") == output(2, "2013-02"));
}

TEST_CASE("backfill: what is wrong with a wish is said", "[dag][engine][backfill]") {
  Fan world;
  world.land(1, 1);
  const auto refusal = [&](BackfillRow wish) {
    REQUIRE(world.ask(wish));
    return world.replies.back().error->message;
  };
  CHECK_THAT(refusal(Fan::wish("May")), Catch::Contains("'May' names no spans"));
  CHECK_THAT(refusal(Fan::wish("all", "some")), Catch::Contains("none, failed or all, not 'some'"));
  BackfillRow wish = Fan::wish("all");
  wish.pipeline = "other";
  CHECK_THAT(refusal(wish), Catch::Contains("no pipeline other"));
  wish = Fan::wish("all");
  wish.source = "t";
  CHECK_THAT(refusal(wish), Catch::Contains("no source t"));
  wish = Fan::wish("all");
  wish.options.select = "al";
  CHECK_THAT(refusal(wish), Catch::Contains("did you mean 'all'?"));
  wish = Fan::wish("all");
  wish.max_active = 0;
  CHECK_THAT(refusal(wish), Catch::Contains("at least one"));
  CHECK_THAT(refusal(Fan::wish("2015-01..2015-02")), Catch::Contains("no such span has arrived"));
}

TEST_CASE("invalidate: a bad result is made anew, what it was made into is listed",
          "[dag][engine][invalidate]") {
  Fan world;
  world.land(1, 2);
  world.run("fan");
  world.run_all();
  const std::int64_t bad = world.step(1, "read", "2013-01").result;
  event::InvalidateRequested wish{1, {}, "fan", "read", "2013-01", false, "me", "a broken library"};
  const auto listed = world.engine->dependents(wish);
  REQUIRE(listed);
  Words told;
  for (const Dependent& one : *listed) told.push_back(step_path(one.step, one.element));
  CHECK(told == Words{"read/2013-01", "gate/2013-01", "all", "model"});
  CHECK(listed->front().cause == 0);
  CHECK((*listed)[1].cause == bad);
  CHECK(world.ledger.invalidations.empty());

  world.turn(wish);
  CHECK(world.replies.back().sentence ==
        "1 result is declared bad and will not be reused; 3 results hang on it");
  CHECK(world.ledger.decisions.back().kind == "invalidate");
  const RunNumber again = world.run("fan");
  CHECK(world.started.size() == 1);
  world.run_all();
  CHECK(world.step(again, "read", "2013-01").reason.code == "invalidated");
  CHECK(world.step(again, "read", "2013-01").reason.sentence ==
        "its earlier result was declared bad by me: a broken library");
  CHECK(world.state(again, "read", "2013-02") == StepState::cached);
  // It came out the same, so what hangs on it is as good as before.
  CHECK(world.state(again, "gate", "2013-01") == StepState::cached);
  // The new result is reused.
  const RunNumber third = world.run("fan");
  CHECK(world.state(third, "read", "2013-01") == StepState::cached);
  world.restart();
  CHECK(world.run("fan") == 4);
  CHECK(world.started.empty());
}

TEST_CASE("invalidate: with all that was made from it", "[dag][engine][invalidate]") {
  Fan world;
  world.land(1, 2);
  world.run("fan");
  world.run_all();
  const Digest key = *world.step(1, "gate", "2013-01").key;
  world.turn(event::InvalidateRequested{1, key, "", "", "", true, "me", "wrong"});
  CHECK(world.replies.back().sentence ==
        "1 result is declared bad and will not be reused; 2 results hang on it, declared bad too");
  const RunNumber again = world.run("fan");
  CHECK(world.state(again, "read", "2013-01") == StepState::cached);
  world.run_all();
  CHECK(world.state(again, "gate", "2013-01") == StepState::succeeded);
  CHECK(world.state(again, "all") == StepState::succeeded);
  CHECK(world.state(again, "model") == StepState::succeeded);
  CHECK(world.state(again, "gate", "2013-02") == StepState::cached);
  world.turn(event::InvalidateRequested{2, sha256("nobody"), "", "", "", false, "me", "wrong"});
  CHECK(world.replies.back().error->code == ErrorCode::not_found);
}

TEST_CASE("invalidate: a resolver passes over a bad model and asks anew",
          "[dag][engine][invalidate]") {
  Fan world(head + steps + R"(
[step.judge]
operator = "one"
in.in = { latest = "model", optional = true }
)");
  world.land(1, 1);
  world.run("fan");
  world.run_all();
  world.land(2, 2);  // a later horizon: the same one would have the same answer
  const RunNumber second = world.run("fan");
  world.run_all();
  const auto inputs = [&](RunNumber run) {
    return world.ledger.results.at(world.step(run, "judge").result).inputs;
  };
  REQUIRE(inputs(second).size() == 1);  // the model of run 1
  world.turn(event::InvalidateRequested{1, {}, "fan", "model", "", false, "me", "wrong"});
  const RunNumber third = world.run("fan");
  world.run_all();
  // What was recorded is a bad artifact, and no other model had been made when the run was created.
  CHECK(inputs(third).empty());
}

TEST_CASE("requests: only of operators with an effect, and as the step allows",
          "[dag][engine][requests]") {
  EngineWorld world;
  OperatorInfo teller = fake_operator("teller", {}, {port("out")});
  teller.effect = true;
  world.operators["teller"] = teller;
  const std::string text = R"(
name = "loop"
[source.labels]
kind = "feedback"
[[trigger]]
arrival = ["labels"]
coalesce = "1s"
[step.tell]
operator = "teller"
requests = ["raise_alert", "add_span"]
[step.mute]
operator = "teller"
[step.plain]
operator = "one"
requests = ["raise_alert"]
)";
  world.apply(text);
  const RunNumber run = world.run("loop");
  const event::StepRequest alert{"raise_alert", Value(ValueTable{{"severity", Value("warning")},
                                                                  {"sentence", Value("look")}})};
  const auto end_with = [&](const std::string& step, std::vector<event::StepRequest> requests) {
    for (std::size_t i = 0; i < world.started.size(); ++i) {
      if (world.started[i].step != step) continue;
      event::AttemptEnded ended = EngineWorld::answer(world.started[i], Outcome::ok);
      ended.requests = std::move(requests);
      world.started.erase(world.started.begin() + static_cast<std::ptrdiff_t>(i));
      world.turn(ended);
      return world.step(run, step).reason.sentence;
    }
    return std::string("not started");
  };
  CHECK_THAT(end_with("mute", {alert}), Catch::Contains("does not allow it"));
  CHECK_THAT(end_with("plain", {alert}), Catch::Contains("not declared to have an effect"));
  const event::StepRequest span{"add_span", Value(ValueTable{{"source", Value("labels")},
                                                             {"span", Value("2013-01")},
                                                             {"output", Value("out")}})};
  end_with("tell", {alert, span});
  CHECK(world.state(run, "tell") == StepState::succeeded);
  REQUIRE(world.ledger.requests.size() == 2);
  CHECK(world.ledger.requests.begin()->second.sentence == "alert: look");
  CHECK(world.ledger.requests.rbegin()->second.sentence == "span labels/2013-01 was added");
  CHECK(world.span_state("loop", "labels", "2013-01") == SpanState::open);
  CHECK(std::any_of(world.ledger.alerts.begin(), world.ledger.alerts.end(), [](const auto& one) {
    return one.second.sentence == "look" && one.second.severity == "warning";
  }));
  world.wait(1000);  // the span that was added starts a run
  CHECK(world.ledger.runs.size() == 2);
}

TEST_CASE("requests: one that makes no sense fails the step and does nothing",
          "[dag][engine][requests]") {
  EngineWorld world;
  OperatorInfo teller = fake_operator("teller", {}, {port("out", "report/1")});
  teller.effect = true;
  world.operators["teller"] = teller;
  world.apply(R"(
name = "loop"
[source.files]
path = "in/{SPAN}.csv"
[source.labels]
kind = "feedback"
[step.tell]
operator = "teller"
requests = ["raise_alert", "add_span", "fly"]
)");
  const auto refused = [&](const std::string& kind, ValueTable arguments) {
    const RunNumber run = world.run("loop");
    event::AttemptEnded ended = EngineWorld::answer(world.started.front(), Outcome::ok);
    world.started.clear();
    const event::StepRequest good{"raise_alert", Value(ValueTable{{"severity", Value("info")},
                                                                   {"sentence", Value("look")}})};
    ended.requests = {good, {kind, Value(std::move(arguments))}};
    world.turn(ended);
    CHECK(world.state(run, "tell") == StepState::failed);
    return world.step(run, "tell").reason.sentence;
  };
  CHECK(refused("fly", {}) == "asked for fly: there is no such request");
  CHECK_THAT(refused("raise_alert", {{"sentence", Value("x")}}), Catch::Contains("its severity is"));
  CHECK_THAT(refused("add_span", {{"source", Value("nowhere")}}),
             Catch::Contains("has no source 'nowhere'"));
  CHECK_THAT(refused("add_span", {{"source", Value("files")}}), Catch::Contains("kind feedback"));
  CHECK_THAT(refused("add_span", {{"source", Value("labels")}, {"span", Value("May")}}),
             Catch::Contains("'May' is no span"));
  CHECK_THAT(refused("add_span", {{"source", Value("labels")}, {"span", Value("5")},
                                  {"output", Value("in")}}),
             Catch::Contains("it has no output 'in'"));
  CHECK_THAT(refused("add_span", {{"source", Value("labels")}, {"span", Value("5")},
                                  {"output", Value("out")}}),
             Catch::Contains("a delivery is files/1"));
  CHECK(world.ledger.requests.empty());
  CHECK(world.ledger.arrivals.empty());
}
