// train.linear as a function: examples in, a model with its transform out.
#include "plugins/train/train_linear.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "model/analysis.h"
#include "model/model.h"
#include "operators/testing/fake_context.h"
#include "plugins/train/descent.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

constexpr std::size_t row_count = 5000;

ExamplesMaker flights(std::size_t rows = row_count, const std::string& only_label = "") {
  std::mt19937 random(3);
  ExamplesMaker::Column<std::string> origin, size;
  ExamplesMaker::Column<double> wind;
  ExamplesMaker::Column<bool> late;
  const std::vector<std::string> airports{"LGA", "JFK", "EWR"};
  for (std::size_t i = 0; i < rows; ++i) {
    const std::string from = airports[random() % 3];
    const double speed = static_cast<double>(random() % 400) / 10;
    origin.push_back(random() % 20 == 0 ? std::nullopt : std::optional(from));
    wind.push_back(random() % 10 == 0 ? std::nullopt : std::optional(speed));
    const bool truth = random() % 8 == 0 ? random() % 2 == 0 : speed > 30 || from == "JFK";
    late.push_back(random() % 50 == 0 ? std::nullopt : std::optional(truth));
    size.push_back(only_label.empty() ? (truth ? "big" : "small") : only_label);
  }
  ExamplesMaker maker;
  maker.words("origin", origin).numbers("wind", wind).flags("late", late).words("size", size);
  return maker;
}

struct Training {
  FakeContext context;
  wire::Ended ended;

  Training& on(const ExamplesMaker& maker, const std::string& port = "examples") {
    context.input(port, "examples/1", maker.write(context.folder() / ("given-" + port)));
    return *this;
  }
  Training& run(const std::string& params = R"({"label":"late","exclude":["size"]})") {
    context.params(params).output("model", "model/1").output("log", "report/1");
    ended = context.run(train::train_linear);
    return *this;
  }
  bool good() const { return ended.outcome == Outcome::ok; }
  std::string weights() const { return context.output_text("model", "linear.json"); }
  json model() const { return json::parse(context.output_text("model", "model.json")); }
};

std::string refusal(const ExamplesMaker& maker, const std::string& params) {
  Training training;
  training.on(maker).run(params);
  CHECK_FALSE(training.good());
  return training.ended.error;
}

}  // namespace

TEST_CASE("train.linear: it learns, with a transform of its own, and says how") {
  Training training;
  training.on(flights()).on(flights(500), "validation").run();
  REQUIRE(training.good());
  const json model = training.model();
  CHECK(model["kind"] == "linear");
  CHECK(model["transform"] == "transform.json");
  CHECK(model["inputs"] == json::parse(R"([{"name":"origin","type":"string"},
                                           {"name":"wind","type":"float"}])"));
  CHECK(model["training"]["converged"] == true);
  CHECK(model["training"]["rows_without_label"].get<int>() > 0);
  const auto first = json::parse(training.context.output_text("log", "learning_curve.json"));
  REQUIRE(first["curves"].size() == 2);
  const auto& losses = first["curves"][0]["losses"];
  CHECK(losses.back().get<double>() < losses.front().get<double>());
  CHECK(losses.back().get<double>() < 0.55);
}

TEST_CASE("train.linear: its own transform is that of the model, whatever the columns' order") {
  ExamplesMaker maker;
  maker.numbers("wind", {1.0, 2.0, 3.0, 4.0})
      .words("origin", {"JFK", "LGA", "JFK", "LGA"})
      .flags("late", {true, false, true, false});
  Training training;
  training.on(maker).run(R"({"label":"late"})");
  REQUIRE(training.good());
  const auto loaded = model::Model::load(training.context.output_path("model"));
  INFO((loaded ? "" : loaded.error().message));
  REQUIRE(loaded);
}

TEST_CASE("train.linear: it says whether anything was left to gain") {
  Training whole;
  REQUIRE(whole.on(flights()).run().good());
  CHECK(testing::metric(whole.ended, "converged") == 1);
  CHECK(whole.model()["training"]["converged"] == true);
  Training cut;
  REQUIRE(cut.on(flights()).run(R"({"label":"late","exclude":["size"],"steps":2})").good());
  CHECK(testing::metric(cut.ended, "converged") == 0);
  CHECK(testing::metric(cut.ended, "steps") == 2);
  CHECK(cut.model()["training"]["converged"] == false);
}

TEST_CASE("train.linear: units of the search change the steps, not what is found") {
  // Two weights of sizes 1e6 apart: (x - 3)² + ((1e6 y - 5))², both penalised.
  const auto measure = [](std::span<const double> at, std::span<double> slope) -> Result<double> {
    const double first = at[0] - 3, second = 1e6 * at[1] - 5;
    slope[0] = 2 * first;
    slope[1] = 2e6 * second;
    return first * first + second * second;
  };
  train::DescentSettings settings;
  settings.l2 = 0.5;
  settings.l1 = 0.25;
  settings.tolerance = 1e-10;
  settings.units = {1, 0x1p-20};
  const train::Descent descent(settings, measure);
  auto state = descent.begin(2);
  REQUIRE(state);
  while (!state->ended && state->steps < 50) REQUIRE(descent.step(*state));
  CHECK(state->ended);
  CHECK(state->steps < 20);
  const std::vector<double> found = descent.parameters(*state);
  // Where the slope is 0: 2 (x - 3) + x / 2 + 1/4 = 0, and 2e6 (1e6 y - 5) + y / 2 + 1/4 = 0.
  CHECK(found[0] == Approx(5.75 / 2.5).epsilon(1e-8));
  CHECK(found[1] == Approx((1e7 - 0.25) / (2e12 + 0.5)).epsilon(1e-8));
}

TEST_CASE("train.linear: the number of threads changes no byte") {
  Training one;
  one.context.cpus(1);
  one.on(flights()).run();
  REQUIRE(one.good());
  for (const double threads : {2.0, 3.0, 4.0}) {
    Training more;
    more.context.cpus(threads);
    more.on(flights()).run();
    REQUIRE(more.good());
    CHECK(more.weights() == one.weights());
    CHECK(more.model() == one.model());
  }
}

TEST_CASE("train.linear: a training that was lost goes on and ends with the same bytes") {
  Training whole;
  whole.on(flights()).run();
  REQUIRE(whole.good());
  Training lost;
  lost.on(flights());
  lost.context.cancel(4);
  lost.run();
  REQUIRE(lost.ended.outcome == Outcome::cancelled);
  lost.context.cancel(-1);
  lost.run();
  REQUIRE(lost.good());
  CHECK(testing::metric(lost.ended, "steps_found") == 4);
  CHECK(lost.weights() == whole.weights());
  CHECK(lost.model() == whole.model());
  CHECK(lost.context.output_text("log", "learning_curve.json") ==
        whole.context.output_text("log", "learning_curve.json"));
}

TEST_CASE("train.linear: a checkpoint that is damaged is no checkpoint") {
  train::DescentState state;
  state.parameters = {1, 2};
  state.gradient = {3, 4};
  state.moves = {{1, 0}};
  state.changes = {{0, 1}};
  state.curve = {0.5};
  FakeContext context;
  const auto path = context.folder() / "descent";
  REQUIRE(state.save(path));
  train::DescentState again;
  REQUIRE(again.load(path, 2));
  CHECK(again.moves == state.moves);
  CHECK(again.curve == state.curve);
  CHECK_FALSE(train::DescentState().load(path, 3));
  std::filesystem::resize_file(path, std::filesystem::file_size(path) - 9);
  CHECK_FALSE(train::DescentState().load(path, 2));
  CHECK_FALSE(train::DescentState().load(context.folder() / "nothing", 2));
}

TEST_CASE("train.linear: scoring a row by itself and rows together gives the same bits") {
  Training training;
  training.on(flights()).run(R"({"label":"size","exclude":["late"],"steps":7})");
  REQUIRE(training.good());
  const auto model = model::Model::load(training.context.output_path("model"));
  REQUIRE(model);
  CHECK_FALSE(model->has_trees());
  const std::size_t width = model->signature().features.size();
  std::vector<float> single(2), dense(2);
  std::vector<std::vector<float>> columns(width);
  std::vector<float> expected;
  for (int i = 0; i < 150; ++i) {
    const std::string word = i % 4 == 3 ? "unseen" : std::vector<std::string>{"LGA", "JFK", "EWR"}[
                                                         static_cast<std::size_t>(i % 3)];
    const model::Cell wind = i % 7 == 0 ? model::Cell() : model::Cell(i * 0.37);
    const std::vector<model::Cell> cells{std::string_view(word), wind};
    REQUIRE(model->score_cells(cells, single));
    std::vector<float> row(width);
    REQUIRE(model->encode_cells(cells, row));
    model->score_row(row, dense);
    CHECK(single == dense);
    expected.insert(expected.end(), single.begin(), single.end());
    for (std::size_t at = 0; at < width; ++at) columns[at].push_back(row[at]);
  }
  std::vector<float> together(expected.size());
  const std::vector<std::span<const float>> views(columns.begin(), columns.end());
  model->score_columns(views, together);
  CHECK(together == expected);
}

TEST_CASE("train.linear: what it cannot learn from is a sentence") {
  CHECK(refusal(flights(), R"({"label":"delay"})") ==
        "parameter \"label\" names column \"delay\", which the examples do not have");
  CHECK(refusal(flights(), R"({"label":"late","features":["x"]})").find("names column \"x\"") !=
        std::string::npos);
  CHECK(refusal(flights(), R"({"label":"late","objective":"reg:squarederror"})") ==
        "label \"late\" is of type bool and cannot be learned as reg:squarederror");
  CHECK(refusal(flights(200, "same"), R"({"label":"size"})") ==
        "all rows have the same label in column \"size\": there is nothing to tell apart");
  ExamplesMaker nulls;
  nulls.numbers("x", {std::nullopt, std::nullopt}).flags("y", {true, false});
  CHECK(refusal(nulls, R"({"label":"y"})").find("has no value in any row") != std::string::npos);
  ExamplesMaker unlabelled;
  unlabelled.numbers("x", {1.0}).words("y", {std::nullopt});
  CHECK(refusal(unlabelled, R"({"label":"y"})") == "no row has a label in column \"y\"");
  ExamplesMaker negative;
  negative.numbers("x", {1.0, 2.0}).numbers("y", {1.0, -2.0});
  CHECK(refusal(negative, R"({"label":"y","objective":"count:poisson"})") ==
        "label \"y\" has numbers below 0 and cannot be learned as count:poisson");
  ExamplesMaker endless;
  endless.numbers("x", {1.0, 2.0}).numbers("y", {1.0, HUGE_VAL});
  CHECK(refusal(endless, R"({"label":"y"})").find("column \"y\" holds a number that is infinite") == 0);
  CHECK(refusal(negative, R"({"label":"y","class_weights":"balanced"})") ==
        "class_weights = \"balanced\" needs a label with classes");
}

TEST_CASE("train.linear: a transform that sees the label or leaves gaps is refused") {
  const auto with = [](const std::string& features, const std::string& params) {
    Training training;
    std::filesystem::create_directories(training.context.folder() / "transform");
    const auto specs = model::parse_features(features);
    REQUIRE(specs);
    const std::vector<model::ColumnInput> columns{{"wind", model::ColumnKind::real},
                                                  {"late", model::ColumnKind::boolean}};
    auto analysis = model::Analysis::begin(*specs, columns);
    REQUIRE(analysis);
    REQUIRE(analysis->add_row(std::vector<model::Cell>(analysis->columns().size())));
    const auto transform = analysis->fit(nullptr);
    REQUIRE(transform);
    REQUIRE(transform->save(training.context.folder() / "transform"));
    training.context.input("transform", "transform/1", training.context.folder() / "transform");
    training.on(flights()).run(params);
    CHECK_FALSE(training.good());
    return training.ended.error;
  };
  CHECK(with(R"({"late":{"method":"number"}})", R"({"label":"late"})") ==
        "the transform reads column \"late\", which is the label: a model must not see it");
  CHECK(with(R"({"wind":{"method":"number"}})", R"({"label":"late"})") ==
        "feature \"wind\" has no number in some row, and a weighted sum needs one: let the transform "
        "impute it, or give missing values a column");
  CHECK(with(R"({"wind":{"method":"number"}})", R"({"label":"late","exclude":["size"]})")
            .find("leave out the parameters") != std::string::npos);
}

TEST_CASE("train.linear: a memory limit that the weights exceed is a sentence that says what it needs") {
  Training training;
  training.context.memory_bytes(50 << 20);
  training.on(flights()).run();
  CHECK(training.ended.outcome == Outcome::failed);
  CHECK(training.ended.error.find("the step may use 50; give it more with resources.memory") !=
        std::string::npos);
}

TEST_CASE("linear weights: damaged text is an error") {
  for (const char* text : {"", "{}", R"({"intercepts":[],"weights":[]})",
                           R"({"intercepts":[1],"weights":[[1],[2]]})",
                           R"({"intercepts":[1,2],"weights":[[1],[2,3]]})"}) {
    const auto parsed = model::Linear::parse(text);
    REQUIRE_FALSE(parsed);
    CHECK(parsed.error().message.find("cannot read linear.json") == 0);
  }
  const model::Linear linear({0.5}, {1, -2});
  CHECK(model::Linear::parse(linear.text())->text() == linear.text());
}

TEST_CASE("train.linear: the model says what was seen of its inputs, and what the step declares") {
  Training training;
  training.on(flights()).run(R"({"label":"late","exclude":["size"],"closed":["origin"]})");
  REQUIRE(training.good());
  CHECK(training.model()["domains"] ==
        json::parse(R"([{"name":"origin","closed":true,"values":["EWR","JFK","LGA"]},
                        {"name":"wind","range":[0.0,39.9]}])"));
  const auto model = model::Model::load(training.context.output_path("model"));
  REQUIRE(model);
  float score = 0;
  CHECK_FALSE(model->score_cells(std::vector<model::Cell>{"BOS", 3.0}, std::span(&score, 1)));
  CHECK(model->score_cells(std::vector<model::Cell>{"EWR", 99.0}, std::span(&score, 1)));
}
