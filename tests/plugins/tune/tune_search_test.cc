// tune.search as a function: called round by round, and what it writes at the end.
#include "plugins/tune/tune_search.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "operators/testing/fake_context.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::FakeContext;

const json usual = json::parse(R"({"metric": "auc", "strategy": "random", "parallel": 2,
    "generated_max": 5, "title": "Depths & rates", "space": {"depth": {"integers": [2, 9]},
    "rate": {"range": [0.01, 1], "log": true, "when": {"kind": "b"}},
    "kind": {"choices": ["a", "b"]}}})");

// A trial's evaluation as model.evaluate writes it, with as much as the search reads.
std::string evaluation(const json& value, const std::string& name = "auc") {
  return json{{"metrics", {{{"name", "rmse"}, {"slice", ""}, {"value", 99}},
                           {{"name", name}, {"slice", "origin=JFK"}, {"value", 0.125}},
                           {{"name", name}, {"slice", ""}, {"value", value}}}}}.dump();
}

struct Call {
  FakeContext context;
  wire::Ended ended;

  // `results`: of each element that is done, its evaluation.json.
  Call(json params, const json& generated, const std::vector<std::string>& results) {
    params["generated"] = generated;
    context.params(params.dump()).seed(11);
    context.output("tuning", "tuning/1").output("report", "report/1");
    for (const std::string& text : results) {
      context.input_file("results", "evaluation/1", "evaluation.json", text);
    }
    ended = context.run(tune::tune_search);
  }
  json tuning() const { return json::parse(context.output_text("tuning", "tuning.json")); }
};

std::vector<json> named_by(const wire::Ended& ended) {
  std::vector<json> named;
  for (const auto& request : ended.requests) {
    const json asked = json::parse(canonical(request));
    CHECK(asked["kind"] == "element");
    named.push_back(asked["arguments"]);
  }
  return named;
}

// Calls until it ends; `measure` gives an evaluation.json, or nothing for a trial that fails.
template <class Measure>
json search(const json& params, const Measure& measure, std::size_t* calls = nullptr) {
  json generated = json::array();
  std::vector<std::string> results;
  for (int i = 0; i < 100; ++i) {
    Call call(params, generated, results);
    if (calls != nullptr) ++*calls;
    INFO(call.ended.error);
    if (call.ended.outcome == Outcome::ok) return call.tuning();
    REQUIRE(call.ended.outcome == Outcome::more);
    CHECK(std::filesystem::is_empty(call.context.output_path("tuning")));
    for (json element : named_by(call.ended)) {
      if (!element.contains("rate")) element["rate"] = 0.5;  // the engine fills defaults in
      const std::optional<std::string> result = measure(element);
      generated.push_back({{"values", element}, {"done", result.has_value()}});
      if (result) results.push_back(*result);
    }
  }
  FAIL("a search without an end");
  return {};
}

std::string failure(const json& params, const json& generated = json::array(),
                    const std::vector<std::string>& results = {}) {
  Call call(params, generated, results);
  CHECK(call.ended.outcome == Outcome::invalid);
  return call.ended.error;
}

json with(json params, const std::string& name, const json& value) {
  params[name] = value;
  return params;
}

}  // namespace

TEST_CASE("tune.search: names trials round by round and ends with ranks", "[tune]") {
  std::size_t calls = 0;
  const json tuning = search(usual, [](const json& element) {
    return std::optional(evaluation(1.0 / element["depth"].get<double>()));
  }, &calls);
  CHECK(calls == 4);  // 2, 2, 1, and the end
  REQUIRE(tuning["trials"].size() == 5);
  for (std::size_t i = 0; i < 5; ++i) {
    const json& trial = tuning["trials"][i];
    CHECK(trial["rank"] == i + 1);
    CHECK(trial["chosen"] == (i == 0));
    CHECK(trial["state"] == "done");
    CHECK(trial["metric"] == 1.0 / trial["parameters"]["depth"].get<double>());
    CHECK(trial["parameters"].contains("rate") == (trial["parameters"]["kind"] == "b"));
    CHECK(trial["element"].contains("rate"));
    CHECK(trial["evaluation"].get<std::string>().size() == 64);
    if (i > 0) CHECK(trial["metric"] <= tuning["trials"][i - 1]["metric"]);
  }
  CHECK(tuning["chosen"] == tuning["trials"][0]["element"]);
  CHECK(tuning["ended"] == "trials");
  CHECK(tuning["stopped"] == false);
  CHECK(tuning["sentence"] == "all 5 trials were made");
  CHECK(tuning["space"] == usual["space"]);
  CHECK(tuning["seed"] == 11);
}

TEST_CASE("tune.search: the same results give the same bytes", "[tune]") {
  const auto measure = [](const json& element) {
    return std::optional(evaluation(element["depth"].get<double>()));
  };
  const auto bytes = [&] {  // but for the digests, which are those of other folders
    json tuning = search(usual, measure);
    for (json& trial : tuning["trials"]) trial.erase("evaluation");
    return tuning.dump();
  };
  CHECK(bytes() == bytes());
}

TEST_CASE("tune.search: a trial that fails or has no such metric is ranked last", "[tune]") {
  int count = 0;
  const json tuning = search(usual, [&](const json&) -> std::optional<std::string> {
    switch (count++) {
      case 0: return std::nullopt;
      case 1: return evaluation(nullptr);
      case 3: return evaluation(0.5, "accuracy");
      default: return evaluation(0.7);
    }
  });
  REQUIRE(tuning["trials"].size() == 5);
  std::vector<std::pair<int, std::string>> ranks;
  for (const json& trial : tuning["trials"]) ranks.emplace_back(trial["trial"], trial["state"]);
  CHECK(ranks == std::vector<std::pair<int, std::string>>{
                     {3, "done"}, {5, "done"}, {1, "failed"}, {2, "no_metric"}, {4, "no_metric"}});
  CHECK(tuning["trials"][2]["evaluation"].is_null());
  CHECK(tuning["trials"][3]["metric"].is_null());
}

TEST_CASE("tune.search: a slice may be what counts", "[tune]") {
  const json tuning = search(with(usual, "slice", "origin=JFK"), [](const json& element) {
    return std::optional(evaluation(element["depth"].get<double>()));
  });
  for (const json& trial : tuning["trials"]) CHECK(trial["metric"] == 0.125);
}

TEST_CASE("tune.search: rungs give each trial its resource", "[tune]") {
  json params = usual;
  params["strategy"] = "halving";
  params["generated_max"] = 13;
  params["parallel"] = 9;
  params["resource"] = json::parse(R"({"name": "rounds", "min": 5, "max": 45})");
  const json tuning = search(params, [](const json& element) {
    return std::optional(evaluation(element["depth"].get<double>() + 0.01 * element["rounds"].get<double>()));
  });
  CHECK(tuning["chosen"]["rounds"] == 45);
  CHECK(tuning["trials"][0]["rung"] == 2);
  CHECK(tuning["resource"]["rungs"] == json({5, 15, 45}));
  CHECK(tuning["ended"] == "rungs");
}

TEST_CASE("tune.search: one that is stopped by time writes what it has and says so", "[tune]") {
  const json params = with(usual, "generated_stopped", true);
  const json generated = json::parse(R"([{"values": {"depth": 3, "kind": "a", "rate": 0.5}, "done": true}])");
  Call call(params, generated, {evaluation(0.5)});
  REQUIRE(call.ended.outcome == Outcome::ok);
  CHECK(call.tuning()["stopped"] == true);
  CHECK(call.tuning()["ended"] == "time");
  CHECK_THAT(call.context.output_text("report", "report.html"),
             Catch::Matchers::Contains("stopped by time"));
  CHECK_THAT(failure(params), Catch::Matchers::Contains("none of 0 trials"));
}

TEST_CASE("tune.search: a search in which nothing is measured ends with a sentence", "[tune]") {
  const json failed = json::parse(R"({"values": {"depth": 3, "kind": "a", "rate": 0.5}, "done": false})");
  const std::string sentence = failure(usual, json::array({failed, failed, failed}));
  CHECK_THAT(sentence, Catch::Matchers::Contains("none of 3 trials gave a metric \"auc\""));
  // One that fails at first does not end it.
  CHECK(Call(usual, json::array({failed}), {}).ended.outcome == Outcome::more);
}

TEST_CASE("tune.search: results that are none are refused", "[tune]") {
  const json done = json::parse(R"([{"values": {"depth": 3, "kind": "a"}, "done": true}])");
  CHECK_THAT(failure(usual, done), Catch::Matchers::Contains("fewer artifacts than trials"));
  for (const char* text : {"", "[]", "{\"metrics\": 3}", "\xff"}) {
    CHECK_THAT(failure(usual, done, {text}), Catch::Matchers::Contains("without a list of metrics"));
  }
  CHECK_THAT(failure(with(usual, "space", json::object())), Catch::Matchers::Contains("space"));
}

TEST_CASE("tune.search: its page shows ranks, the course and every parameter", "[tune]") {
  json generated = json::array();
  std::vector<std::string> results;
  for (int i = 0; i < 5; ++i) {
    const bool b = i % 2 == 1;
    generated.push_back({{"values", {{"depth", i + 2}, {"kind", b ? "b" : "a"}, {"rate", 0.1 * (i + 1)}}},
                         {"done", i != 4}});
    if (i != 4) results.push_back(evaluation(0.5 + 0.1 * i));
  }
  Call call(usual, generated, results);
  REQUIRE(call.ended.outcome == Outcome::ok);
  const std::string page = call.context.output_text("report", "report.html");
  const auto count = [&](const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = page.find(part); at != std::string::npos; at = page.find(part, at + 1)) ++found;
    return found;
  };
  CHECK(count("<svg") == 4);
  CHECK(count("<title>Depths &amp; rates</title>") == 1);
  CHECK(count("active in 2 of 5 trials") == 1);
  CHECK(count(">failed<") == 1);
  CHECK(count("Trial 4 with auc = 0.8") == 1);
  CHECK(count("<circle") == 4 + 4 + 2 + 4);
  CHECK(count("nan") == 0);
  CHECK(testing::metric(call.ended, "auc") == 0.8);
  CHECK(testing::metric(call.ended, "trials") == 5);
  const json note = json::parse(canonical(call.ended.notes.at("ranking")));
  CHECK(note["trials"] == 5);
  CHECK(note["metric"] == "auc");
  CHECK(note["ranks"][0].dump() == R"({"parameters":{"depth":5,"kind":"b","rate":0.4},)"
                                   R"("rung":0,"trial":4,"value":0.8})");
  CHECK(note["ranks"][4]["value"].is_null());
}
