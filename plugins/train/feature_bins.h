// From numbers to bins: where a tree may ask.
//
// A numeric feature has cuts; its bin is how many of them are not above the value, so that "below
// cut k" and "in one of the first k bins" are the same question.  Up to `max_bin` different values
// every value has a bin of its own, beyond that bins hold about equally many rows.  What decides are
// the values and how often they occur, not their order.  The bin of a category is its code.
// Knows nothing of files or trees.  A plain value.
#pragma once

#include <cstdint>
#include <vector>

#include "model/value_counts.h"

namespace pipelined::train {

/// The bins of one feature.
struct FeatureBins {
  bool categories = false;
  std::vector<float> cuts;       ///< ascending; of numbers
  std::size_t category_count = 0;

  /// How many bins there are.
  std::size_t count() const { return categories ? category_count : cuts.size() + 1; }
  /// The bin of a number or of a category's code; PageStore::missing_bin for not-a-number.
  std::uint16_t bin(float value) const;
};

/// Cuts for numbers that occur so often.
FeatureBins bins_of(const model::ValueCounts& counts, std::size_t max_bin);
/// Bins for so many categories.
FeatureBins bins_of_categories(std::size_t count);

}  // namespace pipelined::train
