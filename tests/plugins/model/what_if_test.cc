// model.whatif as a function: rows of people, what moved a score, the nearest value that flips it.
#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "model/model.h"
#include "operators/testing/fake_context.h"
#include "plugins/model/model_what_if.h"
#include "plugins/train/train_linear.h"
#include "plugins/train/train_trees.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

// late hangs on hour, humid and carrier; rain is a flag, distance says nothing.
ExamplesMaker flights(std::size_t rows = 500) {
  std::mt19937 random(11);
  ExamplesMaker::Column<std::int64_t> hour, distance;
  ExamplesMaker::Column<double> humid;
  ExamplesMaker::Column<std::string> carrier;
  ExamplesMaker::Column<bool> rain, late;
  const char* carriers[] = {"AA", "UA", "WN"};
  for (std::size_t i = 0; i < rows; ++i) {
    hour.push_back(static_cast<std::int64_t>(random() % 24));
    distance.push_back(static_cast<std::int64_t>(random() % 900));
    humid.push_back(static_cast<double>(random() % 1000) / 10);
    carrier.push_back(carriers[random() % 3]);
    rain.push_back(random() % 4 == 0);
    if (random() % 20 == 0) humid.back().reset();
    late.push_back((*hour.back() > 15 && humid.back().value_or(50) > 40) ||
                   (carrier.back() == "WN" && *rain.back()));
  }
  ExamplesMaker maker;
  maker.integers("hour", hour).integers("distance", distance).numbers("humid", humid);
  return maker.words("carrier", carrier).flags("rain", rain).flags("late", late);
}

/// A model and the answers that it gives.
struct Asking {
  FakeContext trainer;
  std::filesystem::path model;
  wire::Ended ended;

  explicit Asking(sdk::Function train = train::train_trees,
                  const std::string& params = R"({"label":"late","rounds":20})") {
    trainer.params(params).output("model", "model/1").output("log", "report/1");
    trainer.input("examples", "examples/1", flights().write(trainer.folder() / "given"));
    const wire::Ended trained = trainer.run(train);
    INFO(trained.error);
    REQUIRE(trained.outcome == Outcome::ok);
    model = trainer.output_path("model");
  }
  json ask(const std::string& params, bool with_examples = false) {
    FakeContext context;
    context.params(params).input("model", "model/1", model).output("whatif", "whatif/1");
    if (with_examples) {
      context.input("examples", "examples/1", flights().write(context.folder() / "rows"));
    }
    ended = context.run(evaluation::model_what_if);
    INFO(ended.error);
    REQUIRE(ended.outcome == Outcome::ok);
    return json::parse(context.output_text("whatif", "whatif.json"));
  }
  std::string error(const std::string& params, bool with_examples = false) {
    FakeContext context;
    context.params(params).input("model", "model/1", model).output("whatif", "whatif/1");
    if (with_examples) {
      context.input("examples", "examples/1", flights().write(context.folder() / "rows"));
    }
    ended = context.run(evaluation::model_what_if);
    CHECK(ended.outcome == Outcome::invalid);
    return ended.error;
  }
};

json move_of(const json& found, const std::string& input) {
  for (const json& one : found["moves"]) {
    if (one["input"] == input) return one;
  }
  return nullptr;
}

std::string why_of(const json& found, const std::string& input) {
  for (const json& one : found["unmoved"]) {
    if (one["input"] == input) return one["why"];
  }
  return "";
}

constexpr const char* morning =
    R"("row":{"hour":6,"distance":300,"humid":80.5,"carrier":"AA","rain":true})";

}  // namespace

TEST_CASE("whatif: a row is scored before and after, as the model scores it", "[whatif]") {
  Asking asking;
  const json found =
      asking.ask(std::string("{") + morning + R"(,"set":{"hour":"20","carrier":"UA"}})");
  const auto model = model::Model::load(asking.model);
  REQUIRE(model);
  const auto score = [&](std::int64_t hour, const char* carrier) {
    float out = 0;
    const std::vector<model::Cell> cells{hour, std::int64_t{300}, 80.5, std::string_view(carrier),
                                         true};
    REQUIRE(model->score_cells(cells, {&out, 1}));
    return static_cast<double>(out);
  };
  CHECK(found["before"]["scores"][0].get<double>() == score(6, "AA"));
  CHECK(found["after"]["scores"][0].get<double>() == score(20, "UA"));
  CHECK(found["before"]["decision"] == "false");
  CHECK(found["after"]["decision"] == "true");
  CHECK(found["inputs"][0]["before"] == 6);
  CHECK(found["inputs"][0]["after"] == 20);
  CHECK(found["threshold"] == 0.5);
}

TEST_CASE("whatif: contributions and base add up to the margin", "[whatif]") {
  for (const bool trees : {true, false}) {
    Asking asking(trees ? train::train_trees : train::train_linear,
                  trees ? R"({"label":"late","rounds":20})" : R"({"label":"late"})");
    const json found = asking.ask(std::string("{") + morning + R"(,"set":{"humid":12.5}})");
    CHECK(found["contributions"]["method"] == (trees ? "tree_shap" : "weights"));
    for (const char* side : {"before", "after"}) {
      double margin = found["contributions"][std::string("base_") + side];
      for (const json& one : found["contributions"]["features"]) {
        margin += one[side].get<double>();
      }
      const double score = found[side]["scores"][0];
      CHECK(margin == Approx(std::log(score / (1 - score))).margin(1e-4));
    }
  }
}

TEST_CASE("whatif: no nearer value of a single input flips the decision of trees", "[whatif]") {
  Asking asking;
  const json found = asking.ask(std::string("{") + morning + "}");
  const auto model = model::Model::load(asking.model);
  REQUIRE(model);
  const auto late = [&](std::int64_t hour, double humid) {
    float out = 0;
    const std::vector<model::Cell> cells{hour, std::int64_t{300}, humid, std::string_view("AA"),
                                         true};
    REQUIRE(model->score_cells(cells, {&out, 1}));
    return out >= 0.5F;
  };
  const json hour = move_of(found, "hour");
  REQUIRE(hour.is_object());
  CHECK(hour["exact"] == true);
  CHECK(hour["decision"] == "true");
  const auto to = hour["to"].get<std::int64_t>();
  CHECK(hour["by"] == to - 6);
  CHECK(late(to, 80.5));
  for (std::int64_t other = 6 - std::abs(to - 6) + 1; other < 6 + std::abs(to - 6); ++other) {
    CHECK_FALSE(late(other, 80.5));
  }
  const json carrier = move_of(found, "carrier");
  CHECK(carrier["to"] == "WN");
  CHECK(why_of(found, "distance") == "no value flips it");
  // A late evening: less humid is in time, and nothing in between.
  const json evening = asking.ask(
      R"({"row":{"hour":20,"distance":300,"humid":80.5,"carrier":"AA","rain":true}})");
  const json humid = move_of(evening, "humid");
  REQUIRE(humid.is_object());
  const auto less = humid["to"].get<double>();
  CHECK_FALSE(late(20, less));
  CHECK(late(20, std::nextafter(static_cast<float>(less), 100.0F)));
  for (double between = less + 0.01; between < 80.5; between += 0.01) CHECK(late(20, between));
}

TEST_CASE("whatif: weights flip where their line crosses the threshold", "[whatif]") {
  Asking asking(train::train_linear, R"({"label":"late"})");
  const json found = asking.ask(std::string("{") + morning + R"(,"threshold":0.6})");
  CHECK(found["threshold"] == 0.6);
  const json hour = move_of(found, "hour");
  if (hour.is_object()) {
    CHECK(hour["exact"] == true);
    const auto model = model::Model::load(asking.model);
    REQUIRE(model);
    const auto score = [&](std::int64_t at) {
      float out = 0;
      const std::vector<model::Cell> cells{std::string_view("AA"), std::int64_t{300}, at, 80.5,
                                           true};  // a transform's inputs stand by name
      REQUIRE(model->score_cells(cells, {&out, 1}));
      return out;
    };
    const auto to = hour["to"].get<std::int64_t>();
    CHECK((score(to) >= 0.6F) != (score(6) >= 0.6F));
    CHECK((score(to - (to > 6 ? 1 : -1)) >= 0.6F) == (score(6) >= 0.6F));
  } else {
    CHECK(why_of(found, "hour") != "");
  }
}

TEST_CASE("whatif: a row of examples by its number", "[whatif]") {
  Asking asking;
  const json first = asking.ask(R"({"number":1})", true), last = asking.ask(R"({"number":500})", true);
  CHECK(first["inputs"][0]["before"] != nullptr);
  CHECK(first["inputs"] != last["inputs"]);
  CHECK(asking.error(R"({"number":501})", true) ==
        "there is no row 501: the examples have 500, the first is row 1");
  CHECK(asking.error(R"({"number":1})") == "a row by number needs examples or golden rows");
  CHECK(asking.error("{}") == "name a row: its values, or its number from 1 on");
  CHECK(asking.error(std::string("{\"number\":1,") + morning + "}") ==
        "give the row itself or its number, not both");
}

TEST_CASE("whatif: what is wrong with a row is said with the input's name", "[whatif]") {
  Asking asking;
  const auto error_of = [&](const std::string& row, const std::string& set = "{}") {
    return asking.error(R"({"row":)" + row + R"(,"set":)" + set + "}");
  };
  CHECK(error_of(R"({"hour":6})") == "the row has no \"distance\" (int), which the model needs; null "
                                      "says that it is not known");
  const auto with = [](const std::string& hour, const std::string& humid,
                       const std::string& carrier) {
    return R"({"hour":)" + hour + R"(,"distance":1,"humid":)" + humid + R"(,"carrier":)" + carrier +
           R"(,"rain":false})";
  };
  CHECK(error_of(with("\"six\"", "1", "\"AA\"")) ==
        "input \"hour\" (int) takes a whole number, not \"six\"");
  CHECK(error_of(with("6.5", "1", "\"AA\"")) == "input \"hour\" (int) takes a whole number, not 6.5");
  CHECK(error_of(with("6", "true", "\"AA\"")) == "input \"humid\" (float) takes a number, not true");
  CHECK(error_of(with("6", "1", "7")) == "input \"carrier\" (string) takes a text, not 7");
  CHECK(error_of(with("6", "[1,2]", "\"AA\"")) ==
        "input \"humid\" (float) takes a single value, not a list of 2");
  const std::string good = with("6.0", "1", "null");
  CHECK(error_of(good, R"({"humidity":"1"})") ==
        "the model has no input \"humidity\"; its inputs are hour, distance, humid, carrier, rain");
  CHECK(error_of(good, R"({"rain":"yes"})") ==
        "input \"rain\" (bool) takes true or false, not \"yes\"");
}

TEST_CASE("whatif: a category never seen is scored as missing, and said", "[whatif]") {
  Asking asking;
  const std::string row = R"("row":{"hour":6,"distance":300,"humid":80.5,"carrier":)";
  const json seen = asking.ask("{" + row + R"("ZZ","rain":true}})");
  const json none = asking.ask("{" + row + R"(null,"rain":true}})");
  CHECK(seen["before"]["scores"] == none["before"]["scores"]);
  CHECK(seen["inputs"][3]["outside"] == "must be one of the 3 values that training saw (\"AA\", "
                                         "\"UA\", \"WN\"), not \"ZZ\"");
  CHECK_FALSE(none["inputs"][3].contains("outside"));
  const json cleared = asking.ask("{" + row + R"("WN","rain":true},"set":{"carrier":""}})");
  CHECK(cleared["after"]["scores"] == none["before"]["scores"]);
}

TEST_CASE("whatif: classes flip to the greatest score, values need a threshold", "[whatif]") {
  FakeContext context;
  ExamplesMaker::Column<double> x, y;
  ExamplesMaker::Column<std::string> kind;
  for (int i = 0; i < 300; ++i) {
    x.push_back(i % 100), y.push_back(2.0 * (i % 100));
    kind.push_back(i % 100 < 30 ? "low" : i % 100 < 70 ? "mid" : "top");
  }
  const auto trained = [&](const char* label) {
    FakeContext trainer;
    ExamplesMaker maker;
    maker.numbers("x", x);
    if (std::string(label) == "y") maker.numbers("y", y);
    else maker.words("kind", kind);
    trainer.params(std::string(R"({"rounds":30,"label":")") + label + "\"}");
    trainer.output("model", "model/1").output("log", "report/1");
    trainer.input("examples", "examples/1", maker.write(trainer.folder() / "given"));
    REQUIRE(trainer.run(train::train_trees).outcome == Outcome::ok);
    const auto kept = context.folder() / label;
    std::filesystem::copy(trainer.output_path("model"), kept,
                          std::filesystem::copy_options::recursive);
    return kept;
  };
  Asking asking;
  asking.model = trained("kind");
  const json classes = asking.ask(R"({"row":{"x":35}})");
  CHECK(classes["before"]["decision"] == "mid");
  CHECK(classes["contributions"]["class"] == "mid");
  const json move = move_of(classes, "x");
  CHECK(move["decision"] == "low");
  CHECK(move["to"].get<double>() < 30);
  CHECK(move["to"].get<double>() > 28.9);
  asking.model = trained("y");
  const json value = asking.ask(R"({"row":{"x":35}})");
  CHECK_FALSE(value["before"].contains("decision"));
  CHECK(value["no_moves"] ==
        "the model gives a value and decides nothing; a threshold makes a decision");
  const json cut = asking.ask(R"({"row":{"x":35},"threshold":100})");
  CHECK(cut["before"]["decision"] == "below 100");
  CHECK(move_of(cut, "x")["decision"] == "at least 100");
  CHECK(move_of(cut, "x")["to"].get<double>() == Approx(50).margin(5));  // between bins of the histogram
}
