// Trees read from XGBoost's JSON, and what becomes of damaged ones.
#include "model/forest.h"

#include <array>
#include <catch2/catch.hpp>
#include <limits>
#include <nlohmann/json.hpp>

namespace {

using namespace pipelined;
using namespace pipelined::model;
using nlohmann::json;

// feature 0 < 5 ? (feature 1 in {1, 3} ? right 0.4 : left 0.3) : 0.2; missing goes right, then left.
json one_tree() {
  return {{"left_children", {1, 3, -1, -1, -1}},
          {"right_children", {2, 4, -1, -1, -1}},
          {"split_conditions", {5.0, 0.0, 0.2, 0.3, 0.4}},
          {"split_indices", {0, 1, 0, 0, 0}},
          {"default_left", {0, 1, 0, 0, 0}},
          {"split_type", {0, 1, 0, 0, 0}},
          {"categories", {1, 3}},
          {"categories_nodes", {1}},
          {"categories_segments", {0}},
          {"categories_sizes", {2}}};
}

json document(const json& tree) {
  return {{"learner",
           {{"objective", {{"name", "reg:squarederror"}}},
            {"learner_model_param",
             {{"num_feature", "2"}, {"num_class", "0"}, {"base_score", "2.5E-1"}}},
            {"gradient_booster",
             {{"name", "gbtree"},
              {"model", {{"trees", json::array({tree})}, {"tree_info", {0}}}}}}}}};
}

float leaf_of(const Forest& forest, float first, float second) {
  std::array<float, 1> margin{0};
  forest.add_margins(std::array<float, 2>{first, second}, margin);
  return margin[0];
}

Result<Forest> parse(const json& whole) { return Forest::parse(whole.dump(), TreesFormat::json); }

constexpr float nothing = std::numeric_limits<float>::quiet_NaN();

}  // namespace

TEST_CASE("forest: numbers below the condition go left, missing ones the default way", "[model]") {
  const auto forest = parse(document(one_tree()));
  REQUIRE(forest);
  CHECK(forest->tree_count() == 1);
  CHECK(forest->feature_count() == 2);
  CHECK(forest->base_score() == 0.25F);
  CHECK(leaf_of(*forest, 5.0F, 0.0F) == 0.2F);
  CHECK(leaf_of(*forest, nothing, 0.0F) == 0.2F);
  CHECK(leaf_of(*forest, 4.9F, nothing) == 0.3F);
}

TEST_CASE("forest: the categories of a set go right, all others left", "[model]") {
  const auto forest = parse(document(one_tree()));
  REQUIRE(forest);
  CHECK(leaf_of(*forest, 0, 1) == 0.4F);
  CHECK(leaf_of(*forest, 0, 3) == 0.4F);
  CHECK(leaf_of(*forest, 0, 0) == 0.3F);
  CHECK(leaf_of(*forest, 0, 2) == 0.3F);
  CHECK(leaf_of(*forest, 0, 400) == 0.3F);
}

TEST_CASE("forest: universal binary JSON gives the same trees", "[model]") {
  const auto bytes = json::to_ubjson(document(one_tree()));
  const auto forest = Forest::parse({reinterpret_cast<const char*>(bytes.data()), bytes.size()},
                                    TreesFormat::ubj);
  REQUIRE(forest);
  CHECK(leaf_of(*forest, 0, 3) == 0.4F);
}

TEST_CASE("forest: a block of rows gives what its rows give", "[model]") {
  const auto forest = parse(document(one_tree()));
  REQUIRE(forest);
  const std::array<float, 6> block{6, 0, 1, 3, 1, nothing};
  std::array<float, 3> margins{1, 1, 1};
  forest->add_margins_of_block(block.data(), 3, margins.data());
  CHECK(margins == std::array<float, 3>{1 + 0.2F, 1 + 0.4F, 1 + 0.3F});
}

TEST_CASE("forest: damaged trees are refused, never walked", "[model]") {
  json tree = one_tree();
  SECTION("a child outside the tree") { tree["left_children"][1] = 9; }
  SECTION("a cycle") { tree["left_children"][1] = 0; }
  SECTION("a node with two parents") { tree["right_children"][1] = 3; }
  SECTION("an inner node without a right child") { tree["right_children"][0] = -1; }
  SECTION("a feature that does not exist") { tree["split_indices"][0] = 2; }
  SECTION("lists of different lengths") { tree["split_conditions"].erase(4); }
  SECTION("a set of categories outside the list") { tree["categories_sizes"][0] = 3; }
  SECTION("a question about categories without a set") { tree["categories_nodes"][0] = 4; }
  SECTION("a category that would take all memory") { tree["categories"][1] = 4000000000U; }
  SECTION("a missing list") { tree.erase("default_left"); }
  SECTION("no nodes") {
    for (auto& [key, list] : tree.items()) list = json::array();
  }
  const auto forest = parse(document(tree));
  REQUIRE_FALSE(forest);
  CHECK(forest.error().code == ErrorCode::corrupt);
}

TEST_CASE("forest: what is no sum of plain trees is refused", "[model]") {
  json whole = document(one_tree());
  SECTION("another booster") { whole["learner"]["gradient_booster"]["name"] = "dart"; }
  SECTION("a class that does not exist") {
    whole["learner"]["gradient_booster"]["model"]["tree_info"] = {1};
  }
  SECTION("a number that is none") {
    whole["learner"]["learner_model_param"]["base_score"] = "half";
  }
  SECTION("no learner") { whole.erase("learner"); }
  CHECK_FALSE(parse(whole));
  CHECK_FALSE(Forest::parse("{\"learner\":", TreesFormat::json));
  CHECK_FALSE(Forest::parse("", TreesFormat::ubj));
}
