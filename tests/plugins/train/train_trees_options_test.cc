// train.trees: what steers it beyond the first parameters, and going on.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

#include "model/analysis.h"
#include "model/model.h"
#include "operators/testing/fake_context.h"
#include "plugins/train/train_trees.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

ExamplesMaker flights(unsigned seed = 1, std::size_t rows = 2000) {
  std::mt19937 random(seed);
  ExamplesMaker::Column<std::string> origin;
  ExamplesMaker::Column<double> wind, distance;
  ExamplesMaker::Column<bool> late;
  const std::vector<std::string> airports{"LGA", "JFK", "EWR"};
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string from = airports[random() % 3];
    const double speed = static_cast<double>(random() % 400) / 10;
    origin.push_back(random() % 20 == 0 ? std::nullopt : std::optional(from));
    wind.push_back(random() % 10 == 0 ? std::nullopt : std::optional(speed));
    distance.push_back(static_cast<double>(random() % 3000));
    const bool noise = random() % 3 == 0;
    late.push_back(noise ? random() % 10 == 0 : speed > 35 || from == "JFK");
  }
  ExamplesMaker maker;
  maker.words("origin", origin).numbers("wind", wind).numbers("distance", distance);
  maker.flags("late", late);
  return maker;
}

struct Training {
  FakeContext context;
  wire::Ended ended;

  Training& on(const ExamplesMaker& maker, const std::string& port = "examples") {
    context.input(port, "examples/1", maker.write(context.folder() / ("given-" + port)));
    return *this;
  }
  Training& run(const std::string& params) {
    context.params(params).output("model", "model/1").output("log", "report/1");
    ended = context.run(train::train_trees);
    INFO(ended.error);
    return *this;
  }
  bool good() const { return ended.outcome == Outcome::ok; }
  std::string trees() const { return context.output_text("model", "trees.ubj"); }
  json model() const { return json::parse(context.output_text("model", "model.json")); }
  std::string curve() const { return context.output_text("log", "learning_curve.json"); }
};

std::string with_remedy(const std::string& remedy, const std::string& params, json& model) {
  Training training;
  training.context.input_file("remedy", "remedy/1", "remedy.json", remedy);
  training.on(flights()).run(params);
  if (training.good()) model = training.model();
  return training.ended.error;
}

constexpr const char* plain = R"({"label":"late","rounds":40,"max_depth":3})";

}  // namespace

TEST_CASE("train.trees: a training that was lost goes on and ends with the same bytes") {
  Training whole;
  whole.on(flights()).on(flights(2), "validation").run(plain);
  REQUIRE(whole.good());
  Training lost;
  lost.on(flights()).on(flights(2), "validation");
  lost.context.cancel(27);
  lost.run(plain);
  REQUIRE(lost.ended.outcome == Outcome::cancelled);
  lost.context.cancel(-1);
  lost.run(plain);
  REQUIRE(lost.good());
  CHECK(testing::metric(lost.ended, "rounds_found") == 26);
  CHECK(lost.trees() == whole.trees());
  CHECK(lost.model() == whole.model());
  CHECK(lost.curve() == whole.curve());
}

TEST_CASE("train.trees: one that draws rows starts anew and ends with the same bytes") {
  const char* drawn = R"({"label":"late","rounds":20,"subsample":0.5})";
  Training whole;
  whole.on(flights()).run(drawn);
  Training lost;
  lost.on(flights());
  lost.context.cancel(11);
  lost.run(drawn);
  REQUIRE(lost.ended.outcome == Outcome::cancelled);
  lost.context.cancel(-1);
  lost.run(drawn);
  REQUIRE((whole.good() && lost.good()));
  CHECK_FALSE(testing::metric(lost.ended, "rounds_found"));
  CHECK(lost.trees() == whole.trees());
}

TEST_CASE("train.trees: a checkpoint that is damaged is no checkpoint") {
  Training training;
  training.on(flights());
  training.context.cancel(27);
  training.run(plain);
  training.context.cancel(-1);
  const auto kept = training.context.folder() / "scratch" / "trees";
  REQUIRE(std::filesystem::exists(kept));
  std::filesystem::resize_file(kept, std::filesystem::file_size(kept) / 2);
  training.run(plain);
  REQUIRE(training.good());
  CHECK_FALSE(testing::metric(training.ended, "rounds_found"));
}

TEST_CASE("train.trees: it stops early and keeps the best rounds") {
  const char* early =
      R"({"label":"late","rounds":400,"max_depth":8,"learning_rate":0.5,"early_stopping":5})";
  Training training;
  training.on(flights()).on(flights(2), "validation").run(early);
  REQUIRE(training.good());
  const json record = training.model()["training"];
  const auto rounds = record["rounds"].get<std::size_t>();
  CHECK(record["stopped_early"] == true);
  const auto losses =
      json::parse(training.curve())["curves"][1]["losses"].get<std::vector<double>>();
  CHECK(losses.size() == rounds + 5);
  CHECK(std::min_element(losses.begin(), losses.end()) - losses.begin() + 1 ==
        static_cast<std::ptrdiff_t>(rounds));
  const auto model = model::Model::load(training.context.output_path("model"));
  REQUIRE(model);
  CHECK(model->forest().tree_count() == rounds);
  Training alone;
  alone.on(flights()).run(early);
  CHECK(alone.ended.error.find("early_stopping needs rows at input \"validation\"") == 0);
}

TEST_CASE("train.trees: a constraint makes the score rise with its feature") {
  Training training;
  training.on(flights()).run(
      R"({"label":"late","rounds":60,"monotone":{"distance":1,"wind":-1}})");
  REQUIRE(training.good());
  CHECK(training.model()["training"]["parameters"]["monotone_constraints"] == "(0,-1,1)");
  const auto model = model::Model::load(training.context.output_path("model"));
  REQUIRE(model);
  float last = 0;
  for (int far = 0; far <= 3000; far += 10) {
    const std::vector<model::Cell> cells{"JFK", 12.5, static_cast<double>(far)};
    std::vector<float> score(1);
    REQUIRE(model->score_cells(cells, score));
    CHECK(score[0] >= last);
    last = score[0];
  }
  Training wrong;
  wrong.on(flights()).run(R"({"label":"late","monotone":{"origin":1}})");
  CHECK(wrong.ended.error.find("whose categories have no order") != std::string::npos);
  Training absent;
  absent.on(flights()).run(R"({"label":"late","monotone":{"x":1}})");
  CHECK(absent.ended.error == "parameter \"monotone\" names \"x\", which is no feature of the model");
  Training steep;
  steep.on(flights()).run(R"({"label":"late","monotone":{"wind":2}})");
  CHECK(steep.ended.error.find("must be 1 (rises), -1 (falls) or 0") != std::string::npos);
}

TEST_CASE("train.trees: going on from a model is one training of all rounds") {
  Training whole;
  whole.on(flights()).run(R"({"label":"late","rounds":30})");
  Training first;
  first.on(flights()).run(R"({"label":"late","rounds":18})");
  REQUIRE((whole.good() && first.good()));
  Training second;
  second.context.input("base", "model/1", first.context.output_path("model"));
  second.on(flights()).run(R"({"label":"late","rounds":12})");
  REQUIRE(second.good());
  CHECK(second.trees() == whole.trees());
  CHECK(second.model()["training"]["base_rounds"] == 18);
  CHECK(second.model()["signature"] == whole.model()["signature"]);
  Training other;
  other.context.input("base", "model/1", first.context.output_path("model"));
  other.on(flights()).run(R"({"label":"origin"})");
  CHECK(other.ended.error ==
        "cannot go on from the base model: it predicts \"late\" by binary:logistic");
  Training narrow;
  narrow.context.input("base", "model/1", first.context.output_path("model"));
  narrow.on(flights()).run(R"({"label":"late","exclude":["wind"]})");
  CHECK(narrow.ended.error.find("its features stand") != std::string::npos);
}

TEST_CASE("train.trees: rows of one class do as what a model goes on from, not alone") {
  ExamplesMaker::Column<double> wind;
  ExamplesMaker::Column<bool> late;
  for (int i = 0; i < 100; ++i) {
    wind.push_back(i);
    late.push_back(i >= 50);
  }
  ExamplesMaker both, alike;
  both.numbers("wind", wind).flags("late", late);
  alike.numbers("wind", wind).flags("late", ExamplesMaker::Column<bool>(wind.size(), true));
  Training first, alone, second;
  REQUIRE(first.on(both).run(plain).good());
  CHECK_FALSE(alone.on(alike).run(plain).good());
  CHECK(alone.ended.error ==
        "all rows have the same label in column \"late\": there is nothing to tell apart");
  second.context.input("base", "model/1", first.context.output_path("model"));
  CHECK(second.on(alike).run(plain).good());
}

TEST_CASE("train.trees: classes can count alike, by weights or by leaving rows out") {
  Training usual;
  usual.on(flights()).run(plain);
  Training balanced;
  balanced.on(flights()).run(
      R"({"label":"late","rounds":40,"max_depth":3,"class_weights":"balanced"})");
  REQUIRE((usual.good() && balanced.good()));
  CHECK(balanced.trees() != usual.trees());
  CHECK(balanced.model()["training"]["class_weights"] == "balanced");
  json model;
  const std::string remedy =
      R"({"label":"late","class_weights":{"false":1,"true":3},"undersample":{"false":0.25,"true":1}})";
  CHECK(with_remedy(remedy, R"({"label":"late","sampling":"undersample"})", model).empty());
  const auto rows = model["training"]["rows"].get<int>();
  CHECK(rows < 1700);
  CHECK(rows > 500);
  const json first = model;
  const std::string shares = R"({"label":"late","undersample":{"false":0.25,"true":1}})";
  CHECK(with_remedy(shares, R"({"label":"late"})", model).empty());
  CHECK(model["training"]["rows"] == first["training"]["rows"]);
  CHECK(with_remedy(remedy, R"({"label":"late"})", model).empty());
  CHECK(model["training"]["rows"] == 2000);
  CHECK(with_remedy(remedy, R"({"label":"late","class_weights":"balanced"})", model) ==
        "class_weights = \"balanced\" and a remedy exclude each other");
  Training none;
  none.on(flights()).run(R"({"label":"late","sampling":"undersample"})");
  CHECK(none.ended.error == "sampling = \"undersample\" needs input \"remedy\"");
  Training values;
  values.on(flights()).run(R"({"label":"wind","class_weights":"balanced"})");
  CHECK(values.ended.error == "class_weights = \"balanced\" needs a label with classes");
}

TEST_CASE("train.trees: with a transform the model carries it, and rows are scored as they come") {
  const auto specs = model::parse_features(
      R"({"origin":{"method":"one_hot","missing":true},"wind":{"method":"number","scale":"z_score"}})");
  REQUIRE(specs);
  const std::vector<model::ColumnInput> columns{{"origin", model::ColumnKind::text},
                                                {"wind", model::ColumnKind::real}};
  auto analysis = model::Analysis::begin(*specs, columns);
  REQUIRE(analysis);
  for (const double wind : {1.0, 20.0, 39.0}) {
    REQUIRE(analysis->add_row(std::vector<model::Cell>{wind < 10 ? "JFK" : "LGA", wind}));
  }
  const auto transform = analysis->fit(nullptr);
  REQUIRE(transform);
  Training training;
  const auto folder = training.context.folder() / "transform";
  std::filesystem::create_directories(folder);
  REQUIRE(transform->save(folder));
  training.context.input("transform", "transform/1", folder);
  training.on(flights()).on(flights(5), "validation").run(plain);
  REQUIRE(training.good());
  CHECK(training.model()["inputs"].size() == 2);
  CHECK(training.model()["signature"][0]["name"] == "origin=JFK");
  const auto model = model::Model::load(training.context.output_path("model"));
  REQUIRE(model);
  std::vector<float> by_cells(1), by_row(1);
  for (const double wind : {0.0, 12.25, 38.0}) {
    const std::vector<model::Cell> cells{"JFK", wind};
    REQUIRE(model->score_cells(cells, by_cells));
    std::vector<float> row(model->signature().features.size());
    REQUIRE(model->encode_cells(cells, row));
    model->score_row(row, by_row);
    CHECK(by_cells == by_row);
    CHECK(by_cells[0] > 0.4F);
  }
  Training second;
  second.context.input("base", "model/1", training.context.output_path("model"));
  second.on(flights()).run(plain);
  REQUIRE(second.good());
  CHECK(second.model()["training"]["base_rounds"] == 40);
  CHECK(second.context.output_text("model", "transform.json") ==
        training.context.output_text("model", "transform.json"));
}

TEST_CASE("train.trees: the model says what was seen of its inputs, and what the step declares") {
  ExamplesMaker maker;
  maker.words("origin", {"LGA", "JFK", "LGA", "EWR"}).numbers("wind", {3.5, std::nullopt, -1.25, 9});
  maker.flags("late", {true, false, true, false});
  for (const char* method : {"memory", "pages"}) {
    INFO(method);
    Training training;
    training.on(maker).run(R"({"label":"late","rounds":2,"optional":["wind"],"closed":["origin"],)"
                           R"("method":")" + std::string(method) + "\"}");
    INFO(training.ended.error);
    REQUIRE(training.good());
    CHECK(training.model()["domains"] ==
          json::parse(R"([{"name":"origin","closed":true},
                          {"name":"wind","optional":true,"range":[-1.25,9.0]}])"));
    const auto model = model::Model::load(training.context.output_path("model"));
    REQUIRE(model);
    float score = 0;
    const auto refused =
        model->score_cells(std::vector<model::Cell>{"BOS", 3.0}, std::span(&score, 1));
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, Catch::Contains("\"origin\" must be one of the 3"));
    CHECK(model->score_cells(std::vector<model::Cell>{"EWR", 99.0}, std::span(&score, 1)));
  }
  Training unknown;
  unknown.on(maker).run(R"({"label":"late","rounds":2,"closed":["late"]})");
  CHECK(unknown.ended.error == "parameter \"closed\" names \"late\", which is no input of the model");
}

TEST_CASE("train.trees: going on from a model widens what was seen") {
  const auto winds = [](std::vector<std::optional<double>> values) {
    ExamplesMaker maker;
    maker.numbers("wind", ExamplesMaker::Column<double>(values.begin(), values.end()));
    maker.flags("late", {true, false, true, false});
    return maker;
  };
  Training first, second;
  first.on(winds({1, 2, 3, 4})).run(R"({"label":"late","rounds":2})");
  REQUIRE(first.good());
  second.context.input("base", "model/1", first.context.output_path("model"));
  second.on(winds({-7, 2, 2, 3})).run(R"({"label":"late","rounds":2})");
  REQUIRE(second.good());
  CHECK(second.model()["domains"][0]["range"] == json::parse("[-7.0, 4.0]"));
}
