// model.evaluate as a function: a model and examples in, metrics and predictions out.
#include "plugins/model/model_evaluate.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operators/testing/fake_context.h"
#include "plugins/train/train_trees.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

// Sixteen flights: those from JFK are late but for one.
ExamplesMaker flights(bool with_gaps = false) {
  ExamplesMaker::Column<std::string> origin;
  ExamplesMaker::Column<std::int64_t> distance;
  ExamplesMaker::Column<bool> late;
  for (int i = 0; i < 16; ++i) {
    origin.push_back(i % 2 == 0 ? "JFK" : "EWR");
    distance.push_back(100 * i);
    late.push_back(i % 2 == 0 && i != 4);
  }
  if (with_gaps) {
    origin[3] = std::nullopt;
    origin[5] = "ZZZ";
    late[7] = std::nullopt;
  }
  ExamplesMaker maker;
  maker.words("origin", origin).integers("distance", distance).flags("late", late);
  return maker;
}

// A model of the flights, made once a test.
struct Evaluation {
  FakeContext trainer;
  FakeContext context;
  wire::Ended ended;

  explicit Evaluation(const ExamplesMaker& learned = flights(),
                      const std::string& params =
                          R"({"label":"late","rounds":20,"min_child_weight":0})") {
    trainer.params(params).output("model", "model/1").output("log", "report/1");
    trainer.input("examples", "examples/1", learned.write(trainer.folder() / "given"));
    const wire::Ended trained = trainer.run(train::train_trees);
    INFO(trained.error);
    REQUIRE(trained.outcome == Outcome::ok);
    context.input("model", "model/1", trainer.output_path("model"));
  }
  Evaluation& on(const ExamplesMaker& maker, const std::string& name = "given") {
    context.input("examples", "examples/1", maker.write(context.folder() / name));
    return *this;
  }
  Evaluation& run(const std::string& params = "{}") {
    context.params(params).output("evaluation", "evaluation/1");
    context.output("predictions", "predictions/1");
    ended = context.run(evaluation::model_evaluate);
    return *this;
  }
  json result() const {
    INFO(ended.error);
    REQUIRE(ended.outcome == Outcome::ok);
    return json::parse(context.output_text("evaluation", "evaluation.json"));
  }
  std::shared_ptr<arrow::RecordBatch> predictions() const {
    auto reader = ExamplesReader::open({context.output_path("predictions").string()});
    REQUIRE(reader);
    auto batch = reader->next();
    REQUIRE(batch);
    return *batch;
  }
};

json metric_of(const json& result, const std::string& name, const std::string& slice = "") {
  for (const json& metric : result["metrics"]) {
    if (metric["name"] == name && metric["slice"] == slice) return metric;
  }
  FAIL("no metric " << name << " of slice '" << slice << "'");
  return {};
}

std::vector<std::string> names_of(const arrow::RecordBatch& batch) {
  return batch.schema()->field_names();
}

}  // namespace

TEST_CASE("evaluate: metrics are written and reported as facts", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(flights()).run();
  const json result = evaluation.result();
  CHECK(result["label"] == "late");
  CHECK(result["rows"] == 16);
  CHECK(result["rows_without_label"] == 0);
  CHECK(metric_of(result, "auc")["value"] > 0.9);
  CHECK(metric_of(result, "auc")["interval"].is_null());
  CHECK(metric_of(result, "precision")["threshold"] == 0.5);
  CHECK(testing::metric(evaluation.ended, "auc") == metric_of(result, "auc")["value"]);
  CHECK(testing::metric(evaluation.ended, "rows") == 16.0);
  CHECK(result["counts"][0]["true_positives"].get<int>() +
            result["counts"][0]["false_negatives"].get<int>() == 7);
  CHECK(result["curves"].size() == 5);
  CHECK(result["blessing"]["blessed"] == false);
  CHECK(testing::metric(evaluation.ended, "blessed") == 0.0);
}

TEST_CASE("evaluate: other thresholds have names of their own among the facts", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(flights()).run(R"({"thresholds":[0.25,0.5]})");
  const json result = evaluation.result();
  CHECK(metric_of(result, "recall")["threshold"] == 0.25);
  CHECK(testing::metric(evaluation.ended, "recall"));
  CHECK(testing::metric(evaluation.ended, "recall@0.5"));
  CHECK_FALSE(testing::metric(evaluation.ended, "recall@0.25"));
  CHECK(result["counts"].size() == 2);
}

TEST_CASE("evaluate: slices have their own metrics, a null is a slice too", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(flights(true)).run(R"({"slices":["origin","distance"]})");
  const json result = evaluation.result();
  CHECK(metric_of(result, "label_mean", "origin=JFK")["value"] == 7.0 / 8);
  CHECK(metric_of(result, "label_mean", "origin=EWR")["value"] == 0.0);
  CHECK(metric_of(result, "auc", "origin=EWR")["value"].is_null());
  CHECK(metric_of(result, "label_mean", "origin=ZZZ")["value"] == 0.0);
  CHECK(metric_of(result, "label_mean", "origin=(missing)")["value"] == 0.0);
  CHECK(metric_of(result, "label_mean", "distance=400")["value"] == 0.0);
  CHECK_FALSE(testing::metric(evaluation.ended, "auc", "origin=EWR"));
}

TEST_CASE("evaluate: rows without label are scored but not measured", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(flights(true)).run(R"({"keep":["distance"]})");
  CHECK(evaluation.result()["rows"] == 15);
  CHECK(evaluation.result()["rows_without_label"] == 1);
  const auto batch = evaluation.predictions();
  CHECK(batch->num_rows() == 16);
  CHECK(names_of(*batch) == std::vector<std::string>{"distance", "label", "score"});
  CHECK(batch->GetColumnByName("label")->IsNull(7));
  CHECK(batch->GetColumnByName("score")->null_count() == 0);
  const auto& distance = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("distance"));
  for (int row = 0; row < 16; ++row) CHECK(distance.Value(row) == 100 * row);
}

TEST_CASE("evaluate: an unknown category scores like a missing one", "[evaluate]") {
  ExamplesMaker unknown;
  unknown.words("origin", {"ZZZ", std::nullopt}).integers("distance", {500, 500});
  unknown.flags("late", {true, false});
  Evaluation evaluation;
  evaluation.on(unknown).run();
  const auto batch = evaluation.predictions();
  const auto& score = static_cast<const arrow::DoubleArray&>(*batch->GetColumnByName("score"));
  CHECK(score.Value(0) == score.Value(1));
}

TEST_CASE("evaluate: several artifacts are one table in their order", "[evaluate]") {
  Evaluation whole;
  whole.on(flights()).run();
  Evaluation pieces;
  pieces.context.input("examples", "examples/1",
                       flights().write(pieces.context.folder() / "a", 0, 5));
  pieces.context.input("examples", "examples/1", flights().write(pieces.context.folder() / "b", 5));
  pieces.run();
  CHECK(whole.result() == pieces.result());
  CHECK(whole.predictions()->Equals(*pieces.predictions()));
}

TEST_CASE("evaluate: classes have a score each and the best is predicted", "[evaluate]") {
  ExamplesMaker maker;
  ExamplesMaker::Column<double> size;
  ExamplesMaker::Column<std::string> species;
  for (int i = 0; i < 30; ++i) {
    size.push_back(i);
    species.push_back(i < 10 ? "small" : i < 20 ? "middle" : "large");
  }
  maker.numbers("size", size).words("species", species);
  Evaluation evaluation(maker, R"({"label":"species","rounds":20,"min_child_weight":0})");
  species[0] = "tiny";
  ExamplesMaker other;
  other.numbers("size", size).words("species", species);
  evaluation.on(other).run();
  const json result = evaluation.result();
  CHECK(metric_of(result, "accuracy")["value"] == 1.0);
  CHECK(result["rows_of_unknown_class"] == 1);
  const auto batch = evaluation.predictions();
  CHECK(names_of(*batch) == std::vector<std::string>{"label", "predicted", "score.large",
                                                     "score.middle", "score.small"});
  CHECK(static_cast<const arrow::StringArray&>(*batch->GetColumnByName("predicted")).GetView(29) ==
        "large");
}

TEST_CASE("evaluate: values have errors", "[evaluate]") {
  ExamplesMaker maker;
  maker.numbers("x", {1, 2, 3, 4}).numbers("y", {10, 20, 30, 40});
  Evaluation evaluation(maker, R"({"label":"y","rounds":50,"min_child_weight":0,"lambda":0})");
  evaluation.on(maker).run();
  CHECK(metric_of(evaluation.result(), "r2")["value"] > 0.9);
}

TEST_CASE("evaluate: examples that do not fit the model are refused by name", "[evaluate]") {
  const auto refusal = [](const ExamplesMaker& maker, const std::string& params = "{}") {
    Evaluation evaluation;
    evaluation.on(maker).run(params);
    CHECK(evaluation.ended.outcome == Outcome::invalid);
    return evaluation.ended.error;
  };
  ExamplesMaker no_label;
  no_label.words("origin", {"JFK"}).integers("distance", {1});
  CHECK_THAT(refusal(no_label), Catch::Contains("\"late\""));
  ExamplesMaker no_feature;
  no_feature.words("origin", {"JFK"}).flags("late", {true});
  CHECK(refusal(no_feature) ==
        "the examples have no column \"distance\", which is a feature of the model");
  ExamplesMaker words;
  words.words("origin", {"JFK"}).words("distance", {"far"}).flags("late", {true});
  CHECK(refusal(words) == "column \"distance\" is of type string and cannot be used as numbers");
  ExamplesMaker numbers;
  numbers.integers("origin", {1}).integers("distance", {1}).flags("late", {true});
  CHECK(refusal(numbers) == "column \"origin\" is of type int64 and cannot be used as categories");
  ExamplesMaker unlabelled;
  unlabelled.words("origin", {"JFK"}).integers("distance", {1}).flags("late", {std::nullopt});
  CHECK_THAT(refusal(unlabelled), Catch::Contains("no row of the examples has a label"));
  CHECK_THAT(refusal(flights(), R"({"keep":["tail"]})"), Catch::Contains("\"tail\""));
  CHECK_THAT(refusal(flights(), R"({"keep":["origin","origin"]})"), Catch::Contains("twice"));
  CHECK_THAT(refusal(flights(), R"({"slices":["tail"]})"), Catch::Contains("\"tail\""));
  CHECK_THAT(refusal(flights(), R"({"thresholds":[]})"), Catch::Contains("empty"));
  CHECK_THAT(refusal(flights(), R"({"thresholds":["half"]})"), Catch::Contains("half"));
}

TEST_CASE("evaluate: a column without any value fits every feature", "[evaluate]") {
  ExamplesMaker maker;
  maker.integers("origin", {std::nullopt, std::nullopt}).words("distance", {std::nullopt, std::nullopt});
  maker.flags("late", {true, false});
  Evaluation evaluation;
  evaluation.on(maker).run();
  CHECK(evaluation.result()["rows"] == 2);
}

TEST_CASE("evaluate: all columns can be kept, a thousand slices cannot", "[evaluate]") {
  Evaluation evaluation;
  evaluation.on(flights()).run(R"({"keep":["*"]})");
  CHECK(names_of(*evaluation.predictions()) ==
        std::vector<std::string>{"origin", "distance", "label", "score"});
  ExamplesMaker::Column<std::string> words;
  ExamplesMaker::Column<std::int64_t> distance;
  ExamplesMaker::Column<bool> late;
  for (int i = 0; i < 1001; ++i) {
    words.push_back("word " + std::to_string(i));
    distance.push_back(i);
    late.push_back(i % 2 == 0);
  }
  ExamplesMaker many;
  many.words("origin", words).integers("distance", distance).flags("late", late);
  Evaluation sliced;
  sliced.on(many).run(R"({"slices":["origin"]})");
  CHECK(sliced.ended.outcome == Outcome::invalid);
  CHECK_THAT(sliced.ended.error, Catch::Contains("too many for slices"));
}

TEST_CASE("evaluate: it stops when somebody asks for it", "[evaluate]") {
  Evaluation evaluation;
  evaluation.context.cancel();
  evaluation.on(flights()).run();
  CHECK(evaluation.ended.outcome == Outcome::cancelled);
}

TEST_CASE("evaluate: an optional input may be left out, which is as if it were missing",
          "[evaluate][domains]") {
  const std::string params =
      R"({"label":"late","rounds":20,"min_child_weight":0,"optional":["distance"]})";
  const auto without = [](bool column) {
    ExamplesMaker::Column<std::string> origin;
    ExamplesMaker::Column<std::int64_t> distance;
    ExamplesMaker::Column<bool> late;
    for (int i = 0; i < 16; ++i) {
      origin.push_back(i % 2 == 0 ? "JFK" : "EWR");
      distance.push_back(std::nullopt);
      late.push_back(i % 2 == 0);
    }
    ExamplesMaker maker;
    maker.words("origin", origin);
    if (column) maker.integers("distance", distance);
    maker.flags("late", late);
    return maker;
  };
  Evaluation missing(flights(), params), left_out(flights(), params), refused;
  missing.on(without(true)).run();
  left_out.on(without(false)).run();
  CHECK(left_out.result()["metrics"] == missing.result()["metrics"]);
  refused.on(without(false)).run();
  CHECK_THAT(refused.ended.error, Catch::Contains("distance"));
}

TEST_CASE("evaluate: what a closed input was not trained on is refused by name",
          "[evaluate][domains]") {
  const auto closed = [](const std::string& name) {
    return R"({"label":"late","rounds":20,"min_child_weight":0,"closed":[")" + name + "\"]}";
  };
  Evaluation words(flights(), closed("origin")), numbers(flights(), closed("distance"));
  words.on(flights(true)).run();
  CHECK_THAT(words.ended.error, Catch::Contains("input \"origin\" must be one of the 2 values that "
                                                "training saw (\"EWR\", \"JFK\"), not \"ZZZ\""));
  ExamplesMaker far;
  far.words("origin", {"JFK", "EWR"}).integers("distance", {1500, 1501}).flags("late", {true, false});
  numbers.on(far).run();
  CHECK_THAT(numbers.ended.error,
             Catch::Contains("input \"distance\" must be from 0 to 1500, what training saw, not 1501"));
  Evaluation missing(flights(), closed("origin"));
  ExamplesMaker gaps;
  gaps.words("origin", {"JFK", std::nullopt}).integers("distance", {100, 9000});
  gaps.flags("late", {true, false});
  missing.on(gaps).run();
  CHECK(missing.result()["rows"] == 2);
}
