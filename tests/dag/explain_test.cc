#include "dag/explain.h"

#include <catch2/catch.hpp>

using namespace pipelined;

namespace {

HeldStep december() {
  HeldStep held;
  held.run = 4, held.pipeline = "flights", held.source = "flights";
  held.step = "validate", held.element = "2013-12", held.previous = "2013-11";
  held.verdict = "label late moved from 9.8 % to 21.1 % true (l_infinity 0.114 > 0.1).";
  held.notes = ValueTable{{"rows", 27020}};
  held.waiting = {"split", "backtest"};
  return held;
}

}  // namespace

TEST_CASE("explain: a halt reads aloud with its spans, rows and what waits", "[dag][explain]") {
  CHECK(explain_held(december()) ==
        "halted: label late moved from 9.8 % to 21.1 % true (l_infinity 0.114 > 0.1) between 2013-11 "
        "and 2013-12, 27,020 rows; steps split and backtest wait.");
  HeldStep first = december();
  first.previous.clear(), first.waiting = {"split"}, first.notes = Value();
  CHECK(explain_held(first) ==
        "halted: label late moved from 9.8 % to 21.1 % true (l_infinity 0.114 > 0.1) in 2013-12; step "
        "split waits.");
}

TEST_CASE("explain: what the verdict says already is not said twice", "[dag][explain]") {
  HeldStep held = december();
  held.verdict = "2013-12 has 27,020 rows, too many";
  held.waiting.clear();
  CHECK(explain_held(held) == "halted: 2013-12 has 27,020 rows, too many.");
}

TEST_CASE("explain: the ways on are commands that can be typed", "[dag][explain]") {
  CHECK(ways_on(december()) ==
        std::vector<std::string>{"pipectl accept 4 validate/2013-12 --why …",
                                 "pipectl span drop flights flights/2013-12 --why …",
                                 "replace the file of 2013-12",
                                 "pipectl reject 4 validate/2013-12 --why …"});
  HeldStep review = december();
  review.state = StepState::in_review, review.step = "register", review.element.clear();
  CHECK(ways_on(review) == std::vector<std::string>{"pipectl approve 4 register --why …",
                                                    "pipectl reject 4 register --why …"});
  CHECK(spoken_ways({"a", "b", "c"}) == "To go on: a; b; or c");
  CHECK(spoken_ways({}).empty());
}

TEST_CASE("explain: steps and runs are told with their reasons", "[dag][explain]") {
  StepRow row;
  row.state = StepState::cached, row.reason.sentence = "same inputs as run 1";
  CHECK(explain_step(row) == "cached: same inputs as run 1.");
  row.state = StepState::failed, row.reason.sentence = "line 3 has 4 fields", row.tries = 3;
  CHECK(explain_step(row) == "failed: line 3 has 4 fields, after 3 tries.");
  RunRow run;
  run.number = 4, run.pipeline = "flights", run.state = RunState::halted, run.who = "arrival";
  run.reason.sentence = "arrival flights 2013-12";
  CHECK(explain_run(run) ==
        "Run 4 of flights is halted. It was started by arrival (arrival flights 2013-12).");
  CHECK(explain_change({"parameter max_depth", "6", "8"}) == "parameter max_depth changed from 6 to 8");
  CHECK(explain_change({"salt", "", "x"}) == "salt is new: x");
  CHECK(explain_change({"salt", "x", ""}) == "salt is gone: it was x");
}

TEST_CASE("explain: a step's past has its waits, its tries and what came of them",
          "[dag][explain]") {
  StepRow row;
  row.state = StepState::succeeded, row.at = 9000, row.reason = {"first_time", "no result", {}};
  AttemptRow first, second;
  first.number = 1, first.queued_at = 3000, first.started_at = 3500, first.ended_at = 4000;
  second.number = 2, second.queued_at = 8000, second.started_at = 8000, second.ended_at = 9000;
  const std::vector<StateChange> past = {
      {3500, StepState::running, {"first_time", "no result", {}}},
      {4000, StepState::waiting, {"retry", "try 2 of 2 in 4 s; the last one: exit 1", {}}}};
  const auto told = step_history(row, past, {first, second}, 1000, "split");
  const std::vector<StateChange> expected = {
      {1000, StepState::waiting, {"waited", "2.0 s for split", {}}},
      {3000, StepState::ready, {"waited_for_slot", "0.5 s for a slot", {}}},
      past[0],
      past[1],
      {8000, StepState::running, {"first_time", "no result", {}}},
      {9000, StepState::succeeded, {"first_time", "", {}}}};
  CHECK(told == expected);

  SECTION("a step that was reused at once has one state") {
    row.state = StepState::cached, row.at = 1000;
    CHECK(step_history(row, {}, {}, 1000, "").size() == 1);
  }
}

TEST_CASE("explain: whose fault the end of an attempt was is said", "[dag][explain]") {
  AttemptRow attempt;
  attempt.number = 2, attempt.running = false, attempt.error = "exit code 3.";
  CHECK(explain_attempt(attempt) == "attempt 2 failed by a fault of the step: exit code 3.");
  attempt.failure_class = "out_of_memory";
  CHECK(explain_attempt(attempt) ==
        "attempt 2 failed by a fault of the step (out of memory): exit code 3.");
  attempt.machine_fault = true, attempt.error = "the host died";
  CHECK(explain_attempt(attempt) ==
        "attempt 2 was lost by a fault of the machine, which counts no try: the host died.");
  attempt.running = true;
  CHECK(explain_attempt(attempt).empty());
}

TEST_CASE("explain: numbers, times and sizes are said as people say them", "[dag][explain]") {
  CHECK(with_thousands(0) == "0");
  CHECK(with_thousands(999) == "999");
  CHECK(with_thousands(27020) == "27,020");
  CHECK(with_thousands(-1234567) == "-1,234,567");
  CHECK(spoken_duration(400) == "0.4 s");
  CHECK(spoken_duration(12'400) == "12 s");
  CHECK(spoken_duration(185'000) == "3 min 5 s");
  CHECK(spoken_duration(7'800'000) == "2 h 10 min");
  CHECK(spoken_size(812) == "812 B");
  CHECK(spoken_size(2'831'155) == "2.7 MiB");
  CHECK(spoken_list({"a"}) == "a");
  CHECK(spoken_list({"a", "b", "c"}) == "a, b and c");
  CHECK(parse_step_name("validate/2013-12").element == "2013-12");
  CHECK(parse_step_name("train").element.empty());
}
