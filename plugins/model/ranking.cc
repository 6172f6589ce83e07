#include "plugins/model/ranking.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pipelined::evaluation {
namespace {

std::optional<double> share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

// Keeps the ends and the points that are far enough from the one kept before, along both axes
// together: a curve of a million steps becomes one that a page can draw.
std::vector<CurvePoint> thinned(const std::vector<CurvePoint>& points, std::size_t points_max) {
  if (points.size() <= points_max) return points;
  const double least = 2.0 / static_cast<double>(points_max);
  std::vector<CurvePoint> kept{points.front()};
  for (std::size_t i = 1; i + 1 < points.size(); ++i) {
    const double far =
        std::abs(points[i].x - kept.back().x) + std::abs(points[i].y - kept.back().y);
    if (far >= least) kept.push_back(points[i]);
  }
  kept.push_back(points.back());
  return kept;
}

}  // namespace

std::optional<double> precision_of(const Counts& counts) {
  return share(counts.true_positives, counts.true_positives + counts.false_positives);
}
std::optional<double> recall_of(const Counts& counts) {
  return share(counts.true_positives, counts.true_positives + counts.false_negatives);
}
std::optional<double> f1_of(const Counts& counts) {
  return share(2 * counts.true_positives,
               2 * counts.true_positives + counts.false_positives + counts.false_negatives);
}
std::optional<double> accuracy_of(const Counts& counts) {
  return share(counts.true_positives + counts.true_negatives,
               counts.true_positives + counts.false_positives + counts.true_negatives +
                   counts.false_negatives);
}

Ranking::Ranking(std::span<const float> scores, std::span<const std::uint8_t> positive) {
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t left, std::size_t right) { return scores[left] > scores[right]; });
  for (const std::size_t row : order) {
    if (steps_.empty() || steps_.back().score != scores[row]) {
      steps_.push_back({scores[row], positives_, negatives_});
    }
    (positive[row] ? positives_ : negatives_) += 1;
    steps_.back().true_positives = positives_;
    steps_.back().false_positives = negatives_;
  }
}

std::optional<double> Ranking::auc() const {
  if (positives_ == 0 || negatives_ == 0) return std::nullopt;
  // Twice the area in units of one pair of rows; 63 bits hold two thousand million rows.
  std::int64_t twice = 0;
  Step before;
  for (const Step& step : steps_) {
    twice += (step.false_positives - before.false_positives) *
             (step.true_positives + before.true_positives);
    before = step;
  }
  return static_cast<double>(twice) /
         (2.0 * static_cast<double>(positives_) * static_cast<double>(negatives_));
}

std::optional<double> Ranking::pr_auc() const {
  if (positives_ == 0) return std::nullopt;
  double area = 0;
  std::int64_t before = 0;
  for (const Step& step : steps_) {
    area += static_cast<double>(step.true_positives - before) *
            (static_cast<double>(step.true_positives) /
             static_cast<double>(step.true_positives + step.false_positives));
    before = step.true_positives;
  }
  return area / static_cast<double>(positives_);
}

Counts Ranking::counts_at(double threshold) const {
  const auto end = std::partition_point(
      steps_.begin(), steps_.end(),
      [&](const Step& step) { return static_cast<double>(step.score) >= threshold; });
  Counts counts;
  if (end != steps_.begin()) {
    counts.true_positives = std::prev(end)->true_positives;
    counts.false_positives = std::prev(end)->false_positives;
  }
  counts.false_negatives = positives_ - counts.true_positives;
  counts.true_negatives = negatives_ - counts.false_positives;
  return counts;
}

std::vector<CurvePoint> Ranking::roc(std::size_t points_max) const {
  if (positives_ == 0 || negatives_ == 0) return {};
  std::vector<CurvePoint> points{{0, 0, std::nullopt}};
  for (const Step& step : steps_) {
    points.push_back({*share(step.false_positives, negatives_),
                      *share(step.true_positives, positives_), static_cast<double>(step.score)});
  }
  return thinned(points, points_max);
}

std::vector<CurvePoint> Ranking::precision_recall(std::size_t points_max) const {
  if (positives_ == 0) return {};
  std::vector<CurvePoint> points;
  for (const Step& step : steps_) {
    points.push_back({*share(step.true_positives, positives_),
                      *share(step.true_positives, step.true_positives + step.false_positives),
                      static_cast<double>(step.score)});
  }
  return thinned(points, points_max);
}

}  // namespace pipelined::evaluation
