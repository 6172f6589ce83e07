// The first pipeline traced: January to September, October, November, the halt of December.
#include "tests/support/engine_world.h"
#include "tests/support/flights_text.h"

using namespace pipelined;

namespace {

const BundleFiles files = {{"join.sql", "SELECT 1"}, {"schema.toml", "[feature.late]"}};

struct Flights : EngineWorld {
  Flights() {
    apply(flights_text, files);
    arrive("flights", "weather", "all", "weather");
    for (int month = 1; month <= 9; ++month) land(month);
    wait(5000);
    run_all();
    take_log();
  }
  void land(int month, const std::string& suffix = "") {
    const std::string span = "2013-" + std::string(month < 10 ? "0" : "") + std::to_string(month);
    arrive("flights", "flights", span, "flights of " + span + suffix);
  }
  void december() {
    land(10);
    wait(5000);
    run_all();
    land(11);
    wait(5000);
    run_all();
    verdicts["validate/2013-12"] = Outcome::halt;
    take_log();
    land(12);
    wait(5000);
    run_all();
  }
};

}  // namespace

TEST_CASE("flights: nine arrivals make one run, each a span", "[dag][engine]") {
  Flights world;
  REQUIRE(world.ledger.runs.size() == 1);
  const RunRow& run = world.ledger.runs.at(1);
  CHECK(run.state == RunState::succeeded);
  CHECK(run.spans.size() == 9);
  CHECK(run.reason.sentence == "9 arrivals, flights 2013-01 to flights 2013-09");
  for (const RunSpan& span : run.spans) {
    CHECK(world.span_state("flights", "flights", span.span) == SpanState::accepted);
  }
  // There was no model before: the backtest has nothing to resolve.
  CHECK(world.state(1, "backtest") == StepState::skipped);
  CHECK(world.state(1, "train") == StepState::succeeded);
  // The first span has no previous; the second one's is the first's statistics.
  const auto result = [&](const std::string& element) {
    return world.ledger.results.at(world.step(1, "validate", element).result);
  };
  CHECK(result("2013-01").inputs.size() == 3);
  REQUIRE(result("2013-02").inputs.size() == 4);
  const auto statistics = world.ledger.results.at(world.step(1, "statistics", "2013-01").result);
  CHECK(result("2013-02").inputs[1].port == "previous");
  CHECK(result("2013-02").inputs[1].artifact == statistics.outputs[0].artifact);
}

TEST_CASE("flights: October runs its own elements and reuses the other months", "[dag][engine]") {
  Flights world;
  world.land(10);
  world.wait(5000);
  world.run_all();
  CHECK(world.run_state(2) == RunState::succeeded);
  CHECK(world.take_log() ==
        std::vector<std::string>{"start ingest/2013-10", "start join/2013-10",
                                 "start statistics/2013-10", "start validate/2013-10",
                                 "start split", "start backtest", "start train", "start evaluate"});
  CHECK(world.state(2, "validate", "2013-09") == StepState::cached);
  CHECK(world.step(2, "validate", "2013-09").reason.sentence == "same inputs as run 1");
  CHECK(world.step(2, "ingest", "2013-10").state == StepState::succeeded);
  // The backtest takes the model of run 1 on October.
  const auto backtest = world.ledger.results.at(world.step(2, "backtest").result);
  const auto train = world.ledger.results.at(world.step(1, "train").result);
  REQUIRE(backtest.inputs.size() == 2);
  CHECK(backtest.inputs[1].port == "model");
  CHECK(backtest.inputs[1].artifact == train.outputs[0].artifact);
}

TEST_CASE("flights: running again does nothing, also after a restart", "[dag][engine]") {
  Flights world;
  world.land(10);
  world.wait(5000);
  world.run_all();
  world.take_log();
  if (GENERATE(false, true)) world.restart();
  const RunNumber number = world.run("flights");
  CHECK(world.started.empty());
  CHECK(world.run_state(number) == RunState::succeeded);
  for (const StepRow& row : world.ledger.steps_of(number)) {
    INFO(step_path(row.step, row.element) << ": " << row.reason.sentence);
    CHECK(row.state == StepState::cached);
  }
}

TEST_CASE("flights: another depth runs train and evaluate alone", "[dag][engine]") {
  Flights world;
  world.land(10);
  world.wait(5000);
  world.run_all();
  world.take_log();
  RunOptions options;
  options.params["depth"] = Value(8);
  const RunNumber number = world.run("flights", options);
  world.run_all();
  CHECK(world.take_log() == std::vector<std::string>{"start train", "start evaluate"});
  const StepRow train = world.step(number, "train");
  CHECK(world.run_state(number) == RunState::succeeded);
  // The next full run still backtests what a full run made.
  world.land(11);
  world.wait(5000);
  world.run_all();
  const auto backtest = world.ledger.results.at(world.step(4, "backtest").result);
  const auto full = world.ledger.results.at(world.step(2, "train").result);
  CHECK(backtest.inputs[1].artifact == full.outputs[0].artifact);
}

TEST_CASE("flights: the reason of a miss names the parameter and both values", "[dag][engine]") {
  Flights world;
  RunOptions options;
  options.params["depth"] = Value(8);
  world.run("flights", options);
  REQUIRE(world.started.size() == 1);
  const StepRow train = world.step(2, "train");
  CHECK(train.state == StepState::running);
  CHECK(train.reason.code == "parameter_changed");
  CHECK(train.reason.sentence ==
        "parameter max_depth changed from 6 to 8 (compared with run 1)");
}

TEST_CASE("flights: December halts and nothing downstream runs", "[dag][engine]") {
  Flights world;
  world.december();
  CHECK(world.take_log() ==
        std::vector<std::string>{"start ingest/2013-12", "start join/2013-12",
                                 "start statistics/2013-12", "start validate/2013-12"});
  CHECK(world.run_state(4) == RunState::halted);
  CHECK(world.state(4, "validate", "2013-12") == StepState::halted);
  CHECK(world.state(4, "split") == StepState::waiting);
  CHECK(world.state(4, "backtest") == StepState::waiting);
  CHECK(world.span_state("flights", "flights", "2013-12") == SpanState::halted);
  CHECK(world.span_state("flights", "flights", "2013-11") == SpanState::accepted);
  const StepRow validate = world.step(4, "validate", "2013-12");
  CHECK(world.ledger.alerts.contains("flights/2013-12/validate/" + validate.key->hex()));
}

TEST_CASE("flights: accept, reject and drop are the ways on", "[dag][engine]") {
  Flights world;
  world.december();
  world.take_log();
  if (GENERATE(false, true)) world.restart();
  CHECK(world.run_state(4) == RunState::halted);
  SECTION("accept resumes from there") {
    world.turn(event::AcceptRequested{1, 4, "validate", "2013-12", "uid 1000", "holiday traffic"});
    REQUIRE(!world.replies.back().error);
    CHECK(world.run_state(4) == RunState::running);
    CHECK(world.span_state("flights", "flights", "2013-12") == SpanState::accepted);
    world.run_all();
    CHECK(world.run_state(4) == RunState::succeeded);
    const auto log = world.take_log();
    CHECK(log == std::vector<std::string>{"start split", "start backtest", "start train",
                                          "start evaluate"});
    // The acceptance holds for that key: another run reuses it.
    const RunNumber again = world.run("flights");
    CHECK(world.state(again, "validate", "2013-12") == StepState::cached);
    CHECK(world.run_state(again) == RunState::succeeded);
  }
  SECTION("reject ends the run as rejected and later runs leave the span out") {
    world.turn(event::RejectRequested{1, 4, "validate", "2013-12", "uid 1000", "broken feed"});
    CHECK(world.run_state(4) == RunState::rejected);
    CHECK(world.state(4, "split") == StepState::blocked);
    CHECK(world.span_state("flights", "flights", "2013-12") == SpanState::rejected);
    const RunNumber again = world.run("flights");
    CHECK(world.run_state(again) == RunState::succeeded);
    CHECK(world.ledger.runs.at(again).spans.back().left_out == "rejected by uid 1000: broken feed");
  }
  SECTION("a rejected span that is dropped is left out when the run is retried") {
    world.turn(event::RejectRequested{1, 4, "validate", "2013-12", "uid 1000", "broken feed"});
    world.turn(event::SpanRequested{2, "flights", "", "2013-12", "uid 1000", "not wanted", false});
    CHECK(world.run_state(4) == RunState::rejected);
    world.turn(event::RetryRequested{3, 4, "uid 1000", ""});
    REQUIRE(!world.replies.back().error);
    world.run_all();
    CHECK(world.state(4, "validate", "2013-12") == StepState::skipped);
    CHECK(world.run_state(4) == RunState::succeeded);
  }
  SECTION("dropping the span goes on without December") {
    world.turn(event::SpanRequested{1, "flights", "", "2013-12", "uid 1000", "not wanted", false});
    world.run_all();
    CHECK(world.run_state(4) == RunState::succeeded);
    CHECK(world.state(4, "validate", "2013-12") == StepState::skipped);
    CHECK(world.state(4, "ingest", "2013-12") == StepState::succeeded);
    // Without December everything is as in run 3.
    CHECK(world.state(4, "split") == StepState::cached);
  }
  SECTION("replacing the file starts a run that supersedes the halted one") {
    world.verdicts.clear();
    world.land(12, " corrected");
    world.wait(5000);
    CHECK(world.run_state(4) == RunState::cancelled);
    world.run_all();
    CHECK(world.run_state(5) == RunState::succeeded);
    CHECK(world.span_state("flights", "flights", "2013-12", 2) == SpanState::accepted);
  }
  SECTION("another run on the same data halts at once with the same evidence") {
    const RunNumber again = world.run("flights");
    CHECK(world.started.empty());
    CHECK(world.run_state(again) == RunState::halted);
    CHECK(world.step(again, "validate", "2013-12").result ==
          world.step(4, "validate", "2013-12").result);
  }
}

TEST_CASE("flights: the same content again is recognised", "[dag][engine]") {
  Flights world;
  world.land(9);
  world.wait(60000);
  CHECK(world.ledger.runs.size() == 1);
  CHECK(world.ledger.arrivals.size() == 10);
}

TEST_CASE("flights: a failing element blocks its run and later runs leave the span out",
          "[dag][engine]") {
  Flights world;
  world.verdicts["ingest/2013-10"] = Outcome::failed;
  world.land(10);
  world.wait(5000);
  world.run_all();
  CHECK(world.run_state(2) == RunState::failed);
  CHECK(world.state(2, "split") == StepState::blocked);
  CHECK(world.span_state("flights", "flights", "2013-10") == SpanState::failed);
  world.land(11);
  world.wait(5000);
  world.run_all();
  CHECK(world.run_state(3) == RunState::succeeded);
  const auto& spans = world.ledger.runs.at(3).spans;
  REQUIRE(spans.size() == 11);
  CHECK(spans[9].left_out == "failed at step ingest in run 2");
  // November's previous is September: October was never accepted.
  const auto validate = world.ledger.results.at(world.step(3, "validate", "2013-11").result);
  const auto september = world.ledger.results.at(world.step(1, "statistics", "2013-09").result);
  CHECK(validate.inputs[1].artifact == september.outputs[0].artifact);
  SECTION("retry takes it up again") {
    world.verdicts.clear();
    world.turn(event::RetryRequested{1, 2, "uid 1000", ""});
    REQUIRE(!world.replies.back().error);
    world.run_all();
    CHECK(world.run_state(2) == RunState::succeeded);
    CHECK(world.span_state("flights", "flights", "2013-10") == SpanState::accepted);
  }
}

TEST_CASE("flights: a dead daemon costs no try and repeats no finished step", "[dag][engine]") {
  Flights world;
  world.land(10);
  world.wait(5000);
  while (world.started.front().step != "train") world.end(0, Outcome::ok);
  world.take_log();
  world.restart();
  REQUIRE(world.started.size() == 1);
  CHECK(world.started[0].step == "train");
  CHECK(world.started[0].number == 2);
  world.run_all();
  CHECK(world.run_state(2) == RunState::succeeded);
  CHECK(world.take_log() == std::vector<std::string>{"start train", "start evaluate"});
  CHECK(world.step(2, "train").tries == 1);
}
