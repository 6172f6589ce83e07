// How long things are kept: by age, by count, by pin, and what is never given up.
#include "dag/retention.h"

#include <catch2/catch.hpp>

using namespace pipelined;

namespace {

constexpr TimeMs day = 86'400'000;
constexpr TimeMs now = 1000 * day;

RunFact run(RunNumber number, std::int64_t age_days, RunState state = RunState::succeeded) {
  RunFact fact;
  fact.number = number;
  fact.pipeline = "flights";
  fact.state = state;
  fact.ended_at = now - age_days * day;
  return fact;
}

RetentionPolicy policy(std::int64_t newest = 1) {
  RetentionPolicy made;
  made.runs_newest = newest;
  return made;
}

/// "rbl" with a dash for what goes.
std::string kept(const RunVerdict& verdict) {
  return std::string(verdict.rows ? "r" : "-") + (verdict.bytes ? "b" : "-") +
         (verdict.logs ? "l" : "-");
}

}  // namespace

TEST_CASE("retention: runs go by age, their logs and bytes before them", "[retention]") {
  RetentionPolicy rule = policy();
  rule.artifacts_days = 60;
  const auto verdicts =
      judge_runs({run(1, 90), run(2, 89), run(3, 60), run(4, 59), run(5, 30), run(6, 29), run(7, 1)},
                 rule, now);
  std::string all;
  for (const RunVerdict& verdict : verdicts) all += kept(verdict) + " ";
  CHECK(all == "--- r-- r-- rb- rb- rbl rbl ");
}

TEST_CASE("retention: open and pinned runs stay whole whatever their age", "[retention]") {
  RunFact pinned = run(3, 900);
  pinned.pinned = true;
  const auto verdicts = judge_runs({run(1, 900, RunState::halted), run(2, 900, RunState::in_review),
                                    pinned, run(4, 900, RunState::failed), run(5, 0)},
                                   policy(), now);
  CHECK(kept(verdicts[0]) == "rbl");
  CHECK(kept(verdicts[1]) == "rbl");
  CHECK(kept(verdicts[2]) == "rbl");
  CHECK(kept(verdicts[3]) == "---");
  CHECK(std::string(verdicts[2].why) == "pinned");
}

TEST_CASE("retention: the newest run that succeeded stays, however many failed since",
          "[retention]") {
  std::vector<RunFact> runs = {run(1, 950), run(2, 940)};
  for (RunNumber number = 3; number < 30; ++number) {
    runs.push_back(run(number, 900, RunState::failed));
  }
  const auto verdicts = judge_runs(runs, policy(), now);
  CHECK(kept(verdicts[0]) == "---");
  CHECK(kept(verdicts[1]) == "rb-");
  CHECK(kept(verdicts[2]) == "---");
  CHECK(kept(verdicts.back()) == "rb-");
}

TEST_CASE("retention: a partial run is not the newest that succeeded", "[retention]") {
  RunFact partial = run(2, 900);
  partial.full = false;
  const auto verdicts =
      judge_runs({run(1, 900), partial, run(3, 900, RunState::failed)}, policy(), now);
  CHECK(verdicts[0].rows);
  CHECK_FALSE(verdicts[1].rows);
}

TEST_CASE("retention: each pipeline has its own newest and its own bound", "[retention]") {
  RetentionPolicy rule = policy(2);
  rule.runs_most = 3;
  std::vector<RunFact> runs;
  for (RunNumber number = 1; number <= 10; ++number) {
    runs.push_back(run(number, 1));
    runs.back().pipeline = number % 2 == 0 ? "even" : "odd";
  }
  const auto verdicts = judge_runs(runs, rule, now);
  std::string stay;
  for (const RunVerdict& verdict : verdicts) stay += verdict.rows ? "x" : ".";
  CHECK(stay == "....xxxxxx");
}

TEST_CASE("retention: nought days and counts bound nothing", "[retention]") {
  RetentionPolicy rule;
  rule.runs_days = rule.artifacts_days = rule.logs_days = rule.runs_most = 0;
  rule.runs_newest = 0;
  const auto verdicts = judge_runs({run(1, 900), run(2, 800), run(3, 1)}, rule, now);
  for (const RunVerdict& verdict : verdicts) CHECK(kept(verdict) == "rbl");
}

TEST_CASE("retention: a clock that went back makes nothing old", "[retention]") {
  CHECK_FALSE(is_past(now + 400 * day, 90, now));
  CHECK(is_past(now - 90 * day, 90, now));
  CHECK(judge_unused(now + day, 0, {}, now) == Unused::note);
}

TEST_CASE("retention: a result stays with a run, for reuse, or as an ancestor", "[retention]") {
  ResultFact shown{1, now - 500 * day, true, true, true, {20}, {30}};
  ResultFact ancestor{2, now - 500 * day, true, false, false, {10}, {20}};
  ResultFact first{3, now - 500 * day, true, false, false, {}, {10}};
  ResultFact fresh{4, now - 29 * day, true, false, false, {}, {40}};
  ResultFact old{5, now - 30 * day, true, false, false, {30}, {50}};
  ResultFact without_key{6, now, false, false, false, {}, {60}};
  const auto verdicts = judge_results({shown, ancestor, first, fresh, old, without_key}, {}, now);
  CHECK((verdicts[0].rows && verdicts[0].bytes));
  CHECK((verdicts[1].rows && !verdicts[1].bytes));
  CHECK((verdicts[2].rows && !verdicts[2].bytes));
  CHECK((verdicts[3].rows && verdicts[3].bytes));
  CHECK_FALSE(verdicts[4].rows);
  CHECK_FALSE(verdicts[5].rows);
}

TEST_CASE("retention: an artifact that is its own ancestor ends the search", "[retention]") {
  const auto verdicts = judge_results({{1, 0, true, true, true, {7}, {7}}}, {}, now);
  CHECK(verdicts[0].rows);
}

TEST_CASE("retention: what is unused is removed only when it was so twice and for long",
          "[retention]") {
  const TimeMs hour = 3'600'000;
  CHECK(judge_unused(0, 0, {}, now) == Unused::note);
  CHECK(judge_unused(now - 23 * hour, 0, {}, now) == Unused::wait);
  CHECK(judge_unused(now - 24 * hour, now - 23 * hour, {}, now) == Unused::wait);
  CHECK(judge_unused(now - 24 * hour, now - 24 * hour, {}, now) == Unused::remove);
}
