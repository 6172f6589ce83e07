// model.evaluate: slices, groups, data sets, baselines and blessings, as functions of small tables.
#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "model/model.h"
#include "operators/testing/fake_context.h"
#include "plugins/model/model_evaluate.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

// A tree with one question: x < 0 goes left.  Leaves are margins, as texts of JSON.
std::string tree(const std::string& left, const std::string& right) {
  return R"({"left_children":[1,-1,-1],"right_children":[2,-1,-1],"split_conditions":[0.0,)" +
         left + "," + right +
         R"(],"split_indices":[0,0,0],"default_left":[1,0,0],"split_type":[0,0,0],)"
         R"("categories_nodes":[],"categories_segments":[],"categories_sizes":[],"categories":[]})";
}

// A model/1 whose score grows with x, written by hand.
std::filesystem::path model_in(const std::filesystem::path& folder,
                               const std::vector<std::string>& trees,
                               const std::string& objective = "binary:logistic") {
  std::filesystem::create_directories(folder);
  std::string list, groups;
  for (const std::string& one : trees) {
    list += (list.empty() ? "" : ",") + one;
    groups += groups.empty() ? "0" : ",0";
  }
  std::ofstream(folder / "trees.json")
      << R"({"learner":{"gradient_booster":{"name":"gbtree","model":{"trees":[)" << list
      << R"(],"tree_info":[)" << groups << R"(]}},"objective":{"name":")" << objective
      << R"("},"learner_model_param":{"num_feature":"1","num_class":"0","base_score":"5E-1"}}})";
  model::Signature signature;
  signature.features = {{"x", model::FeatureType::real, {}}};
  signature.objective = *model::objective_of(objective);
  signature.label = {"y", signature.objective == model::Objective::binary_logistic
                              ? model::FeatureType::boolean
                              : model::FeatureType::real, {}};
  const auto text = model::model_json(signature, "trees.json", "{}");
  REQUIRE(text);
  std::ofstream(folder / "model.json") << *text;
  return folder;
}

struct Evaluation {
  FakeContext context;
  wire::Ended ended;
  int inputs = 0;

  explicit Evaluation(const std::vector<std::string>& trees = {tree("-1.0", "1.0")},
                      const std::string& objective = "binary:logistic") {
    context.input("model", "model/1", model_in(context.folder() / "m", trees, objective));
  }
  Evaluation& on(const ExamplesMaker& maker, const std::string& port = "examples") {
    context.input(port, "examples/1",
                  maker.write(context.folder() / ("given" + std::to_string(inputs++))));
    return *this;
  }
  Evaluation& baseline(const std::vector<std::string>& trees,
                       const std::string& objective = "binary:logistic") {
    context.input("baseline", "model/1", model_in(context.folder() / "b", trees, objective));
    return *this;
  }
  Evaluation& run(const std::string& params = "{}") {
    context.params(params).output("evaluation", "evaluation/1");
    ended = context.run(evaluation::model_evaluate);
    return *this;
  }
  std::string text() const {
    INFO(ended.error);
    REQUIRE(ended.outcome == Outcome::ok);
    return context.output_text("evaluation", "evaluation.json");
  }
  json result() const { return json::parse(text()); }
};

// Twelve people; x < 0 is called negative, x ≥ 0 positive.
ExamplesMaker people() {
  ExamplesMaker maker;
  maker.words("sex", {"m", "m", "m", "m", "m", "m", "f", "f", "f", "f", std::nullopt, "f"})
      .integers("age", {20, 30, 40, 50, 60, 70, 20, 30, 40, std::nullopt, 60, 70})
      .numbers("x", {-1, 1, 1, 1, -1, 1, -1, -1, 1, -1, 1, -1})
      .flags("y", {false, true, true, false, true, true, false, true, true, false, true, false});
  return maker;
}

json metric_of(const json& result, const std::string& name, const std::string& slice = "") {
  for (const json& metric : result["metrics"]) {
    if (metric["name"] == name && metric["slice"] == slice) return metric;
  }
  FAIL("no metric " << name << " of slice '" << slice << "'");
  return {};
}

std::vector<std::string> names_of(const json& slices) {
  std::vector<std::string> names;
  for (const json& slice : slices) names.push_back(slice["name"]);
  return names;
}

std::string refusal(const std::string& params) {
  Evaluation evaluation;
  evaluation.on(people()).run(params);
  CHECK(evaluation.ended.outcome == Outcome::invalid);
  return evaluation.ended.error;
}

}  // namespace

TEST_CASE("evaluate: columns can be crossed", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).run(R"({"slices":["sex",["sex","y"]]})");
  const json result = evaluation.result();
  CHECK(names_of(result["slices"]) ==
        std::vector<std::string>{"", "sex=(missing)", "sex=f", "sex=m", "sex=(missing), y=true",
                                 "sex=f, y=false", "sex=f, y=true", "sex=m, y=false",
                                 "sex=m, y=true"});
  CHECK(metric_of(result, "label_mean", "sex=m, y=true")["value"] == 1.0);
  CHECK(metric_of(result, "recall", "sex=m")["value"] == 0.75);
}

TEST_CASE("evaluate: numbers are cut where somebody says, or into equal parts", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).run(R"({"slices":["age"],"buckets":{"age":[30,60.5]}})");
  json result = evaluation.result();
  CHECK(names_of(result["slices"]) == std::vector<std::string>{"", "age=..30", "age=30..60.5",
                                                               "age=60.5..", "age=(missing)"});
  CHECK(result["slices"][2]["rows"] == 7);
  Evaluation parts;
  parts.on(people()).run(R"({"slices":["x","age"],"buckets":{"age":2,"x":[0]}})");
  result = parts.result();
  CHECK(names_of(result["slices"]) == std::vector<std::string>{"", "x=..0", "x=0..", "age=..40",
                                                               "age=40..", "age=(missing)"});
  CHECK(metric_of(result, "selection_rate", "x=0..")["value"] == 1.0);
}

TEST_CASE("evaluate: a condition in SQL makes slices, alone and crossed", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).run(
      R"({"where":{"old":"age >= 50 -- years","nobody":"age > 200"},"slices":[["sex","old"]],
          "require":[{"metric":"recall","slice":"nobody=true","min":0}]})");
  const json result = evaluation.result();
  CHECK(names_of(result["slices"]) ==
        std::vector<std::string>{"", "sex=(missing), old=true", "sex=f, old=false",
                                 "sex=f, old=true", "sex=m, old=false", "sex=m, old=true",
                                 "nobody=false", "nobody=true", "old=false", "old=true"});
  CHECK(result["slices"][7] == json({{"name", "nobody=true"}, {"rows", 0}, {"measured", false}}));
  CHECK(result["slices"][9]["rows"] == 5);
  // An age that is missing is not known to be fifty.
  CHECK(result["slices"][8]["rows"] == 7);
  CHECK(metric_of(result, "label_mean", "old=true")["value"] == 0.6);
  CHECK(result["blessing"]["blessed"] == false);
  CHECK_THAT(refusal(R"({"where":{"x":"agee > 3"}})"), Catch::Contains("agee"));
  CHECK_THAT(refusal(R"({"where":{"x":"random() > 0.5"}})"), Catch::Contains("where.x"));
  CHECK_THAT(refusal(R"({"where":{"x":"avg(age) > 3"}})"), Catch::Contains("on one row"));
  CHECK_THAT(refusal(R"({"where":{"sex":"true"},"slices":["sex"]})"), Catch::Contains("too"));
}

TEST_CASE("evaluate: small slices are listed, not measured", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).run(
      R"p({"slices":["sex"],"slice_rows_min":2,
          "require":[{"metric":"recall","slice":"sex=(missing)","min":0}]})p");
  const json result = evaluation.result();
  CHECK(result["slices"][1] == json({{"name", "sex=(missing)"}, {"rows", 1}, {"measured", false}}));
  for (const json& metric : result["metrics"]) CHECK(metric["slice"] != "sex=(missing)");
  CHECK(result["blessing"]["blessed"] == false);
}

TEST_CASE("evaluate: groups are compared with the largest, or with the one that is named",
          "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).run(R"({"fairness":["sex"],"slice_rows_min":2,"bootstraps":100})");
  json result = evaluation.result();
  CHECK(result["fairness"][0]["reference"] == "sex=m");
  CHECK(result["fairness"][0]["groups"] == json::array({"sex=f"}));
  // Selected: 4 of 6 men, 1 of 5 women.
  CHECK(metric_of(result, "selection_rate_ratio", "sex=f")["value"].get<double>() ==
        Approx(0.2 / (4.0 / 6)));
  const json difference = metric_of(result, "selection_rate_difference", "sex=f");
  CHECK(difference["value"].get<double>() == Approx(0.2 - 4.0 / 6));
  CHECK(difference["interval"][0] < difference["value"]);
  CHECK(difference["interval"][1] > difference["value"]);
  CHECK(metric_of(result, "recall_difference", "sex=f")["value"].get<double>() == Approx(0.5 - 0.75));
  Evaluation named;
  named.on(people()).run(
      R"({"fairness":["sex"],"reference":{"sex":"f"},
          "require":[{"metric":"selection_rate_ratio","slice":"sex=*","min":0.8,"max":1.25}]})");
  result = named.result();
  CHECK(result["fairness"][0]["reference"] == "sex=f");
  CHECK(metric_of(result, "selection_rate_ratio", "sex=m")["value"].get<double>() ==
        Approx(4.0 / 6 / 0.2));
  CHECK(result["blessing"]["blessed"] == false);
  CHECK_THAT(refusal(R"({"fairness":["sex"],"reference":{"sex":"x"}})"),
             Catch::Contains("\"x\" does not occur"));
  CHECK_THAT(refusal(R"({"reference":{"sex":"x"}})"), Catch::Contains("not in \"fairness\""));
}

TEST_CASE("evaluate: a lone group is compared with nobody", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).run(R"({"fairness":["sex"],"slice_rows_min":6})");
  CHECK_THAT(evaluation.result()["fairness"][0]["sentence"].get<std::string>(),
             Catch::Contains("fewer than two groups"));
}

TEST_CASE("evaluate: a ratio to nothing is not defined", "[evaluate]") {
  ExamplesMaker maker;
  maker.words("g", {"a", "a", "b"}).numbers("x", {-1, -1, 1}).flags("y", {true, false, true});
  Evaluation evaluation;
  evaluation.on(maker).run(R"({"fairness":["g"]})");
  CHECK(metric_of(evaluation.result(), "selection_rate_ratio", "g=b")["value"].is_null());
  CHECK(metric_of(evaluation.result(), "selection_rate_difference", "g=b")["value"] == 1.0);
}

TEST_CASE("evaluate: further data sets are measured apart", "[evaluate]") {
  ExamplesMaker recent;
  recent.words("sex", {"m", "f"}).integers("age", {1, 2}).numbers("x", {1, 1});
  recent.flags("y", {true, false});
  Evaluation evaluation;
  evaluation.on(people()).on(recent, "recent").run(R"({"slices":["sex"]})");
  const json result = evaluation.result();
  CHECK(result["rows"] == 12);
  CHECK(result["datasets"] == json::array({"examples", "recent"}));
  CHECK(metric_of(result, "precision", "dataset=recent")["value"] == 0.5);
  CHECK(metric_of(result, "precision", "dataset=recent, sex=f")["value"] == 0.0);
  Evaluation alone;
  alone.on(people()).run(R"({"slices":["sex"]})");
  for (const char* name : {"auc", "brier", "recall"}) {
    CHECK(metric_of(result, name) == metric_of(alone.result(), name));
    CHECK(metric_of(result, name, "sex=f") == metric_of(alone.result(), name, "sex=f"));
  }
}

TEST_CASE("evaluate: a baseline is measured on the same rows", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).baseline({tree("1.0", "-1.0")});
  evaluation.run(R"({"bootstraps":50,"require":[{"metric":"auc","gain":0.1}]})");
  const json result = evaluation.result();
  const json auc = metric_of(result, "auc");
  CHECK(auc["baseline"].get<double>() == Approx(1 - auc["value"].get<double>()));
  CHECK(auc["difference"].get<double>() ==
        Approx(auc["value"].get<double>() - auc["baseline"].get<double>()));
  CHECK(auc["difference_interval"].size() == 2);
  CHECK(result["blessing"]["blessed"] == true);
  CHECK(testing::metric(evaluation.ended, "blessed") == 1.0);
  Evaluation twin;
  twin.on(people()).baseline({tree("-1.0", "1.0")});
  twin.run(R"({"bootstraps":50,"require":[{"metric":"auc","gain":0.1}]})");
  CHECK(metric_of(twin.result(), "auc")["difference_interval"] == json::array({0.0, 0.0}));
  CHECK(twin.result()["blessing"]["blessed"] == false);
}

TEST_CASE("evaluate: a baseline that answers another question blesses nothing", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).baseline({tree("1.0", "-1.0")}, "reg:squarederror");
  evaluation.run(R"({"require":[{"metric":"auc","min":0,"gain":-1}]})");
  const json result = evaluation.result();
  CHECK(result["blessing"]["blessed"] == false);
  CHECK_THAT(result["baseline"]["unusable"].get<std::string>(),
             Catch::Contains("predicts something else"));
  CHECK_FALSE(metric_of(result, "auc").contains("baseline"));
}

TEST_CASE("evaluate: the first model is blessed by values alone", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(people()).run(R"({"require":[{"metric":"auc","min":0.5,"gain":0.1}]})");
  CHECK(evaluation.result()["blessing"]["blessed"] == true);
  CHECK_THAT(evaluation.result()["blessing"]["sentence"].get<std::string>(),
             Catch::Contains("there is no baseline"));
}

TEST_CASE("evaluate: the same bytes with any number of threads", "[evaluate]") {
  const std::string params = R"({"bootstraps":60,"slices":["sex"],"fairness":["sex"]})";
  const auto text = [&](double cpus) {
    Evaluation evaluation;
    evaluation.context.cpus(cpus).seed(4);
    return evaluation.on(people()).baseline({tree("0.5", "1.0")}).run(params).text();
  };
  const std::string one = text(1);
  CHECK(one == text(2));
  CHECK(one == text(5));
}

TEST_CASE("evaluate: a score that is no number is counted and blesses nothing", "[evaluate]") {
  // Sums of leaves beyond the largest number: infinite less infinite for x ≥ 0.
  Evaluation evaluation({tree("0.0", "1e39"), tree("0.0", "-1e39")});
  evaluation.on(people()).run(R"({"require":[{"metric":"brier","max":1}]})");
  const json result = evaluation.result();
  CHECK(result["rows_without_score"] == 6);
  CHECK(result["rows"] == 6);
  CHECK(result["blessing"]["blessed"] == false);
  CHECK_THAT(result["blessing"]["sentence"].get<std::string>(), Catch::Contains("no number"));
  ExamplesMaker bad;
  bad.numbers("x", {1, 2}).flags("y", {true, false});
  Evaluation nothing({tree("0.0", "1e39"), tree("0.0", "-1e39")});
  nothing.on(bad).run();
  CHECK(nothing.ended.outcome == Outcome::invalid);
  CHECK(nothing.ended.error == "no row of the examples got a number as its score");
}

TEST_CASE("evaluate: an infinite feature is scored, an infinite label refused", "[evaluate]") {
  const double infinite = std::numeric_limits<double>::infinity();
  ExamplesMaker far;
  far.numbers("x", {infinite, -infinite}).flags("y", {true, false});
  Evaluation evaluation;
  CHECK(metric_of(evaluation.on(far).run().result(), "auc")["value"] == 1.0);
  ExamplesMaker wrong;
  wrong.numbers("x", {1, 2}).numbers("y", {1, infinite});
  Evaluation values({tree("0.0", "2.0")}, "reg:squarederror");
  values.on(wrong).run();
  CHECK(values.ended.outcome == Outcome::invalid);
  CHECK_THAT(values.ended.error, Catch::Contains("label \"y\" has an infinite value"));
}

TEST_CASE("evaluate: constant labels of values have errors but no share explained", "[evaluate]") {
  ExamplesMaker maker;
  maker.numbers("x", {-1, 1}).numbers("y", {3, 3});
  Evaluation evaluation({tree("0.0", "2.0")}, "reg:squarederror");
  const json result = evaluation.on(maker).run(R"({"bootstraps":30})").result();
  CHECK(metric_of(result, "r2")["value"].is_null());
  CHECK(metric_of(result, "r2")["interval"].is_null());
  CHECK(metric_of(result, "mae")["value"].get<double>() == Approx((2.5 + 0.5) / 2));
}

TEST_CASE("evaluate: parameters that say nothing sensible are refused", "[evaluate]") {
  CHECK_THAT(refusal(R"({"slices":[["sex",3]]})"), Catch::Contains("names of columns"));
  CHECK_THAT(refusal(R"({"slices":["x"]})"), Catch::Contains("\"buckets\""));
  CHECK_THAT(refusal(R"({"buckets":{"age":[3,3]}})"), Catch::Contains("numbers that rise"));
  CHECK_THAT(refusal(R"({"buckets":{"age":1}})"), Catch::Contains("2 to 100"));
  CHECK_THAT(refusal(R"({"slices":["sex"],"buckets":{"sex":2}})"), Catch::Contains("numbers"));
  CHECK_THAT(refusal(R"({"recalls":[0]})"), Catch::Contains("\"recalls\""));
  CHECK_THAT(refusal(R"({"confidence":1.0})"), Catch::Contains("between 0 and 1"));
  CHECK_THAT(refusal(R"({"require":["auc"]})"), Catch::Contains("no table"));
  CHECK_THAT(refusal(R"({"require":[{"metric":"auc"}]})"), Catch::Contains("says nothing about"));
  CHECK_THAT(refusal(R"({"require":[{"min":1}]})"), Catch::Contains("without \"metric\""));
  CHECK_THAT(refusal(R"({"require":[{"metric":"auc","mim":1}]})"), Catch::Contains("\"mim\""));
  CHECK_THAT(refusal(R"({"require":[{"metric":"auc","min":1,"sure":true}]})"),
             Catch::Contains("\"bootstraps\""));
}
