// model.explain as a function: a model that is known through and through, and what is said of it.
#include "plugins/model/model_explain.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "operators/testing/fake_context.h"
#include "plugins/train/train_trees.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

// late hangs on distance and origin together; noise says nothing.
ExamplesMaker flights(std::size_t rows = 400, bool with_label = true) {
  std::mt19937 random(5);
  ExamplesMaker::Column<std::int64_t> distance;
  ExamplesMaker::Column<double> noise;
  ExamplesMaker::Column<std::string> origin;
  ExamplesMaker::Column<bool> late;
  for (std::size_t i = 0; i < rows; ++i) {
    distance.push_back(static_cast<std::int64_t>(random() % 1000));
    noise.push_back(static_cast<double>(random() % 1000));
    origin.push_back(random() % 3 == 0 ? "JFK" : "EWR");
    if (random() % 10 == 0) origin.back().reset();
    late.push_back(*distance.back() > 500 && origin.back() == "JFK");
  }
  ExamplesMaker maker;
  maker.integers("distance", distance).numbers("noise", noise).words("origin", origin);
  if (with_label) maker.flags("late", late);
  return maker;
}

struct Explaining {
  FakeContext trainer, context;
  wire::Ended ended;

  Explaining() {
    trainer.params(R"({"label":"late","rounds":20})");
    trainer.output("model", "model/1").output("log", "report/1");
    trainer.input("examples", "examples/1", flights().write(trainer.folder() / "given"));
    REQUIRE(trainer.run(train::train_trees).outcome == Outcome::ok);
    context.input("model", "model/1", trainer.output_path("model"));
  }
  Explaining& on(const ExamplesMaker& maker) {
    context.input("examples", "examples/1", maker.write(context.folder() / "given"));
    return *this;
  }
  Explaining& run(const std::string& params = "{}", bool contributions = false) {
    context.params(params).output("explanation", "explanation/1");
    if (contributions) context.output("contributions", "contributions/1");
    ended = context.run(evaluation::model_explain);
    return *this;
  }
  std::string text() const {
    INFO(ended.error);
    REQUIRE(ended.outcome == Outcome::ok);
    return context.output_text("explanation", "explanation.json");
  }
  json result() const { return json::parse(text()); }
};

json importance_of(const json& result, const std::string& feature) {
  for (const json& one : result["importance"]) {
    if (one["feature"] == feature) return one;
  }
  FAIL("no importance of " << feature);
  return {};
}

}  // namespace

TEST_CASE("explain: what decides comes first, noise matters little", "[explain]") {
  Explaining explaining;
  const json result = explaining.on(flights()).run().result();
  CHECK(result["rows"] == 400);
  CHECK(result["metric"] == "auc");
  const json distance = importance_of(result, "distance"), noise = importance_of(result, "noise");
  CHECK(distance["shap"].get<double>() > 10 * noise["shap"].get<double>());
  CHECK(distance["permutation"].get<double>() > 0.03);
  CHECK(std::abs(noise["permutation"].get<double>()) < 0.01);
  CHECK(distance["shap_interval"][0] < distance["shap"]);
  CHECK(distance["shap_interval"][1] > distance["shap"]);
  CHECK(distance["permutation_interval"][0].get<double>() > 0);
  CHECK(result["interactions"][0]["features"].size() == 2);
  CHECK(result["interactions"][0]["strength"].get<double>() >
        5 * result["interactions"][2]["strength"].get<double>());
  CHECK(testing::metric(explaining.ended, "shap", "feature=distance") == distance["shap"]);
}

TEST_CASE("explain: dependence has values as the examples have them", "[explain]") {
  Explaining explaining;
  const json result =
      explaining.on(flights()).run(R"({"features":["origin","distance"],"points":5})").result();
  REQUIRE(result["dependence"].size() == 2);
  const json& origin = result["dependence"][0];
  REQUIRE(origin["points"].size() == 3);
  CHECK(origin["points"][0]["value"] == "EWR");
  CHECK(origin["points"][1]["value"] == "JFK");
  CHECK(origin["points"][2]["value"].is_null());
  CHECK(origin["points"][1]["scores"][0].get<double>() >
        origin["points"][0]["scores"][0].get<double>() + 0.2);
  CHECK(origin["lines"].size() == 30);
  CHECK(origin["lines"][0].size() == 3);
  const json& distance = result["dependence"][1];
  CHECK(distance["points"].size() == 5);
  CHECK(distance["points"][4]["scores"][0] > distance["points"][0]["scores"][0]);
}

TEST_CASE("explain: contributions have a row a row and a column a feature", "[explain]") {
  Explaining explaining;
  explaining.on(flights(50)).run("{}", true).text();
  auto reader = ExamplesReader::open({explaining.context.output_path("contributions").string()});
  REQUIRE(reader);
  const auto batch = *reader->next();
  CHECK(batch->num_rows() == 50);
  CHECK(batch->schema()->field_names() ==
        std::vector<std::string>{"distance", "noise", "origin", "(base)"});
}

TEST_CASE("explain: the same bytes with any number of threads, and a sample of any cut",
          "[explain]") {
  const auto text = [](double cpus, bool in_parts) {
    Explaining explaining;
    explaining.context.cpus(cpus).seed(3);
    if (in_parts) {
      for (const auto& [begin, end] : {std::pair{0, 170}, std::pair{170, 400}}) {
        explaining.context.input(
            "examples", "examples/1",
            flights().write(explaining.context.folder() / std::to_string(begin), begin, end));
      }
    } else {
      explaining.on(flights());
    }
    return explaining.run(R"({"rows":100})").text();
  };
  const std::string one = text(1, false);
  CHECK(json::parse(one)["rows"] == 100);
  CHECK(json::parse(one)["rows_seen"] == 400);
  CHECK(one == text(4, false));
  CHECK(one == text(2, true));
}

TEST_CASE("explain: without labels nothing is shuffled, the rest is there", "[explain]") {
  Explaining explaining;
  const json result = explaining.on(flights(60, false)).run().result();
  CHECK(result["metric"] == "");
  CHECK(importance_of(result, "distance")["permutation"].is_null());
  CHECK(importance_of(result, "distance")["shap"].get<double>() > 0);
  CHECK(result["dependence"].size() == 3);
}

TEST_CASE("explain: one class alone has no area to lose", "[explain]") {
  ExamplesMaker alike;
  alike.integers("distance", {1, 2}).numbers("noise", {1, 2}).words("origin", {"JFK", "EWR"});
  alike.flags("late", {false, false});
  Explaining explaining;
  CHECK(explaining.on(alike).run().result()["metric"] == "");
}

TEST_CASE("explain: what cannot be explained is said in a sentence", "[explain]") {
  Explaining unknown;
  unknown.on(flights(20)).run(R"({"features":["tail"]})");
  CHECK(unknown.ended.outcome == Outcome::invalid);
  CHECK_THAT(unknown.ended.error, Catch::Contains("\"tail\", which is no feature"));
  Explaining empty;
  empty.on(flights(0)).run();
  CHECK(empty.ended.outcome == Outcome::invalid);
  CHECK_THAT(empty.ended.error, Catch::Contains("no rows"));
  Explaining stopped;
  stopped.context.cancel();
  stopped.on(flights(20)).run();
  CHECK(stopped.ended.outcome == Outcome::cancelled);
}
