// Golden rows: kept by model.register, scored again by model.verify.
#include "plugins/model/golden.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "operators/testing/fake_context.h"
#include "plugins/model/model_register.h"
#include "plugins/model/model_what_if.h"
#include "plugins/train/train_trees.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;
namespace fs = std::filesystem;

ExamplesMaker flights(std::size_t rows = 300) {
  ExamplesMaker::Column<std::int64_t> hour;
  ExamplesMaker::Column<double> humid;
  ExamplesMaker::Column<std::string> carrier;
  ExamplesMaker::Column<bool> late;
  for (std::size_t i = 0; i < rows; ++i) {
    hour.push_back(static_cast<std::int64_t>(i * 7 % 24));
    humid.push_back(static_cast<double>(i * 31 % 997) / 7);
    carrier.push_back(i % 3 == 0 ? "AA" : "U\"A");
    if (i % 17 == 0) carrier.back().reset(), humid.back().reset();
    late.push_back(*hour.back() > 12 && i % 3 != 0);
  }
  ExamplesMaker maker;
  return maker.integers("hour", hour).numbers("humid", humid).words("carrier", carrier)
      .flags("late", late);
}

struct Registered {
  FakeContext trainer, context;
  wire::Ended ended;

  Registered() {
    trainer.params(R"({"label":"late","rounds":10})");
    trainer.output("model", "model/1").output("log", "report/1");
    trainer.input("examples", "examples/1", flights().write(trainer.folder() / "given"));
    REQUIRE(trainer.run(train::train_trees).outcome == Outcome::ok);
  }
  fs::path model() const { return trainer.output_path("model"); }
  std::string golden(bool with_examples, std::size_t rows = 300) {
    context.params(R"({"name":"late"})").seed(5).output("golden", "golden/1");
    context.input("model", "model/1", model());
    if (with_examples) {
      context.input("examples", "examples/1", flights(rows).write(context.folder() / "rows"));
    }
    ended = context.run(evaluation::model_register);
    INFO(ended.error);
    REQUIRE(ended.outcome == Outcome::ok);
    return context.output_text("golden", "golden.json");
  }
};

wire::Ended verified(const fs::path& model, const std::string& golden, json* found = nullptr,
                     const std::string& params = "{}") {
  FakeContext context;
  context.params(params).input("model", "model/1", model);
  context.input_file("golden", "golden/1", "golden.json", golden);
  context.output("verification", "verification/1");
  wire::Ended ended = context.run(evaluation::model_verify);
  if (found != nullptr) {
    *found = json::parse(context.output_text("verification", "verification.json"));
  }
  return ended;
}

}  // namespace

TEST_CASE("golden: 48 rows of the examples are kept with the scores that they get", "[golden]") {
  Registered registered;
  const std::string text = registered.golden(true);
  const json golden = json::parse(text);
  CHECK(golden["source"] == "examples");
  REQUIRE(golden["rows"].size() == 48);
  const auto model = model::Model::load(registered.model());
  REQUIRE(model);
  for (const json& row : golden["rows"]) {
    std::vector<model::Cell> cells(3);
    if (!row["values"]["hour"].is_null()) cells[0] = row["values"]["hour"].get<std::int64_t>();
    if (!row["values"]["humid"].is_null()) cells[1] = row["values"]["humid"].get<double>();
    const std::string carrier =
        row["values"]["carrier"].is_null() ? "" : row["values"]["carrier"].get<std::string>();
    if (!carrier.empty()) cells[2] = std::string_view(carrier);
    float score = 0;
    REQUIRE(model->score_cells(cells, {&score, 1}));
    CHECK(row["scores"][0].get<double>() == static_cast<double>(score));
  }
  Registered again;
  CHECK(again.golden(true) == text);
  Registered few;
  CHECK(json::parse(few.golden(true, 7))["rows"].size() == 7);
}

TEST_CASE("golden: without examples rows are made from the signature", "[golden]") {
  Registered registered;
  const std::string text = registered.golden(false);
  const json golden = json::parse(text);
  CHECK(golden["source"] == "signature");
  REQUIRE(golden["rows"].size() == 48);
  std::size_t without_carrier = 0;
  for (const json& row : golden["rows"]) without_carrier += row["values"]["carrier"].is_null();
  CHECK(without_carrier < 20);
  CHECK(verified(registered.model(), text).outcome == Outcome::ok);
}

TEST_CASE("golden: the same model scores as it did, bit for bit; another one does not", "[golden]") {
  Registered registered;
  const std::string text = registered.golden(true);
  json found;
  CHECK(verified(registered.model(), text, &found).outcome == Outcome::ok);
  CHECK(found["equal"] == 48);
  CHECK(found["greatest_difference"] == 0.0);
  CHECK(found["sentence"] == "48 golden rows score as they did, bit for bit");
  // One score by its last bit.
  json moved = json::parse(text);
  const auto before = moved["rows"][4]["scores"][0].get<double>();
  const float after = std::nextafter(static_cast<float>(before), 1.0F);
  moved["rows"][4]["scores"][0] = static_cast<double>(after);
  const wire::Ended ended = verified(registered.model(), moved.dump(), &found);
  CHECK(ended.outcome == Outcome::halt);
  CHECK_THAT(ended.error, Catch::StartsWith("1 of 48 golden rows score otherwise: row 5 gave ["));
  CHECK(found["deviations"][0]["row"] == 5);
  CHECK(verified(registered.model(), moved.dump(), nullptr, R"({"tolerance":1e-6})").outcome ==
        Outcome::ok);
}

TEST_CASE("golden: rows that the model refuses, or none at all, are no success in silence",
          "[golden]") {
  Registered registered;
  json golden = json::parse(registered.golden(true));
  golden["rows"][2]["values"].erase("humid");
  wire::Ended ended;
  {
    FakeContext context;
    context.params("{}").input("model", "model/1", registered.model());
    context.input_file("golden", "golden/1", "golden.json", golden.dump());
    context.output("verification", "verification/1");
    ended = context.run(evaluation::model_verify);
  }
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(ended.error == "golden row 3: the row has no \"humid\" (float), which the model needs; null "
                       "says that it is not known");
  json found;
  CHECK(verified(registered.model(), R"({"source":"none","rows":[]})", &found).outcome ==
        Outcome::halt);
  CHECK(found["sentence"] ==
        "there are no golden rows: the model could not be scored when it came");
}

TEST_CASE("golden: examples without a column of the model fail the registration", "[golden]") {
  Registered registered;
  FakeContext context;
  context.params(R"({"name":"late"})").input("model", "model/1", registered.model());
  ExamplesMaker maker;
  maker.integers("hour", {1, 2}).words("carrier", {"AA", "AA"});
  context.input("examples", "examples/1", maker.write(context.folder() / "rows"));
  context.output("golden", "golden/1");
  const wire::Ended ended = context.run(evaluation::model_register);
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(ended.error == "golden rows for the version: the examples have no column \"humid\" "
                       "(float), which has to be there");
}
