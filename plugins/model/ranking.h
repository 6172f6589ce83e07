// What the order of the scores says: areas under curves, the curves, and counts at thresholds.
//
// Rows are sorted once by score, equal scores form one step, so that ties are counted as half right
// like everywhere else.  All counts are integers and the area under the ROC curve is exact up to its
// last division.  Knows nothing of models, columns or slices.  Immutable once made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace pipelined::evaluation {

/// True and false answers when everything that scores at least a threshold is called positive.
struct Counts {
  std::int64_t true_positives = 0;
  std::int64_t false_positives = 0;
  std::int64_t true_negatives = 0;
  std::int64_t false_negatives = 0;
};

/// The shares that follow from counts; nothing where they would divide by zero.
std::optional<double> precision_of(const Counts& counts);
std::optional<double> recall_of(const Counts& counts);
std::optional<double> f1_of(const Counts& counts);
std::optional<double> accuracy_of(const Counts& counts);

/// A point of a curve and the score at and above which rows are called positive there.
struct CurvePoint {
  double x = 0;
  double y = 0;
  std::optional<double> threshold;  ///< nothing: above every score
  std::optional<std::int64_t> rows = std::nullopt;  ///< how many rows the point stands for
};

/// Scores and labels in descending order of score.
class Ranking {
 public:
  /// `positive` holds 0 or 1 a row.  REQUIRES: both have the same length; no score is NaN.
  Ranking(std::span<const float> scores, std::span<const std::uint8_t> positive);

  std::int64_t positives() const { return positives_; }
  std::int64_t negatives() const { return negatives_; }

  /// Area under the ROC curve: the chance that a positive row scores above a negative one, ties
  /// counting half.  Nothing if there is only one class.
  std::optional<double> auc() const;
  /// Average precision, the step-wise area under the precision-recall curve.  Nothing if no row is
  /// positive.
  std::optional<double> pr_auc() const;
  /// The counts at a threshold.
  Counts counts_at(double threshold) const;
  /// x: false positive rate, y: recall, from (0,0) to (1,1); at most about `points_max` points.
  std::vector<CurvePoint> roc(std::size_t points_max) const;
  /// x: recall, y: precision; at most about `points_max` points.
  std::vector<CurvePoint> precision_recall(std::size_t points_max) const;

 private:
  /// Rows that score at least `score`.
  struct Step {
    float score = 0;
    std::int64_t true_positives = 0;
    std::int64_t false_positives = 0;
  };

  std::vector<Step> steps_;  // descending by score, one a distinct score
  std::int64_t positives_ = 0;
  std::int64_t negatives_ = 0;
};

}  // namespace pipelined::evaluation
