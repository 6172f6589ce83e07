// Every row comes back as it was put, in the same process and after a new start.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "daemon/store/views.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

RunRow full_run() {
  RunRow run = run_row(7);
  run.state = RunState::halted;
  run.end_reason = {"halted", "validate/2013-12 halted: \"late\" moved", {{"late", "0.1", "0.2"}}};
  run.options.params = {{"depth", 8}, {"rate", 1.0}, {"names", ValueList{"a", "b\n\"c\""}}};
  run.options.force = {"train", "evaluate"};
  run.options.select = "+train";
  run.options.refresh = true;
  run.spans = {{"flights", "2013-01", 1, false, ""},
               {"flights", "2013-02", 2, true, "dropped by anna: \xc3\xa9\x01"}};
  run.started_at = 5;
  run.ended_at = 6;
  return run;
}

ResultRow full_result() {
  ResultRow result = result_row(3, "validate", "2013-12", "key", 99);
  result.halt = true;
  result.run = 7;
  result.inputs = {{"schema", 0, artifact("schema", "schema/1")},
                   {"examples", 0, artifact("a")},
                   {"examples", 1, artifact("b")}};
  result.outputs = {{"report", 0, artifact("r", "report/1")}, {"examples", 0, artifact("a")}};
  result.metrics = {{"l_infinity", "late", 0.1137},
                    {"huge", "", std::numeric_limits<double>::infinity()},
                    {"auc", "", 0.5}};
  result.notes = ValueTable{{"verdict", "halt"}, {"rows", 27020}, {"share", 2.0}};
  result.verdict = "label late moved";
  result.started_at = 4;
  return result;
}

}  // namespace

TEST_CASE("store: runs, steps, attempts and results come back after a new start",
          "[store][round-trip]") {
  const TestFolder folder;
  const RunRow run = full_run();
  const ResultRow result = full_result();
  StepRow step = step_row(7, "validate", "2013-12", StepState::halted, 98);
  step.key = result.key;
  step.result = 3;
  step.tries = 2, step.faults = 1, step.attempts = 4, step.next_try_at = 77;
  step.started_at = 8, step.ended_at = 9;
  step.reason.details = {{"param depth", "6", "8"}, {"in schema", "41aa", "77bb"}};
  AttemptRow attempt{"01JABC", 7,   "validate", "2013-12", 4,  std::string(32, 'f'), true,
                     Outcome::retry, true, "lost with its host", 9, 10, 11, 412, 96468992,
                     4096, "killed"};
  {
    auto store = open_in(folder);
    REQUIRE(put_all(*store, run, step, attempt, result));
    CHECK(fields(*store->find_run(7)) == fields(run));
  }
  auto store = open_in(folder);
  CHECK(fields(*store->find_run(7)) == fields(run));
  REQUIRE(store->steps_of(7).size() == 1);
  CHECK(fields(store->steps_of(7)[0]) == fields(step));
  CHECK(fields(*find_attempt(*store, "01JABC")) == fields(attempt));
  CHECK(fields(*store->find_result(*result.key, 100)) == fields(result));
  CHECK(fields(*store->find_result_by_id(3)) == fields(result));
  CHECK_FALSE(store->find_run(8));
  CHECK_FALSE(store->find_result_by_id(4));
  CHECK(store->check().empty());
}

TEST_CASE("store: a metric that is not a number stays not a number", "[store][round-trip]") {
  const TestFolder folder;
  auto store = open_in(folder);
  ResultRow result = result_row(1, "evaluate", "", "key", 5);
  result.metrics = {{"auc", "empty slice", std::nan("")}};
  REQUIRE(put_all(*store, run_row(1), result));
  const auto found = store->find_result_by_id(1);
  REQUIRE(found);
  REQUIRE(found->metrics.size() == 1);
  CHECK(std::isnan(found->metrics[0].value));
}

TEST_CASE("store: pipelines, arrivals, spans and decisions come back", "[store][round-trip]") {
  const TestFolder folder;
  PipelineRow first{"flights", sha256("v1"), 5, "/srv/flights", true, false, 1};
  PipelineRow second{"flights", sha256("v2"), 6, "/srv/flights", true, true, 2};
  ArrivalRow arrival{11, "flights", "flights", "2013-10", 2, artifact("e02b", "files/1"),
                     "incoming/2013-10.csv", 7, 0, 3};
  SpanRow span;
  span.pipeline = span.source = "flights";
  span.span = "2013-10";
  span.version = 2, span.arrival = 11;
  span.artifact = arrival.artifact;
  span.state = SpanState::dropped;
  span.why = "wrong airport", span.who = "anna";
  span.definition = sha256("definition");
  span.run = 4, span.succeeded_run = 3, span.at = 8, span.seq = 4;
  const DecisionRow decision{"drop", "flights", "2013-10", "anna", "wrong airport", 4, 8, 5};
  {
    auto store = open_in(folder);
    REQUIRE(put_all(*store, first, second, arrival, span, decision));
  }
  auto store = open_in(folder);
  const auto found = store->recover();
  REQUIRE(found);
  REQUIRE(found->pipelines.size() == 1);
  CHECK(fields(found->pipelines[0]) == fields(second));
  REQUIRE(found->unfired.size() == 1);
  CHECK(fields(found->unfired[0]) == fields(arrival));
  REQUIRE(found->spans.size() == 1);
  CHECK(fields(found->spans[0]) == fields(span));
  const auto decisions = list_decisions(*store, "flights", 0, 10);
  REQUIRE(decisions.size() == 1);
  CHECK(fields(decisions[0]) == fields(decision));
  CHECK(found->last_seq == 5);
  CHECK(found->last_arrival == 11);

  SECTION("a version applied again is current again") {
    first.seq = 6;
    REQUIRE(put_all(*store, first));
    CHECK(fields(store->recover()->pipelines[0]) == fields(first));
    CHECK(list_versions(*store, "flights", 10).size() == 2);
  }
  SECTION("a fired arrival is no longer unfired") {
    REQUIRE(store->begin());
    store->mark_fired({11}, 9);
    REQUIRE(store->commit());
    CHECK(store->recover()->unfired.empty());
    CHECK(list_arrivals(*store, "flights", "flights", 0, 5)[0].run == 9);
  }
}

TEST_CASE("store: acceptances, resolutions and alerts keep what stood first or last",
          "[store][round-trip]") {
  const TestFolder folder;
  auto store = open_in(folder);
  AcceptanceRow acceptance;
  acceptance.key = sha256("key");
  acceptance.who = "anna", acceptance.why = "holiday traffic";
  acceptance.run = 4, acceptance.step = "validate", acceptance.element = "2013-12";
  acceptance.rejected = true, acceptance.at = 3, acceptance.seq = 1;
  acceptance.evidence = ValueTable{{"in", ValueList{"ab"}}};
  AcceptanceRow later = acceptance;
  later.why = "another word", later.seq = 2;
  later.evidence = ValueTable{{"remedy", "none"}};
  ResolutionRow answer{sha256("scope"), 4, Binding{"previous", 2, artifact("s", "statistics/1")},
                       "run 1 train", 3};
  ResolutionRow nothing{sha256("scope"), 5, std::nullopt, "none yet", 4};
  AlertRow alert{"flights/2013-12/validate/k", "flights", "validate/2013-12", "error",
                 "late moved", 4, "validate", "2013-12", ValueTable{{"measure", "l_infinity"}},
                 9, 5};
  AlertRow again = alert;
  again.sentence = "the same again", again.seq = 6;
  REQUIRE(put_all(*store, acceptance, later, answer, nothing, alert, again));

  CHECK(fields(*store->find_acceptance(acceptance.key)) == fields(later));
  CHECK(store->find_acceptance(acceptance.key)->evidence == later.evidence);
  CHECK_FALSE(store->find_acceptance(sha256("other")));
  CHECK(fields(*store->find_resolution(answer.scope, 10)) == fields(nothing));
  CHECK(fields(*store->find_resolution(answer.scope, 4)) == fields(answer));
  CHECK_FALSE(store->find_resolution(answer.scope, 3));
  const auto alerts = list_alerts(*store, {});
  REQUIRE(alerts.size() == 1);
  CHECK(fields(alerts[0].row) == fields(alert));
}

TEST_CASE("store: a turn reads what it has put and a rollback forgets it", "[store]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, run_row(1)));
  REQUIRE(store->begin());
  store->put(run_row(2));
  store->put(step_row(2, "ingest", "a", StepState::running, 2001));
  ResultRow result = result_row(1, "ingest", "a", "key", 2002);
  result.outputs = {{"examples", 0, artifact("x")}};
  store->put(result);
  CHECK(store->find_run(2));
  CHECK(store->find_result(sha256("key"), 3000));
  CHECK(store->steps_of(2).size() == 1);
  store->rollback();
  CHECK_FALSE(store->find_run(2));
  CHECK_FALSE(store->find_result(sha256("key"), 3000));
  CHECK(list_artifacts(*store, {}).empty());
  REQUIRE(put_all(*store, run_row(2), result));
  CHECK(fields(*store->find_result_by_id(1)) == fields(result));
  CHECK(store->recover()->last_seq == 2002);
}

TEST_CASE("store: holds come back while they are active, and are told as they ended",
          "[store][round-trip]") {
  const TestFolder folder;
  auto store = open_in(folder);
  HoldRow hold;
  hold.pipeline = "flights", hold.run = 0, hold.step = "train", hold.who = "anna";
  hold.why = "new disk", hold.at = 5, hold.until = 9, hold.seq = 1;
  HoldRow pause = hold;
  pause.kind = "pause", pause.step = "", pause.seq = 2;
  REQUIRE(put_all(*store, hold, pause));
  auto found = store->recover();
  REQUIRE(found);
  REQUIRE(found->holds.size() == 2);
  CHECK(found->holds[0].step == "train");
  CHECK(found->holds[0].why == "new disk");
  CHECK(found->holds[0].until == 9);
  CHECK(found->holds[1].kind == "pause");
  hold.active = false, hold.ended_by = "time", hold.ended_at = 9, hold.seq = 3;
  REQUIRE(put_all(*store, hold));
  const auto left = list_holds(*store, "flights");
  REQUIRE(left.size() == 1);
  CHECK(left[0].kind == "pause");
  CHECK(list_holds(*store, "weather").empty());
}
