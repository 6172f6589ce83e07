// Trainings that take what a search chose.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operators/testing/fake_context.h"
#include "plugins/train/train_linear.h"
#include "plugins/train/train_trees.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using nlohmann::json;
using testing::ExamplesMaker;
using testing::FakeContext;

struct Training {
  FakeContext context;
  wire::Ended ended;

  Training(sdk::Function train, json params, const std::string& tuning = "") {
    ExamplesMaker::Column<double> wind, distance;
    ExamplesMaker::Column<bool> late;
    for (int i = 0; i < 400; ++i) {
      wind.push_back(i * 37 % 101);
      distance.push_back(i * 53 % 211);
      late.push_back(*wind.back() + *distance.back() / 4 > 70);
    }
    const auto folder = ExamplesMaker().numbers("wind", wind).numbers("distance", distance)
                            .flags("late", late).write(context.folder() / "given");
    params["label"] = "late";
    context.input("examples", "examples/1", folder).params(params.dump());
    if (!tuning.empty()) context.input_file("tuning", "tuning/1", "tuning.json", tuning);
    ended = context.output("model", "model/1").output("log", "report/1").run(train);
  }
  std::string model() const {
    REQUIRE(ended.outcome == Outcome::ok);
    return context.output_text("model", "model.json");
  }
};

std::string chose(const json& values) { return json{{"chosen", values}}.dump(); }

}  // namespace

TEST_CASE("chosen: a training with a search's values is the training with those values", "[train]") {
  const json values{{"max_depth", 3}, {"rounds", 7}, {"learning_rate", 0.25}, {"class_weights", "balanced"}};
  Training chosen(train::train_trees, {{"rounds", 50}, {"lambda", 2.0}}, chose(values));
  json same = values;
  same["lambda"] = 2.0;
  Training given(train::train_trees, same);
  CHECK(chosen.model() == given.model());
  CHECK(chosen.context.output_text("model", "trees.ubj") == given.context.output_text("model", "trees.ubj"));
  CHECK(chosen.model() != Training(train::train_trees, {{"rounds", 50}, {"lambda", 2.0}}).model());
}

TEST_CASE("chosen: of values under other names those that are named are taken", "[train]") {
  const std::string tuning = chose({{"depth", 3}, {"eta", 0.3}, {"encoding", "hashed"}});
  Training chosen(train::train_trees, {{"rounds", 5}, {"tuned", {{"max_depth", "depth"}}}}, tuning);
  CHECK(chosen.model() == Training(train::train_trees, {{"rounds", 5}, {"max_depth", 3}}).model());
}

TEST_CASE("chosen: linear models take theirs, too", "[train]") {
  Training chosen(train::train_linear, {{"l2", 0.5}}, chose({{"l2", 0.01}, {"l1", 0.001}, {"steps", 20}}));
  CHECK(chosen.model() ==
        Training(train::train_linear, {{"l2", 0.01}, {"l1", 0.001}, {"steps", 20}}).model());
}

TEST_CASE("chosen: what does not fit is refused by name", "[train]") {
  const auto error = [](const json& params, const std::string& tuning) {
    Training training(train::train_trees, params, tuning);
    CHECK(training.ended.outcome == Outcome::invalid);
    return training.ended.error;
  };
  const std::pair<std::string, const char*> wrong[] = {
      {error({}, "{}"), "no tuning.json with chosen values"},
      {error({}, "\xff"), "no tuning.json with chosen values"},
      {error({}, chose({{"depth", 3}})), "the search chose \"depth\", which is none of"},
      {error({{"tuned", {{"depth", "depth"}}}}, chose({{"depth", 3}})), "\"tuned.depth\" is none"},
      {error({{"tuned", {{"max_depth", "deep"}}}}, chose({{"depth", 3}})), "asks for \"deep\""},
      {error({{"tuned", {{"max_depth", "depth"}}}}, ""), "nothing is at input \"tuning\""},
      {error({}, chose({{"max_depth", 3.5}})), "chose no whole number for \"max_depth\""},
      {error({}, chose({{"max_depth", "three"}})), "chose no whole number for \"max_depth\""},
      {error({}, chose({{"lambda", true}})), "chose no number for \"lambda\""},
      {error({}, chose({{"sampling", 1}})), "chose no string for \"sampling\""},
      {error({}, chose({{"subsample", 1.5}})), "\"subsample\" and \"colsample\" must be above 0"}};
  for (const auto& [sentence, part] : wrong) CHECK_THAT(sentence, Catch::Matchers::Contains(part));
}
