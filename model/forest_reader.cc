// Reads XGBoost's saved trees into a Forest.  The only file that knows that format.
#include <charconv>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>

#include "model/forest.h"

namespace pipelined::model {
namespace {

using nlohmann::json;

Error damaged(const std::string& what) {
  return {ErrorCode::corrupt, "cannot read the trees: " + what};
}

// XGBoost writes its own numbers as texts ("5E-1", "12").
template <class T>
Result<T> number_in_text(const json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || !found->is_string()) {
    return damaged(std::string("\"") + key + "\" is missing");
  }
  const auto& text = found->get_ref<const std::string&>();
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) {
    return damaged(std::string("\"") + key + "\" is \"" + text + "\", not a number");
  }
  return value;
}

// XGBoost writes NaN, which is no JSON, as the condition of a node that asks for a category.  Nothing
// reads that number; null stands for it.
json parse_text(std::string_view bytes) {
  std::string text(bytes);
  for (auto at = text.find("NaN"); at != std::string::npos; at = text.find("NaN", at + 4)) {
    if (at > 0 && (text[at - 1] == '[' || text[at - 1] == ',')) text.replace(at, 3, "null");
  }
  return json::parse(text);
}

}  // namespace

/// Fills a Forest tree by tree; throws what nlohmann/json throws for a wrong type.
class ForestReader {
 public:
  Result<Forest> read(const json& document) {
    const json& learner = document.at("learner");
    const json& booster = learner.at("gradient_booster");
    if (booster.at("name") != "gbtree") {
      return damaged("booster \"" + booster.at("name").get<std::string>() + "\" is not gbtree");
    }
    const json& parameters = learner.at("learner_model_param");
    TRY(features, number_in_text<std::uint32_t>(parameters, "num_feature"));
    TRY(classes, number_in_text<std::uint32_t>(parameters, "num_class"));
    TRY(base_score, number_in_text<float>(parameters, "base_score"));
    forest_.feature_count_ = features;
    forest_.group_count_ = classes == 0 ? 1 : classes;
    forest_.base_score_ = base_score;
    forest_.objective_ = learner.at("objective").at("name").get<std::string>();
    const json& trees = booster.at("model").at("trees");
    const json& groups = booster.at("model").at("tree_info");
    if (trees.size() != groups.size()) return damaged("tree_info and trees differ in length");
    for (std::size_t i = 0; i < trees.size(); ++i) {
      const auto group = groups[i].get<std::uint32_t>();
      if (group >= forest_.group_count_) {
        return damaged("tree " + std::to_string(i) + " is of a class that does not exist");
      }
      forest_.groups_.push_back(group);
      if (const Result<void> added = add_tree(trees[i]); !added) {
        return added.error().within("tree " + std::to_string(i));
      }
    }
    return std::move(forest_);
  }

 private:
  Result<void> add_tree(const json& tree) {
    const json& left = tree.at("left_children");
    const json& right = tree.at("right_children");
    const json& conditions = tree.at("split_conditions");
    const json& features = tree.at("split_indices");
    const json& default_left = tree.at("default_left");
    const json& types = tree.at("split_type");
    const std::size_t size = left.size();
    if (size == 0 || right.size() != size || conditions.size() != size ||
        features.size() != size || default_left.size() != size || types.size() != size) {
      return damaged("its lists differ in length or are empty");
    }
    const std::size_t root = forest_.nodes_.size();
    if (root + size > 0x7FFFFFFF) return damaged("too many nodes");
    for (std::size_t i = 0; i < size; ++i) {
      TreeNode node;
      if (!conditions[i].is_null()) node.value = conditions[i].get<float>();
      const auto left_child = left[i].get<std::int32_t>();
      if (left_child >= 0) {
        node.left = left_child + static_cast<std::int32_t>(root);
        node.right = right[i].get<std::int32_t>() + static_cast<std::int32_t>(root);
        node.feature = features[i].get<std::uint32_t>();
        node.default_left = default_left[i].get<int>() != 0;
        if (types[i].get<int>() != 0) node.set = pending_set;
        if (node.feature >= forest_.feature_count_) {
          return damaged("node " + std::to_string(i) + " asks for a feature that does not exist");
        }
      }
      forest_.nodes_.push_back(node);
    }
    forest_.roots_.push_back(root);
    add_covers(tree, size);
    TRY_VOID(add_sets(tree, root, size));
    return check_shape(root, size);
  }

  // What scoring does not need; where one tree has none, there are none.
  void add_covers(const json& tree, std::size_t size) {
    const auto covers = tree.find("sum_hessian");
    complete_ = complete_ && covers != tree.end() && covers->size() == size;
    if (!complete_) return forest_.covers_.clear();
    for (const json& cover : *covers) forest_.covers_.push_back(cover.get<float>());
  }

  // The categories that go right, for the nodes that ask for a category.
  Result<void> add_sets(const json& tree, std::size_t root, std::size_t size) {
    const json& nodes = tree.at("categories_nodes");
    const json& segments = tree.at("categories_segments");
    const json& sizes = tree.at("categories_sizes");
    const json& categories = tree.at("categories");
    if (segments.size() != nodes.size() || sizes.size() != nodes.size()) {
      return damaged("its lists of categories differ in length");
    }
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      const auto node = nodes[i].get<std::size_t>();
      const auto begin = segments[i].get<std::size_t>();
      const auto count = sizes[i].get<std::size_t>();
      if (node >= size || begin > categories.size() || count > categories.size() - begin) {
        return damaged("a set of categories lies outside the list");
      }
      std::vector<bool> set;
      for (std::size_t k = begin; k < begin + count; ++k) {
        const auto category = categories[k].get<std::size_t>();
        if (category >= 1U << 24) return damaged("a category beyond 2^24");
        if (set.size() <= category) set.resize(category + 1);
        set[category] = true;
      }
      forest_.nodes_[root + node].set = static_cast<std::uint32_t>(forest_.sets_.size());
      forest_.sets_.push_back(std::move(set));
    }
    for (std::size_t i = 0; i < size; ++i) {
      if (forest_.nodes_[root + i].set == pending_set) {
        return damaged("node " + std::to_string(i) + " has no set of categories");
      }
    }
    return {};
  }

  // A walk ends at a leaf for every row if each node is reached at most once from the root.
  Result<void> check_shape(std::size_t root, std::size_t size) const {
    std::vector<bool> reached(size);
    std::vector<std::size_t> open{0};
    while (!open.empty()) {
      const std::size_t at = open.back();
      open.pop_back();
      if (reached[at]) return damaged("node " + std::to_string(at) + " is reached twice");
      reached[at] = true;
      const TreeNode& node = forest_.nodes_[root + at];
      if (node.left < 0) continue;
      for (const std::int32_t child : {node.left, node.right}) {
        const std::int64_t local = child - static_cast<std::int64_t>(root);
        if (local < 0 || local >= static_cast<std::int64_t>(size)) {
          return damaged("node " + std::to_string(at) + " leads out of the tree");
        }
        open.push_back(static_cast<std::size_t>(local));
      }
    }
    return {};
  }

  static constexpr std::uint32_t pending_set = TreeNode::no_set - 1;
  Forest forest_;
  bool complete_ = true;  // every tree so far has covers
};

Result<Forest> Forest::parse(std::string_view bytes, TreesFormat format) {
  try {
    const json document =
        format == TreesFormat::json ? parse_text(bytes) : json::from_ubjson(bytes);
    return ForestReader().read(document);
  } catch (const std::exception& thrown) {
    return damaged(thrown.what());
  }
}

}  // namespace pipelined::model
