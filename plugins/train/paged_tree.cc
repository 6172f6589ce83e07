#include "plugins/train/paged_tree.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "plugins/train/page_store.h"

namespace pipelined::train {
namespace {

using nlohmann::json;

json tree_json(const PagedTree& tree, std::size_t id, std::size_t features) {
  json lists = json::object();
  for (const char* name :
       {"base_weights", "categories", "categories_nodes", "categories_segments",
        "categories_sizes", "default_left", "left_children", "loss_changes", "parents",
        "right_children", "split_conditions", "split_indices", "split_type", "sum_hessian"}) {
    lists[name] = json::array();
  }
  constexpr std::int32_t no_parent = 2147483647;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    const PagedNode& node = tree[i];
    lists["base_weights"].push_back(node.value);
    lists["default_left"].push_back(node.default_left ? 1 : 0);
    lists["left_children"].push_back(node.left);
    lists["right_children"].push_back(node.right);
    lists["parents"].push_back(node.parent < 0 ? no_parent : node.parent);
    lists["loss_changes"].push_back(node.gain);
    lists["sum_hessian"].push_back(node.cover);
    lists["split_conditions"].push_back(node.is_leaf() ? node.value : node.condition);
    lists["split_indices"].push_back(node.feature);
    lists["split_type"].push_back(node.right_set.empty() ? 0 : 1);
    if (node.right_set.empty()) continue;
    lists["categories_nodes"].push_back(i);
    lists["categories_segments"].push_back(lists["categories"].size());
    lists["categories_sizes"].push_back(node.right_set.size());
    for (const std::uint16_t category : node.right_set) lists["categories"].push_back(category);
  }
  lists["id"] = id;
  lists["tree_param"] = {{"num_deleted", "0"},
                         {"num_feature", std::to_string(features)},
                         {"num_nodes", std::to_string(tree.size())},
                         {"size_leaf_vector", "0"}};
  return lists;
}

json objective_json(const model::Signature& signature) {
  json objective{{"name", name_of(signature.objective)}};
  if (signature.objective == model::Objective::multi_softprob) {
    objective["softmax_multiclass_param"] = {
        {"num_class", std::to_string(signature.score_count())}};
  } else {
    objective["reg_loss_param"] = {{"scale_pos_weight", "1"}};
  }
  return objective;
}

}  // namespace

std::int32_t PagedNode::child(std::uint16_t bin_of_row) const {
  if (bin_of_row == PageStore::missing_bin) return default_left ? left : right;
  if (right_set.empty()) return bin_of_row < bin ? left : right;
  return std::binary_search(right_set.begin(), right_set.end(), bin_of_row) ? right : left;
}

std::uint32_t leaf_of(const PagedTree& tree, std::uint32_t node, const std::uint16_t* bins) {
  while (!tree[node].is_leaf()) {
    node = static_cast<std::uint32_t>(tree[node].child(bins[tree[node].feature]));
  }
  return node;
}

std::string xgboost_json(const std::vector<PagedTree>& trees, const model::Signature& signature) {
  const std::size_t groups = signature.score_count();
  json list = json::array();
  json groups_of_trees = json::array();
  for (std::size_t i = 0; i < trees.size(); ++i) {
    list.push_back(tree_json(trees[i], i, signature.features.size()));
    groups_of_trees.push_back(i % groups);
  }
  const json model{{"gbtree_model_param",
                    {{"num_parallel_tree", "1"},
                     {"num_trees", std::to_string(trees.size())},
                     {"size_leaf_vector", "0"}}},
                   {"tree_info", groups_of_trees},
                   {"trees", list}};
  const json learner{
      {"attributes", json::object()},
      {"feature_names", json::array()},
      {"feature_types", json::array()},
      {"gradient_booster", {{"model", model}, {"name", "gbtree"}}},
      {"learner_model_param",
       {{"base_score", "5E-1"},
        {"num_class", std::to_string(groups > 1 ? groups : 0)},
        {"num_feature", std::to_string(signature.features.size())},
        {"num_target", "1"}}},
      {"objective", objective_json(signature)}};
  return json{{"learner", learner}, {"version", {1, 7, 0}}}.dump();
}

json checkpoint_of(const std::vector<PagedTree>& trees) {
  json document = json::array();
  for (const PagedTree& tree : trees) {
    json nodes = json::array();
    for (const PagedNode& node : tree) {
      nodes.push_back({node.left, node.right, node.parent, node.feature, node.bin, node.condition,
                       node.default_left, node.right_set, node.value, node.gain, node.cover});
    }
    document.push_back(std::move(nodes));
  }
  return document;
}

Result<std::vector<PagedTree>> trees_of_checkpoint(const json& document) {
  std::vector<PagedTree> trees;
  try {
    for (const json& nodes : document) {
      PagedTree tree;
      for (const json& node : nodes) {
        tree.push_back({node.at(0), node.at(1), node.at(2), node.at(3), node.at(4), node.at(5),
                        node.at(6), node.at(7), node.at(8), node.at(9), node.at(10)});
      }
      trees.push_back(std::move(tree));
    }
  } catch (const json::exception& thrown) {
    return Error{ErrorCode::corrupt, thrown.what()};
  }
  return trees;
}

}  // namespace pipelined::train
