#include "plugins/model/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace pipelined::evaluation {
namespace {

// Neumaier's sum: what is lost by each addition is kept beside it.
class Sum {
 public:
  void add(double value) {
    const double next = sum_ + value;
    lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - next) + value : (value - next) + sum_;
    sum_ = next;
    ++count_;
  }
  double total() const { return sum_ + lost_; }
  std::optional<double> mean() const {
    if (count_ == 0) return std::nullopt;
    return total() / static_cast<double>(count_);
  }

 private:
  double sum_ = 0;
  double lost_ = 0;
  std::int64_t count_ = 0;
};

// A probability of exactly 0 or 1 would make the loss of one row infinite.
double clipped(double probability) {
  constexpr double least = std::numeric_limits<double>::epsilon();
  return std::clamp(probability, least, 1 - least);
}

}  // namespace

void add_binary_metrics(const Ranking& ranking, std::span<const float> scores,
                        std::span<const std::uint8_t> labels,
                        const std::vector<double>& thresholds, const std::string& slice,
                        std::vector<Metric>& metrics, std::vector<SliceCounts>& counts) {
  Sum log_loss;
  Sum brier;
  Sum score_sum;
  Sum label_sum;
  for (std::size_t row = 0; row < scores.size(); ++row) {
    const auto score = static_cast<double>(scores[row]);
    const double label = labels[row] ? 1 : 0;
    const double probability = clipped(score);
    log_loss.add(labels[row] ? -std::log(probability) : -std::log(1 - probability));
    brier.add((score - label) * (score - label));
    score_sum.add(score);
    label_sum.add(label);
  }
  metrics.push_back({"auc", slice, ranking.auc(), {}});
  metrics.push_back({"pr_auc", slice, ranking.pr_auc(), {}});
  metrics.push_back({"log_loss", slice, log_loss.mean(), {}});
  metrics.push_back({"brier", slice, brier.mean(), {}});
  metrics.push_back({"score_mean", slice, score_sum.mean(), {}});
  metrics.push_back({"label_mean", slice, label_sum.mean(), {}});
  for (const double threshold : thresholds) {
    const Counts at = ranking.counts_at(threshold);
    metrics.push_back({"precision", slice, precision_of(at), threshold});
    metrics.push_back({"recall", slice, recall_of(at), threshold});
    metrics.push_back({"f1", slice, f1_of(at), threshold});
    metrics.push_back({"accuracy", slice, accuracy_of(at), threshold});
    counts.push_back({slice, static_cast<std::int64_t>(scores.size()), threshold, at});
  }
}

void add_class_metrics(std::span<const float> scores, std::span<const std::uint32_t> labels,
                       std::size_t class_count, const std::string& slice,
                       std::vector<Metric>& metrics) {
  std::vector<Counts> of_class(class_count);
  Sum log_loss;
  Sum right;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const auto own = scores.subspan(row * class_count, class_count);
    const auto guess = static_cast<std::size_t>(
        std::max_element(own.begin(), own.end()) - own.begin());
    const std::size_t truth = labels[row];
    right.add(guess == truth ? 1 : 0);
    ++(guess == truth ? of_class[truth].true_positives : of_class[truth].false_negatives);
    if (guess != truth) ++of_class[guess].false_positives;
    Sum all;
    for (const float score : own) all.add(clipped(static_cast<double>(score)));
    log_loss.add(-std::log(clipped(static_cast<double>(own[truth])) / all.total()));
  }
  // Classes that neither occur nor are guessed have no say; a share that would divide by zero is 0.
  Sum precision;
  Sum recall;
  Sum f1;
  for (const Counts& counts : of_class) {
    if (counts.true_positives + counts.false_positives + counts.false_negatives == 0) continue;
    precision.add(precision_of(counts).value_or(0));
    recall.add(recall_of(counts).value_or(0));
    f1.add(f1_of(counts).value_or(0));
  }
  metrics.push_back({"accuracy", slice, right.mean(), {}});
  metrics.push_back({"log_loss", slice, log_loss.mean(), {}});
  metrics.push_back({"precision_macro", slice, precision.mean(), {}});
  metrics.push_back({"recall_macro", slice, recall.mean(), {}});
  metrics.push_back({"f1_macro", slice, f1.mean(), {}});
}

void add_value_metrics(std::span<const float> scores, std::span<const double> labels,
                       const std::string& slice, std::vector<Metric>& metrics) {
  Sum squares;
  Sum absolutes;
  Sum label_sum;
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const double error = static_cast<double>(scores[row]) - labels[row];
    squares.add(error * error);
    absolutes.add(std::abs(error));
    label_sum.add(labels[row]);
  }
  std::optional<double> rmse = squares.mean();
  if (rmse) rmse = std::sqrt(*rmse);
  Sum spread;
  for (const double label : labels) {
    const double away = label - label_sum.mean().value_or(0);
    spread.add(away * away);
  }
  std::optional<double> r2;
  if (spread.total() > 0) r2 = 1 - squares.total() / spread.total();
  metrics.push_back({"rmse", slice, rmse, {}});
  metrics.push_back({"mae", slice, absolutes.mean(), {}});
  metrics.push_back({"r2", slice, r2, {}});
}

}  // namespace pipelined::evaluation
