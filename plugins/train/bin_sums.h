// Sums of derivatives by bin, and the best question that follows.
//
// Derivatives are added as whole multiples of a small power of two, so that a sum hangs on neither the
// order of rows nor threads nor pages.  The gain of a question is XGBoost's: T(G)²/(H+lambda) of
// both sides less that of the node, T being the absolute penalty's threshold.  Knows no rows.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "plugins/train/feature_bins.h"
#include "plugins/train/paged_tree.h"
#include "plugins/train/settings.h"

namespace pipelined::train {

/// Derivatives as whole numbers.
struct WholeSum {
  std::int64_t first = 0, second = 0;

  WholeSum& operator+=(const WholeSum& other) {
    first += other.first;
    second += other.second;
    return *this;
  }
  WholeSum operator-(const WholeSum& other) const {
    return {first - other.first, second - other.second};
  }
};

/// What one whole number stands for.
struct SumScale {
  double first = 1, second = 1;  ///< multiply a derivative by these before rounding

  /// As fine as sums of `rows` numbers of at most this size allow.
  static SumScale of(float first_most, float second_most, std::size_t rows);
};

/// Where each feature's bins begin in a row of sums.
struct BinLayout {
  std::vector<std::size_t> begins;  ///< a feature
  std::size_t count = 0;            ///< bins of all features

  static BinLayout of(const std::vector<FeatureBins>& bins);
};

/// A question and what it makes of a node.
struct Question {
  PagedNode node;  ///< feature, bin, condition, default_left, right_set and gain
  WholeSum left, right;
};

/// What a row adds that ends in a node with these sums, before the learning rate.
double weight_of(const WholeSum& sum, const SumScale& scale, const Settings& settings);

/// The question with the largest gain, the first of several; nothing if none is worth it.
std::optional<Question> best_question(std::span<const WholeSum> sums, const WholeSum& total,
                                      const SumScale& scale, const BinLayout& layout,
                                      const std::vector<FeatureBins>& bins,
                                      const Settings& settings);

}  // namespace pipelined::train
