// A tree that asks about bins, and trees of that kind as XGBoost writes them.
//
// A node asks whether a bin lies below one, or whether a category is in a set; a missing value has a
// way of its own.  Trees become the JSON that XGBoost 1.7 reads, so that a model is the same kind of
// file whoever grew it.  Knows nothing of rows.  Plain values.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "dag/result.h"
#include "model/signature.h"

namespace pipelined::train {

/// One node; a leaf has no children.
struct PagedNode {
  std::int32_t left = -1, right = -1, parent = -1;
  std::uint32_t feature = 0;
  std::uint16_t bin = 0;                 ///< numbers: bins below it go left
  float condition = 0;                   ///< numbers: values below it go left
  bool default_left = false;             ///< the way of a missing value
  std::vector<std::uint16_t> right_set;  ///< categories that go right, ascending; empty: numbers
  float value = 0;                       ///< what a row adds that ends here
  float gain = 0;                        ///< by how much the loss fell with the question
  float cover = 0;                       ///< the sum of second derivatives

  bool is_leaf() const { return left < 0; }
  /// The child for a bin.  REQUIRES: no leaf.
  std::int32_t child(std::uint16_t bin_of_row) const;
};

/// The root is the first node.
using PagedTree = std::vector<PagedNode>;

/// Where a row of bins ends, from a node on.
std::uint32_t leaf_of(const PagedTree& tree, std::uint32_t node, const std::uint16_t* bins);

/// Trees of rounds, one a group of scores in each, as XGBoost's JSON.
std::string xgboost_json(const std::vector<PagedTree>& trees, const model::Signature& signature);

/// Trees for a checkpoint, and back.
nlohmann::json checkpoint_of(const std::vector<PagedTree>& trees);
Result<std::vector<PagedTree>> trees_of_checkpoint(const nlohmann::json& document);

}  // namespace pipelined::train
