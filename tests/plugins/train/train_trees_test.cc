// train.trees as a function: examples in, a model and its learning curve out.
#include "plugins/train/train_trees.h"

#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "model/model.h"
#include "operators/testing/fake_context.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

constexpr std::size_t row_count = 3000;

// Flights that are late when they are far or leave from JFK, with some noise and some gaps.
ExamplesMaker flights(unsigned seed = 1, std::size_t rows = row_count) {
  std::mt19937 random(seed);
  ExamplesMaker::Column<std::string> origin;
  ExamplesMaker::Column<std::int64_t> distance;
  ExamplesMaker::Column<double> wind;
  ExamplesMaker::Column<bool> late;
  const std::vector<std::string> airports{"LGA", "JFK", "EWR", "BOS", "ALB", "HPN"};
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string from = airports[random() % airports.size()];
    const auto far = static_cast<std::int64_t>(random() % 3000);
    origin.push_back(random() % 20 == 0 ? std::nullopt : std::optional(from));
    distance.push_back(far);
    wind.push_back(random() % 10 == 0 ? std::nullopt
                                      : std::optional(static_cast<double>(random() % 400) / 10));
    late.push_back(random() % 8 == 0 ? random() % 2 == 0 : far > 2000 || from == "JFK");
  }
  ExamplesMaker maker;
  maker.words("origin", origin).integers("distance", distance).numbers("wind", wind);
  maker.flags("late", late);
  return maker;
}

// One training; the folder of a FakeContext lives as long as it does.
struct Training {
  FakeContext context;
  wire::Ended ended;

  Training& on(const ExamplesMaker& maker, const std::string& port = "examples") {
    context.input(port, "examples/1", maker.write(context.folder() / ("given-" + port)));
    return *this;
  }
  Training& run(const std::string& params = R"({"label":"late","rounds":10})") {
    context.params(params).output("model", "model/1").output("log", "report/1");
    ended = context.run(train::train_trees);
    return *this;
  }
  bool good() const { return ended.outcome == Outcome::ok; }
  std::string trees() const { return context.output_text("model", "trees.ubj"); }
  json model() const { return json::parse(context.output_text("model", "model.json")); }
  json curve() const { return json::parse(context.output_text("log", "learning_curve.json")); }
};

// What training says to a table that it cannot learn from.
std::string refusal(const ExamplesMaker& maker, const std::string& params) {
  Training training;
  training.on(maker).run(params);
  CHECK(training.ended.outcome == Outcome::invalid);
  return training.ended.error;
}

}  // namespace

TEST_CASE("train: the same bytes with one to four threads", "[train]") {
  const auto* params = GENERATE(R"({"label":"late","rounds":15})",
                                R"({"label":"late","rounds":15,"subsample":0.6,"colsample":0.7})");
  Training one;
  one.context.cpus(1);
  one.on(flights()).run(params);
  REQUIRE(one.good());
  for (const int threads : {2, 3, 4}) {
    Training several;
    several.context.cpus(threads);
    several.on(flights()).run(params);
    REQUIRE(several.good());
    CHECK(several.trees() == one.trees());
    CHECK(several.model() == one.model());
    CHECK(several.curve() == one.curve());
  }
}

TEST_CASE("train: how rows are spread over artifacts does not matter", "[train]") {
  Training whole;
  whole.on(flights()).run();
  Training pieces;
  const ExamplesMaker maker = flights();
  pieces.context.input("examples", "examples/1", maker.write(pieces.context.folder() / "a", 0, 17));
  pieces.context.input("examples", "examples/1", maker.write(pieces.context.folder() / "b", 17));
  pieces.run();
  REQUIRE((whole.good() && pieces.good()));
  CHECK(whole.trees() == pieces.trees());
  CHECK(whole.model() == pieces.model());
}

TEST_CASE("train: the seed decides which rows a tree sees, and only that", "[train]") {
  const std::string sampled = R"({"label":"late","rounds":5,"subsample":0.5})";
  const auto trees = [&](std::int64_t seed, const std::string& params) {
    Training training;
    training.context.seed(seed);
    training.on(flights()).run(params);
    REQUIRE(training.good());
    const auto loaded = model::Model::load(training.context.output_path("model"));
    REQUIRE(loaded);
    std::vector<float> row{1, 1500, 12.5F}, score(1);
    loaded->score_row(row, score);
    return score[0];
  };
  CHECK(trees(1, sampled) == trees(1, sampled));
  CHECK(trees(1, sampled) != trees(2, sampled));
  const std::string all = R"({"label":"late","rounds":5})";
  CHECK(trees(1, all) == trees(2, all));
}

TEST_CASE("train: the dictionary is sorted, whatever came first", "[train]") {
  Training training;
  training.on(flights()).run();
  REQUIRE(training.good());
  const json signature = training.model()["signature"];
  REQUIRE(signature.size() == 3);
  CHECK(signature[0]["name"] == "origin");
  CHECK(signature[0]["categories"] == json({"ALB", "BOS", "EWR", "HPN", "JFK", "LGA"}));
  CHECK(signature[1]["type"] == "int");
  CHECK(signature[2]["type"] == "float");
  CHECK(training.model()["training"]["libraries"].contains("xgboost"));
}

TEST_CASE("train: a model that was written can be loaded and knows what it learned", "[train]") {
  Training training;
  training.on(flights()).run(R"({"label":"late","rounds":30})");
  REQUIRE(training.good());
  const auto model = model::Model::load(training.context.output_path("model"));
  REQUIRE(model);
  const auto score = [&](const char* origin, std::int64_t distance) {
    const std::vector<model::Cell> cells{std::string_view(origin), distance, 10.0};
    std::vector<float> row(3), scores(1);
    REQUIRE(model->encoder().encode_row(cells, row));
    model->score_row(row, scores);
    return scores[0];
  };
  CHECK(score("JFK", 500) > 0.7F);
  CHECK(score("EWR", 500) < 0.3F);
  CHECK(score("EWR", 2500) > 0.7F);
  CHECK(training.model()["training"]["rows"] == row_count);
}

TEST_CASE("train: rows without a label are left out and counted", "[train]") {
  ExamplesMaker maker;
  maker.integers("x", {1, 2, 3, 4, 5}).flags("late", {true, std::nullopt, false, std::nullopt, true});
  Training training;
  training.on(maker).run();
  REQUIRE(training.good());
  CHECK(training.model()["training"]["rows"] == 3);
  CHECK(training.model()["training"]["rows_without_label"] == 2);
  ExamplesMaker fewer;
  fewer.integers("x", {1, 3, 5}).flags("late", {true, false, true});
  Training same;
  same.on(fewer).run();
  CHECK(same.trees() == training.trees());
}

TEST_CASE("train: the label's type chooses the objective", "[train]") {
  ExamplesMaker maker;
  maker.numbers("x", {1.0, 2.0, 3.0, 4.0, 5.0, std::nullopt});
  maker.flags("flag", {true, false, true, true, false, false});
  maker.words("word", {"b", "a", "c", "a", "b", "c"});
  maker.integers("count", {10, 2, 7, 2, 10, 7}).numbers("value", {.5, 1, 1.5, 2, 2.5, 3});
  const auto learn = [&](const std::string& label, const std::string& more = "") {
    Training training;
    training.on(maker).run(R"({"features":["x"],"rounds":2,"label":")" + label + "\"" + more + "}");
    INFO(training.ended.error);
    REQUIRE(training.good());
    return training.model();
  };
  CHECK(learn("flag")["objective"] == "binary:logistic");
  CHECK(learn("word")["objective"] == "multi:softprob");
  CHECK(learn("word")["label"]["classes"] == json({"a", "b", "c"}));
  CHECK(learn("count")["objective"] == "reg:squarederror");
  CHECK(learn("value")["objective"] == "reg:squarederror");
  const json chosen = learn("count", R"(,"objective":"multi:softprob")");
  CHECK(chosen["label"]["classes"] == json({"2", "7", "10"}));
}

TEST_CASE("train: what cannot be learned is refused with the column's name", "[train]") {
  ExamplesMaker maker;
  maker.integers("x", {1, 2, 3}).flags("late", {true, false, true}).dates("day", {1, 2, 3});
  maker.words("word", {"a", "a", "a"}).integers("count", {0, 1, 2});
  maker.numbers("huge", {1e300, 1.0, 2.0}).flags("never", {std::nullopt, std::nullopt, std::nullopt});
  CHECK(refusal(maker, R"({"label":"later"})") ==
        "parameter \"label\" names column \"later\", which the examples do not have");
  CHECK(refusal(maker, R"({"label":"late"})") ==
        "column \"day\" cannot be a feature: it is of type date32[day]; leave it out with the "
        "parameter \"exclude\"");
  CHECK_THAT(refusal(maker, R"({"label":"late","features":["x","z"]})"), Catch::Contains("\"z\""));
  CHECK_THAT(refusal(maker, R"({"label":"late","exclude":["z"]})"), Catch::Contains("\"z\""));
  CHECK_THAT(refusal(maker, R"({"label":"late","features":["late"]})"), Catch::Contains("label"));
  CHECK_THAT(refusal(maker, R"({"label":"late","features":["x"],"exclude":["x"]})"),
             Catch::Contains("no column is left"));
  CHECK_THAT(refusal(maker, R"({"label":"late","features":["huge"]})"),
             Catch::Contains("\"huge\" holds a number that is infinite"));
  CHECK_THAT(refusal(maker, R"({"label":"never","features":["x"]})"),
             Catch::Contains("no row has a label"));
  maker.flags("always", {true, true, true});
  CHECK_THAT(refusal(maker, R"({"label":"always","features":["x"]})"),
             Catch::Contains("same label in column \"always\""));
  CHECK_THAT(refusal(maker, R"({"label":"word","features":["x"]})"),
             Catch::Contains("only one class"));
  CHECK_THAT(refusal(maker, R"({"label":"day","features":["x"]})"), Catch::Contains("a label"));
  CHECK_THAT(refusal(maker, R"({"label":"late","features":["x"],"objective":"reg:squarederror"})"),
             Catch::Contains("cannot be learned as"));
  CHECK_THAT(refusal(maker, R"({"label":"count","features":["x"],"objective":"binary:logistic"})"),
             Catch::Contains("other numbers than 0 and 1"));
  CHECK_THAT(refusal(maker, R"({"label":"late","features":["x"],"subsample":0})"),
             Catch::Contains("subsample"));
}

TEST_CASE("train: it stops between rounds when somebody asks for it", "[train]") {
  Training training;
  training.context.cancel(3);
  training.on(flights()).run(R"({"label":"late","rounds":1000})");
  CHECK(training.ended.outcome == Outcome::cancelled);
  CHECK_THAT(training.ended.error, Catch::Contains("of 1000 rounds"));
}

TEST_CASE("train: it says how far it is after each round", "[train]") {
  Training training;
  training.on(flights()).run();
  REQUIRE(training.context.progress());
  CHECK(training.context.progress()->done == 10);
  CHECK(training.context.progress()->total == 10);
}

TEST_CASE("train: more rows than the memory allows are refused before it runs out", "[train]") {
  Training training;
  training.context.memory_bytes(100'000);
  training.on(flights()).run();
  CHECK(training.ended.outcome == Outcome::failed);
  CHECK_THAT(training.ended.error, Catch::Contains("resources.memory"));
}

TEST_CASE("train: the log has the loss of every round, on validation rows too", "[train]") {
  Training training;
  training.on(flights(1)).on(flights(2, 500), "validation").run(R"({"label":"late","rounds":20})");
  REQUIRE(training.good());
  const json curve = training.curve();
  CHECK(curve["loss"] == "logloss");
  REQUIRE(curve["curves"].size() == 2);
  CHECK(curve["curves"][1]["name"] == "validation");
  for (const json& one : curve["curves"]) {
    REQUIRE(one["losses"].size() == 20);
    CHECK(one["losses"][19] < one["losses"][0]);
    CHECK(one["losses"][0] < 0.6931);
  }
  CHECK_THAT(training.context.output_text("log", "report.html"),
             Catch::Contains("validation logloss"));
  CHECK(training.model()["training"]["rows_of_validation"] == 500);
  CHECK(testing::metric(training.ended, "logloss", "validation") == curve["curves"][1]["losses"][19]);
  Training without;
  without.on(flights(1)).run(R"({"label":"late","rounds":20})");
  CHECK(without.trees() == training.trees());
}

TEST_CASE("train: a remedy makes rows of a class count more", "[train]") {
  const auto mean_score = [](const std::string& remedy) {
    Training training;
    if (!remedy.empty()) {
      training.context.input_file("remedy", "remedy/1", "remedy.json", remedy);
    }
    training.on(flights()).run(R"({"label":"late","rounds":20})");
    INFO(training.ended.error);
    REQUIRE(training.good());
    const auto model = model::Model::load(training.context.output_path("model"));
    REQUIRE(model);
    const std::vector<float> row{2, 900, 10};
    std::vector<float> score(1);
    model->score_row(row, score);
    return score[0];
  };
  const float plain = mean_score("");
  CHECK(mean_score(R"({"label":"late","class_weights":{"true":10,"false":1}})") > plain + 0.1F);
  CHECK(mean_score(R"({"label":"late","class_weights":{"true":1,"false":1}})") == plain);
  CHECK(mean_score(R"({"label":"late"})") == plain);
  CHECK(mean_score(R"({"label":"late","undersample":{"true":1,"false":1}})") == plain);
  // As with weights of 10 to 1, up to chance: a tenth of the other class is kept.
  const float kept = mean_score(R"({"label":"late","undersample":{"true":1,"false":0.1}})");
  CHECK(kept > plain + 0.1F);
  CHECK(mean_score(R"({"label":"late","undersample":{"true":1,"false":0.1}})") == kept);
}

TEST_CASE("train: a remedy that does not fit is refused", "[train]") {
  for (const std::string remedy :
       {R"({"label":"early","class_weights":{"true":1,"false":1}})",
        R"({"label":"late","class_weights":{"true":1}})",
        R"({"label":"late","class_weights":{"true":0,"false":1}})",
        R"({"label":"late","undersample":{"false":0.5}})", R"([1])", "{"}) {
    CAPTURE(remedy);
    Training training;
    training.context.input_file("remedy", "remedy/1", "remedy.json", remedy);
    training.on(flights()).run();
    CHECK(training.ended.outcome == Outcome::invalid);
    CHECK_THAT(training.ended.error, Catch::Contains("remedy"));
  }
}
