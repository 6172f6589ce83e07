// Shapley values of small trees beside their definition: the mean over all orders of features.
#include "model/tree_shap.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <random>

namespace {

using namespace pipelined;
using namespace pipelined::model;
using nlohmann::json;

constexpr std::size_t features = 4;

// A full tree of three questions from root to leaf; covers add up from the leaves.
json tree(std::mt19937& random, bool with_covers = true) {
  json left, right, conditions, asked, gaps, types, covers;
  std::vector<double> cover(15);
  for (int node = 14; node >= 0; --node) {
    const auto at = static_cast<std::size_t>(node);
    cover[at] = node >= 7 ? static_cast<double>(1 + random() % 9)
                          : cover[2 * at + 1] + cover[2 * at + 2];
  }
  for (int node = 0; node < 15; ++node) {
    const bool leaf = node >= 7;
    left.push_back(leaf ? -1 : 2 * node + 1);
    right.push_back(leaf ? -1 : 2 * node + 2);
    conditions.push_back(static_cast<double>(random() % 100) / 100.0);
    asked.push_back(leaf ? 0 : random() % features);
    gaps.push_back(random() % 2);
    types.push_back(0);
    covers.push_back(cover[static_cast<std::size_t>(node)]);
  }
  json one{{"left_children", left},         {"right_children", right},
           {"split_conditions", conditions}, {"split_indices", asked},
           {"default_left", gaps},           {"split_type", types},
           {"categories", json::array()},    {"categories_nodes", json::array()},
           {"categories_segments", json::array()}, {"categories_sizes", json::array()}};
  if (with_covers) one["sum_hessian"] = covers;
  return one;
}

Model model_of(const json& trees) {
  json info = json::array();
  for (std::size_t i = 0; i < trees.size(); ++i) info.push_back(0);
  const json document{
      {"learner",
       {{"objective", {{"name", "reg:squarederror"}}},
        {"learner_model_param",
         {{"num_feature", "4"}, {"num_class", "0"}, {"base_score", "2.5E-1"}}},
        {"gradient_booster",
         {{"name", "gbtree"}, {"model", {{"trees", trees}, {"tree_info", info}}}}}}}};
  auto forest = Forest::parse(document.dump(), TreesFormat::json);
  REQUIRE(forest);
  Signature signature;
  for (const char* name : {"a", "b", "c", "d"}) {
    signature.features.push_back({name, FeatureType::real, {}});
  }
  signature.objective = Objective::squared_error;
  signature.label = {"y", FeatureType::real, {}};
  auto model = Model::make(signature, std::move(*forest));
  REQUIRE(model);
  return std::move(*model);
}

// The expected margin of a tree if only the features in `known` are.
double expected(const Forest& forest, std::size_t node, const std::vector<float>& row,
                unsigned known) {
  const TreeNode& here = forest.nodes()[node];
  if (here.left < 0) return static_cast<double>(here.value);
  const auto left = static_cast<std::size_t>(here.left);
  const auto right = static_cast<std::size_t>(here.right);
  if ((known >> here.feature) & 1U) {
    return expected(forest, forest.goes_left(here, row[here.feature]) ? left : right, row, known);
  }
  const double on_left = static_cast<double>(forest.covers()[left]);
  const double whole = static_cast<double>(forest.covers()[node]);
  return (expected(forest, left, row, known) * on_left +
          expected(forest, right, row, known) * (whole - on_left)) / whole;
}

double value_of(const Model& model, const std::vector<float>& row, unsigned known) {
  double sum = 0.25;
  for (std::size_t i = 0; i < model.forest().tree_count(); ++i) {
    sum += expected(model.forest(), model.forest().root(i), row, known);
  }
  return sum;
}

unsigned size_of(unsigned set) { return static_cast<unsigned>(__builtin_popcount(set)); }
double factorial(unsigned n) { return n < 2 ? 1 : n * factorial(n - 1); }

// By definition: what the feature adds to each set of others, weighed by how many orders have it so.
double shapley(const Model& model, const std::vector<float>& row, unsigned feature) {
  double sum = 0;
  for (unsigned set = 0; set < 1U << features; ++set) {
    if ((set >> feature) & 1U) continue;
    const double orders = factorial(size_of(set)) * factorial(features - size_of(set) - 1);
    sum += orders / factorial(features) *
           (value_of(model, row, set | 1U << feature) - value_of(model, row, set));
  }
  return sum;
}

// Half of the interaction index of two features.
double together(const Model& model, const std::vector<float>& row, unsigned one, unsigned other) {
  double sum = 0;
  for (unsigned set = 0; set < 1U << features; ++set) {
    if ((set >> one) & 1U || (set >> other) & 1U) continue;
    const double orders = factorial(size_of(set)) * factorial(features - size_of(set) - 2);
    sum += orders / (2 * factorial(features - 1)) *
           (value_of(model, row, set | 1U << one | 1U << other) -
            value_of(model, row, set | 1U << one) - value_of(model, row, set | 1U << other) +
            value_of(model, row, set));
  }
  return sum;
}

std::vector<float> row_of(std::mt19937& random) {
  std::vector<float> row;
  for (std::size_t i = 0; i < features; ++i) {
    row.push_back(random() % 5 == 0 ? missing : static_cast<float>(random() % 100) / 100.0F);
  }
  return row;
}

}  // namespace

TEST_CASE("shapley: values are those of the definition", "[shap]") {
  std::mt19937 random(1);
  for (int turn = 0; turn < 30; ++turn) {
    const Model model = model_of(json::array({tree(random), tree(random)}));
    const auto shap = TreeShap::make(model);
    REQUIRE(shap);
    const std::vector<float> row = row_of(random);
    std::vector<double> values(shap->width());
    shap->explain(row, values);
    double sum = 0;
    for (const double value : values) sum += value;
    for (unsigned feature = 0; feature < features; ++feature) {
      CHECK(values[feature] == Approx(shapley(model, row, feature)).margin(1e-12));
    }
    CHECK(values.back() == Approx(value_of(model, row, 0)).epsilon(1e-12));
    CHECK(sum == Approx(value_of(model, row, 15)).epsilon(1e-12));
  }
}

TEST_CASE("shapley: interactions are those of the definition and add up", "[shap]") {
  std::mt19937 random(2);
  for (int turn = 0; turn < 20; ++turn) {
    const Model model = model_of(json::array({tree(random), tree(random)}));
    const auto shap = TreeShap::make(model);
    REQUIRE(shap);
    const std::vector<float> row = row_of(random);
    const std::size_t width = shap->width();
    std::vector<double> table(width * width), values(width);
    shap->explain(row, values);
    shap->interactions(row, 0, {0, 1, 2, 3}, table);
    for (unsigned one = 0; one < features; ++one) {
      double sum = 0;
      for (unsigned other = 0; other < features; ++other) {
        sum += table[one * width + other];
        if (one == other) continue;
        CHECK(table[one * width + other] == Approx(together(model, row, one, other)).margin(1e-12));
      }
      CHECK(sum == Approx(values[one]).margin(1e-12));
    }
  }
}

TEST_CASE("shapley: only the features that are asked for have interactions", "[shap]") {
  std::mt19937 random(3);
  const Model model = model_of(json::array({tree(random)}));
  const auto shap = TreeShap::make(model);
  REQUIRE(shap);
  std::vector<double> table(25);
  shap->interactions(row_of(random), 0, {2}, table);
  for (std::size_t at = 0; at < 24; ++at) {
    if (at / 5 != 2) CHECK(table[at] == 0.0);
  }
}

TEST_CASE("shapley: trees without covers or too deep are refused in a sentence", "[shap]") {
  std::mt19937 random(4);
  const Model bare = model_of(json::array({tree(random), tree(random, false)}));
  const auto refused = TreeShap::make(bare);
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("sum_hessian"));
  json deep = tree(random);
  for (const char* list : {"left_children", "right_children", "split_conditions", "split_indices",
                           "default_left", "split_type", "sum_hessian"}) {
    deep[list] = json::array();
  }
  for (int node = 0; node <= 600; ++node) {
    const bool leaf = node % 2 == 1 || node == 600;
    deep["left_children"].push_back(leaf ? -1 : node + 1);
    deep["right_children"].push_back(leaf ? -1 : node + 2);
    deep["split_conditions"].push_back(0.5);
    for (const char* list : {"split_indices", "default_left", "split_type"}) deep[list].push_back(0);
    deep["sum_hessian"].push_back(1.0);
  }
  const Model chain = model_of(json::array({deep}));
  const auto too_deep = TreeShap::make(chain);
  REQUIRE_FALSE(too_deep);
  CHECK_THAT(too_deep.error().message, Catch::Contains("deeper than 200"));
}
