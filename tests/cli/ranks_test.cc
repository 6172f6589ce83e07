// What `pipectl show` says of a search: its trials, the best first.
#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "cli/parse.h"
#include "operators/value_json.h"
#include "tests/api/fake_backend.h"

using namespace pipelined;
using namespace pipelined::test;
using Catch::Matchers::Contains;

namespace {

std::string show(const TestDaemon& daemon, std::vector<std::string> more = {}) {
  std::ostringstream out, err;
  cli::Environment environment;
  environment.socket = daemon.socket();
  more.insert(more.begin(), {"show", "4"});
  cli::run_pipectl(more, {out, err, false, false, 0}, environment);
  return out.str() + err.str();
}

// Gives the step statistics/2013-12 of run 4 a result with this note.
void note_ranking(TestDaemon& daemon, const std::string& json) {
  const auto note = value_from_json(json);
  REQUIRE(note);
  daemon.on_loop([&](FakeBackend& backend) {
    backend.turn([&](Store& store) {
      ResultRow result = *store.find_result_by_id(4);
      result.id = 90, result.seq = 900;
      result.notes = ValueTable{{"ranking", *note}};
      store.put(result);
      for (StepRow step : store.steps_of(4)) {
        if (step.step != "statistics" || step.element != "2013-12") continue;
        step.result = 90;
        store.put(step);
      }
    });
  });
}

}  // namespace

TEST_CASE("show: the trials of a search are ranked behind the steps", "[cli]") {
  TestDaemon daemon;
  CHECK(show(daemon).find("best first") == std::string::npos);
  note_ranking(daemon, R"({"metric": "auc", "goal": "maximise", "trials": 3, "ranks": [
      {"trial": 2, "value": 0.8125, "rung": 0, "parameters": {"depth": 4, "kind": "a\u001b[31m"}},
      {"trial": 1, "value": 0.75, "rung": 0, "parameters": {"depth": 9}},
      {"trial": 3, "value": null, "rung": 0, "parameters": {"depth": 7}}]})");
  const std::string text = show(daemon);
  CHECK_THAT(text, Contains("trials of statistics/2013-12, the best first:\n"));
  CHECK_THAT(text, Contains("RANK  TRIAL     auc  PARAMETERS\n"));
  CHECK_THAT(text, Contains("   1      2  0.8125  depth=4 kind="));
  CHECK_THAT(text, Contains("   2      1    0.75  depth=9\n"));
  CHECK_THAT(text, Contains("   3      3       -  depth=7\n"));
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK_THAT(show(daemon, {"-o", "json"}), Contains("\"ranking\""));
}

TEST_CASE("show: of many trials the first are shown, and a note that is no ranking is none", "[cli]") {
  TestDaemon daemon;
  std::string ranks;
  for (int i = 1; i <= 14; ++i) {
    ranks += (i > 1 ? "," : "") + std::string(R"({"trial":)") + std::to_string(i) +
             R"(,"value":0.5,"parameters":{"x":)" + std::to_string(i) + "}}";
  }
  note_ranking(daemon, R"({"metric": "rmse", "ranks": [)" + ranks + "]}");
  CHECK_THAT(show(daemon), Contains("4 more trials; -o wide lists them"));
  CHECK_THAT(show(daemon), Contains("x=10\n") && !Contains("x=11\n"));
  CHECK_THAT(show(daemon, {"-o", "wide"}), Contains("x=14\n") && !Contains("more trials"));
  for (const char* other : {"3", "{}", R"({"metric": "m", "ranks": 1})", R"({"ranks": []})"}) {
    TestDaemon plain;
    note_ranking(plain, other);
    CHECK_THAT(show(plain), !Contains("best first"));
  }
}
