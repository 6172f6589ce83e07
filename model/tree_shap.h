// Exact Shapley values of a sum of trees: how much each feature moved the score of one row.
//
// The values are those of the margin (the sum of leaves): they and the base add up to it.  What a
// feature that is not known would do follows from the share of training rows that went each way
// ("path-dependent"), as in XGBoost's own contributions; the algorithm is TreeSHAP (Lundberg and
// others, "Consistent individualized feature attribution for tree ensembles", 2018), in time of
// leaves times depth squared.  Immutable; any number of threads may explain at once.
#pragma once

#include <span>
#include <vector>

#include "dag/result.h"
#include "model/model.h"

namespace pipelined::model {

class TreeShap {
 public:
  /// Error: the trees do not say how much of the training data each node saw.  REQUIRES: the model
  /// outlives this.
  static Result<TreeShap> make(const Model& model);

  /// Values a score: a number a feature, and the base.
  std::size_t width() const { return model_->forest().feature_count() + 1; }

  /// Fills `values`, width() numbers for each score.
  /// REQUIRES: row.size() == features, values.size() == width() * scores.
  void explain(std::span<const float> row, std::span<double> values) const;

  /// How much features act together on one score: a symmetric table, width() by width() with the
  /// base last, for `features` alone; other places are 0.  A row of the table sums up to the
  /// feature's value if all features are named.
  /// REQUIRES: table.size() == width() * width().
  void interactions(std::span<const float> row, std::size_t score,
                    const std::vector<std::size_t>& features, std::span<double> table) const;

 private:
  explicit TreeShap(const Model& model) : model_(&model) {}

  // The expected margin of each tree, without knowing any feature.
  double expected(std::size_t node) const;
  // The values of one score where one feature is taken as known (1), unknown (-1), or like all (0).
  void add_values(std::span<const float> row, std::size_t score, int condition,
                  std::size_t condition_feature, std::span<double> values) const;

  const Model* model_;
  std::vector<double> bases_;  // a score
};

}  // namespace pipelined::model
