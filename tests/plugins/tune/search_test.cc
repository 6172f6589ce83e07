// Which trials follow which: every strategy, from settings and history alone.
#include "plugins/tune/search.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <map>
#include <set>

namespace {

using namespace pipelined;
using namespace pipelined::tune;
using nlohmann::json;
using Measure = std::function<std::optional<double>(const Trial&)>;

Search search_of(const std::string& text, std::int64_t seed = 3) {
  auto search = Search::read(json::parse(text), seed);
  if (!search) FAIL(search.error().message);
  return *std::move(search);
}

std::string refusal(const std::string& text) {
  const auto search = Search::read(json::parse(text), 0);
  return search ? "" : search.error().message;
}

struct Ended {
  std::vector<Trial> trials;
  std::vector<std::string> elements;
  std::size_t rounds = 0;
  End end = End::goes_on;
};

Ended run(const Search& search, const Measure& measure) {
  Ended ended;
  while (ended.rounds < 10000) {
    const auto round = next_round(search, ended.trials);
    if (!round) FAIL(round.error().message);
    ended.end = round->end;
    if (round->elements.empty()) return ended;
    CHECK(round->elements.size() <= search.parallel);
    ++ended.rounds;
    for (const json& element : round->elements) {
      ended.elements.push_back(element.dump());
      ended.trials.push_back(search.trial_of(element));
      ended.trials.back().metric = measure(ended.trials.back());
    }
  }
  FAIL("a search without an end");
  return ended;
}

// Best at x = 0.3 and kind "b".
std::optional<double> hill(const Trial& trial) {
  const double x = trial.point["x"];
  const double kind = trial.point.value("kind", "a") == "b" ? 0 : -0.1;
  return kind - (x - 0.3) * (x - 0.3);
}

const std::string line = R"("metric": "auc", "space": {"x": {"range": [0, 1]},
                            "kind": {"choices": ["a", "b", "c"]}})";

}  // namespace

TEST_CASE("search: what makes no sense is refused by name", "[tune]") {
  const std::string space = R"("space": {"x": {"range": [0, 1]}}, "metric": "auc")";
  const std::pair<std::string, const char*> wrong[] = {
      {R"({"metric": "auc", "generated_max": 3})", "\"space\" must be a table"},
      {R"({"space": {"x": {"range": [0, 1]}}, "generated_max": 3})", "\"metric\" is missing"},
      {"{" + space + "}", "how many trials there may be"},
      {"{" + space + R"(, "generated_max": 3, "strategy": "luck"})", "grid, random, tpe"},
      {"{" + space + R"(, "generated_max": 3, "goal": "up"})", "maximise or minimise"},
      {"{" + space + R"(, "generated_max": 3, "parallel": 0})", "\"parallel\""},
      {"{" + space + R"(, "generated_max": 3, "good": 1})", "\"good\""},
      {"{" + space + R"(, "generated_max": 3, "strategy": "asha"})", "\"resource\" is missing"},
      {"{" + space + R"(, "generated_max": 3, "resource": {"name": "r", "min": 1, "max": 9}})",
       "says nothing to strategy"},
      {"{" + space + R"(, "generated_max": 3, "strategy": "asha", "resource": {"name": "r"}})",
       "must be { name ="},
      {"{" + space + R"(, "generated_max": 3, "strategy": "asha",
        "resource": {"name": "x", "min": 1, "max": 9}})", "which the space searches, too"},
      {"{" + space + R"(, "generated_max": 3, "strategy": "asha",
        "resource": {"name": "r", "min": 9, "max": 9}})", "end higher than it begins"},
      {"{" + space + R"(, "generated_max": 3, "strategy": "asha",
        "resource": {"name": "r", "min": 1, "max": 9, "factor": 1}})", "\"factor\""},
      {"{" + space + R"(, "generated_max": 3, "strategy": "asha",
        "resource": {"name": "r", "min": 1, "max": 9, "eta": 1}})", "\"resource.eta\""},
      {"{" + space + R"(, "generated_max": 12, "strategy": "halving",
        "resource": {"name": "r", "min": 1, "max": 9}})", "at least 13 trials"},
      {"{" + space + R"(, "generated_max": 13, "patience": 2, "strategy": "halving",
        "resource": {"name": "r", "min": 1, "max": 9}})", "says nothing to halving"}};
  for (const auto& [text, part] : wrong) {
    INFO(text);
    CHECK_THAT(refusal(text), Catch::Matchers::Contains(part));
  }
}

TEST_CASE("search: every strategy names the same trials again, and others by another seed", "[tune]") {
  const std::string rungs = R"(, "resource": {"name": "rounds", "min": 10, "max": 90})";
  for (const std::string strategy : {"random", "tpe", "asha", "halving"}) {
    const bool resource = strategy == "asha" || strategy == "halving";
    const std::string text = "{" + line + R"(, "generated_max": 30, "parallel": 4, "strategy": ")" +
                             strategy + "\"" + (resource ? rungs : "") + "}";
    INFO(text);
    const Ended one = run(search_of(text), hill), other = run(search_of(text), hill);
    CHECK(one.elements == other.elements);
    CHECK(one.trials.size() <= 30);
    CHECK(one.trials.size() >= 27);
    CHECK(run(search_of(text, 4), hill).elements != one.elements);
  }
}

TEST_CASE("search: with more trials allowed the same ones come first", "[tune]") {
  const std::string rungs = R"(, "resource": {"name": "rounds", "min": 10, "max": 90})";
  for (const std::string strategy : {"random", "tpe", "asha"}) {
    const auto text = [&](int max) {
      return "{" + line + R"(, "parallel": 4, "strategy": ")" + strategy + "\"" +
             (strategy == "asha" ? rungs : "") + R"(, "generated_max": )" + std::to_string(max) + "}";
    };
    INFO(strategy);
    const Ended few = run(search_of(text(18)), hill), many = run(search_of(text(40)), hill);
    REQUIRE(few.elements.size() == 18);
    REQUIRE(many.elements.size() == 40);
    CHECK(std::vector(many.elements.begin(), many.elements.begin() + 16) ==
          std::vector(few.elements.begin(), few.elements.begin() + 16));
    // The last round of the smaller search was cut off; what it named is named again.
    CHECK(std::vector(many.elements.begin() + 16, many.elements.begin() + 18) ==
          std::vector(few.elements.begin() + 16, few.elements.end()));
  }
}

TEST_CASE("search: no point is tried twice, and a small space ends the search", "[tune]") {
  for (const std::string strategy : {"random", "tpe"}) {
    const Search search = search_of(R"({"metric": "auc", "generated_max": 50, "parallel": 3, "space":
        {"x": {"choices": [0.1, 0.3, 0.5]}, "kind": {"choices": ["a", "b"]}}, "strategy": ")" +
                                    strategy + "\"}");
    const Ended ended = run(search, hill);
    CHECK(ended.end == End::space);
    CHECK(std::set(ended.elements.begin(), ended.elements.end()).size() == 6);
    CHECK(ended.elements.size() == 6);
  }
}

TEST_CASE("search: a grid is tried in order and fits into its trials", "[tune]") {
  const std::string text = R"({"metric": "auc", "strategy": "grid", "parallel": 4, "space":
      {"x": {"range": [0, 1], "points": 3}, "kind": {"choices": ["a", "b"]}}, "generated_max": )";
  const Ended ended = run(search_of(text + "6}"), hill);
  CHECK(ended.end == End::grid);
  CHECK(ended.rounds == 2);
  CHECK(ended.elements.size() == 6);
  const auto refused = next_round(search_of(text + "5}"), {});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Matchers::Contains("6 points and generates.max is 5"));
}

TEST_CASE("search: patience counts trials since the best one", "[tune]") {
  Search search = search_of("{" + line + R"(, "generated_max": 500, "strategy": "random",
                                           "patience": 7, "parallel": 1})");
  const Ended ended = run(search, hill);
  CHECK(ended.end == End::patience);
  const auto best = ranked(search, ended.trials).front();
  CHECK(ended.trials.size() == best + 1 + 7);
  // What fails is no better, either.
  const Ended failing = run(search, [](const Trial&) { return std::optional<double>(); });
  CHECK(failing.trials.size() == 7);
  // As good is not better.
  const Ended flat = run(search, [](const Trial&) { return std::optional(0.5); });
  CHECK(flat.trials.size() == 8);
}

TEST_CASE("search: trees of estimators find the hill that even draws miss", "[tune]") {
  const auto regret = [](const std::string& strategy) {
    double sum = 0;
    for (std::int64_t seed = 0; seed < 40; ++seed) {
      const Search search = search_of(R"({"metric": "m", "generated_max": 40, "space": {
          "x": {"range": [0, 1]}, "y": {"range": [0.001, 10], "log": true},
          "k": {"integers": [1, 20]}}, "strategy": ")" + strategy + "\"}", seed);
      const Ended ended = run(search, [](const Trial& trial) {
        const double x = trial.point["x"].get<double>() - 0.7;
        const double y = std::log10(trial.point["y"].get<double>()) + 1.5;
        const double k = trial.point["k"].get<double>() - 15;
        return std::optional(-x * x - y * y / 16 - k * k / 400);
      });
      sum -= *ended.trials[ranked(search, ended.trials).front()].metric;
    }
    return sum / 40;
  };
  CHECK(regret("tpe") < regret("random") * 0.5);
}

TEST_CASE("search: the goal turns everything round", "[tune]") {
  const std::string text = "{" + line + R"(, "generated_max": 25, "parallel": 2)";
  const Ended up = run(search_of(text + "}"), hill);
  const Search minimise = search_of(text + R"(, "goal": "minimise"})");
  const Ended down = run(minimise, [](const Trial& trial) { return std::optional(-*hill(trial)); });
  CHECK(up.elements == down.elements);
  CHECK(ranked(search_of(text + "}"), up.trials) == ranked(minimise, down.trials));
}

TEST_CASE("search: halving lays out its rungs within the trials", "[tune]") {
  CHECK(points_of_halving(13, 3, 3) == 9);
  CHECK(points_of_halving(12, 3, 3) == 8);
  CHECK(points_of_halving(39, 3, 3) == 27);
  CHECK(points_of_halving(7, 3, 2) == 4);
  CHECK(points_of_halving(0, 3, 2) == 0);
  const Search search = search_of("{" + line + R"(, "generated_max": 13, "strategy": "halving",
      "parallel": 4, "resource": {"name": "rounds", "min": 10, "max": 90}})");
  CHECK(search.resource->rungs == std::vector<json>{10, 30, 90});
  const Ended ended = run(search, hill);
  REQUIRE(ended.trials.size() == 13);
  CHECK(ended.end == End::rungs);
  CHECK(ended.rounds == 5);  // 4, 4, 1 below, then 3 and 1: a rung waits for the one below it
  std::map<std::size_t, std::vector<double>> by_rung;
  for (const Trial& trial : ended.trials) by_rung[trial.rung].push_back(*trial.metric);
  CHECK(by_rung[0].size() == 9);
  std::sort(by_rung[0].rbegin(), by_rung[0].rend());
  CHECK(by_rung[1] == std::vector(by_rung[0].begin(), by_rung[0].begin() + 3));
  CHECK(by_rung[2] == std::vector{by_rung[0].front()});
}

TEST_CASE("search: what fails is not promoted, and a rung of failures ends a halving", "[tune]") {
  const Search search = search_of("{" + line + R"(, "generated_max": 13, "strategy": "halving",
      "parallel": 9, "resource": {"name": "rounds", "min": 10, "max": 90}})");
  const Ended failing = run(search, [](const Trial&) { return std::optional<double>(); });
  CHECK(failing.trials.size() == 9);
  CHECK(failing.end == End::rungs);
  int count = 0;
  const Ended some = run(search, [&](const Trial& trial) {
    return trial.rung == 0 && count++ < 7 ? std::nullopt : hill(trial);
  });
  CHECK(some.trials.size() == 9 + 2 + 1);
}

TEST_CASE("search: asha promotes before it draws, and only the best of each rung", "[tune]") {
  const Search search = search_of("{" + line + R"(, "generated_max": 60, "strategy": "asha",
      "parallel": 5, "resource": {"name": "rounds", "min": 0.5, "max": 4.0, "factor": 2}})");
  CHECK(search.resource->rungs.size() == 4);
  const Ended ended = run(search, [](const Trial& trial) {
    return std::optional(*hill(trial) + 0.01 * static_cast<double>(trial.rung));
  });
  CHECK(ended.trials.size() == 60);
  CHECK(ended.end == End::trials);
  std::vector<std::set<std::string>> rungs(4);
  for (const Trial& trial : ended.trials) {
    CHECK(rungs[trial.rung].insert(trial.point.dump()).second);  // once on each rung
    if (trial.rung > 0) CHECK(rungs[trial.rung - 1].count(trial.point.dump()) == 1);
  }
  CHECK(rungs[3].size() >= 1);
  for (std::size_t i = 1; i < 4; ++i) CHECK(rungs[i].size() < rungs[i - 1].size() * 2 / 3);
  // The chosen trial is one of the highest rung, whatever others had with less.
  CHECK(ended.trials[ranked(search, ended.trials).front()].rung == 3);
}

TEST_CASE("search: patience of asha counts the highest rung only", "[tune]") {
  const Search search = search_of("{" + line + R"(, "generated_max": 400, "strategy": "asha",
      "parallel": 2, "patience": 3, "resource": {"name": "rounds", "min": 1, "max": 4, "factor": 2}})");
  const Ended ended = run(search, [](const Trial&) { return std::optional(0.5); });
  CHECK(ended.end == End::patience);
  std::size_t top = 0;
  for (const Trial& trial : ended.trials) top += trial.rung == 2 ? 1 : 0;
  CHECK(top >= 4);
  CHECK(ended.trials.size() < 60);
}

TEST_CASE("search: ranks go by rung, then metric, then the earlier; failures are last", "[tune]") {
  const Search search = search_of("{" + line + R"(, "generated_max": 9, "strategy": "asha",
      "resource": {"name": "rounds", "min": 1, "max": 2, "factor": 2}})");
  const std::vector<Trial> history{{{}, 0.9, 0}, {{}, std::nullopt, 1}, {{}, 0.5, 1},
                                   {{}, 0.7, 1}, {{}, 0.7, 1}, {{}, std::nullopt, 0}};
  CHECK(ranked(search, history) == std::vector<std::size_t>{3, 4, 2, 0, 1, 5});
}
