// Trees, flattened for walking.
//
// A `Forest` is what XGBoost saved, reduced to what a prediction needs: for each group of scores the
// sum of one leaf a tree.  It gives the same 32-bit numbers as XGBoost, because it adds in the same
// order with the same precision.  It does not know names, categories or labels (see model.h), and
// after loading it uses no library.  Immutable once made; any number of threads may walk it at once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"

namespace pipelined::model {

/// How the trees are written.
enum class TreesFormat {
  json,  ///< trees.json
  ubj,   ///< trees.ubj, the same as universal binary JSON
};

/// One node: an inner node asks about one feature, a leaf carries a value.
struct TreeNode {
  static constexpr std::uint32_t no_set = 0xFFFFFFFF;

  float value = 0;                 ///< inner: go left if the feature is below it; leaf: the addend
  std::uint32_t feature = 0;       ///< inner: whose value is asked for
  std::int32_t left = -1;          ///< index in the forest; -1 marks a leaf
  std::int32_t right = -1;         ///< index in the forest
  std::uint32_t set = no_set;      ///< inner, categories: which set goes right
  bool default_left = false;       ///< inner: where a missing value goes
};

/// A sum of trees for each score.
class Forest {
 public:
  /// Reads what XGBoost 1.7 saves for booster `gbtree`, and refuses what it cannot walk or what is
  /// damaged: a node outside its tree, one that is reached twice, a feature that does not exist.
  static Result<Forest> parse(std::string_view bytes, TreesFormat format);

  std::size_t feature_count() const { return feature_count_; }
  /// Scores a row: 1, or the number of classes.
  std::size_t group_count() const { return group_count_; }
  std::size_t tree_count() const { return roots_.size(); }
  /// The objective's name as XGBoost wrote it.
  const std::string& objective() const { return objective_; }
  /// In the unit of the objective: a probability for binary:logistic.
  float base_score() const { return base_score_; }

  // The trees themselves, for whoever explains scores.

  const std::vector<TreeNode>& nodes() const { return nodes_; }
  /// The index of a tree's first node, and the score that its leaves add to.
  std::size_t root(std::size_t tree) const { return roots_[tree]; }
  std::size_t group(std::size_t tree) const { return groups_[tree]; }
  /// How much of the training data (as second derivatives) each node saw; empty if the file does
  /// not say so.
  const std::vector<float>& covers() const { return covers_; }
  /// Where a row with this value goes.  REQUIRES: an inner node.
  bool goes_left(const TreeNode& node, float value) const {
    if (value != value) return node.default_left;
    return node.set == TreeNode::no_set ? value < node.value : !contains(node, value);
  }

  /// Adds the leaves of `row` to `margins`, which the caller has set to where the sums begin.
  /// REQUIRES: row.size() == feature_count(), margins.size() == group_count().
  void add_margins(std::span<const float> row, std::span<float> margins) const {
    for (std::size_t tree = 0; tree < roots_.size(); ++tree) {
      margins[groups_[tree]] += leaf(tree, row.data());
    }
  }
  /// The same for `rows` rows that stand one after the other; tree by tree, so that a tree's nodes
  /// stay in the processor's cache.
  void add_margins_of_block(const float* block, std::size_t rows, float* margins) const;

 private:
  friend class ForestReader;

  float leaf(std::size_t tree, const float* row) const {
    const TreeNode* node = &nodes_[roots_[tree]];
    while (node->left >= 0) {
      node = &nodes_[static_cast<std::size_t>(goes_left(*node, row[node->feature]) ? node->left
                                                                                   : node->right)];
    }
    return node->value;
  }
  bool contains(const TreeNode& node, float category) const;

  std::vector<TreeNode> nodes_;
  std::vector<float> covers_;  // one a node, or none
  std::vector<std::size_t> roots_;
  std::vector<std::uint32_t> groups_;
  std::vector<std::vector<bool>> sets_;
  std::size_t feature_count_ = 0;
  std::size_t group_count_ = 1;
  std::string objective_;
  float base_score_ = 0.5F;
};

}  // namespace pipelined::model
