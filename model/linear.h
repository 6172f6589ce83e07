// A weighted sum for each score.
//
// What `train.linear` learned: an intercept and a weight a feature, for one score or one a class.
// Sums are taken in the order of the features with 64 bits over 32-bit inputs, so that a row by
// itself, rows in a batch and rows without their zeros give the same bits.  It does not know names
// or labels.  Immutable once made; any number of threads may use it at once.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"
#include "model/transform.h"

namespace pipelined::model {

/// Weights of one or several scores.
class Linear {
 public:
  /// `weights`: the features of the first score, then those of the second, …
  /// REQUIRES: weights.size() is a multiple of intercepts.size().
  Linear(std::vector<double> intercepts, std::vector<double> weights);

  /// Reads linear.json; an error says what is wrong with it.
  static Result<Linear> parse(std::string_view text);
  /// The text that `parse` reads; equal weights have equal text.
  std::string text() const;

  std::size_t feature_count() const { return width_; }
  std::size_t group_count() const { return intercepts_.size(); }
  const std::vector<double>& intercepts() const { return intercepts_; }
  /// The weights of one score.
  std::span<const double> weights(std::size_t group) const {
    return std::span(weights_).subspan(group * width_, width_);
  }

  /// The sum of one score over a whole row; not-a-number if a value is missing.
  double margin(std::size_t group, std::span<const float> row) const;
  /// The same over the entries that are not 0.
  double margin(std::size_t group, std::span<const Entry> row) const;

 private:
  std::vector<double> intercepts_;
  std::vector<double> weights_;
  std::size_t width_ = 0;
};

}  // namespace pipelined::model
