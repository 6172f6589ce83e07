#include "model/forest.h"

namespace pipelined::model {

void Forest::add_margins_of_block(const float* block, std::size_t rows, float* margins) const {
  for (std::size_t tree = 0; tree < roots_.size(); ++tree) {
    for (std::size_t row = 0; row < rows; ++row) {
      margins[row * group_count_ + groups_[tree]] += leaf(tree, block + row * feature_count_);
    }
  }
}

// A category beyond the set was not chosen for it; codes are never negative nor fractions, since
// they are positions in the dictionary.
bool Forest::contains(const TreeNode& node, float category) const {
  const std::vector<bool>& set = sets_[node.set];
  const auto code = static_cast<std::size_t>(category);
  return code < set.size() && set[code];
}

}  // namespace pipelined::model
