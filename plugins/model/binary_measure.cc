// Metrics of a yes-or-no label from one walk over the rows of a slice in descending order of score.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "plugins/model/measure.h"

namespace pipelined::evaluation {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t bin_count = 10;
constexpr std::array<const char*, 11> threshold_metrics{
    "precision", "recall",      "f1",  "accuracy", "balanced_accuracy", "specificity",
    "npv",       "fpr",         "fnr", "selection_rate", "mcc"};

double share(double part, double whole) { return whole > 0 ? part / whole : undefined; }

// What lies above some place in the order.
struct Above {
  double positives = 0, negatives = 0, scores = 0;

  double rows() const { return positives + negatives; }
};

// All numbers at one threshold, in the order of `threshold_metrics`.
std::array<double, threshold_metrics.size()> at_threshold(const Above& above, const Above& all) {
  const double tp = above.positives, fp = above.negatives;
  const double fn = all.positives - tp, tn = all.negatives - fp;
  const double recall = share(tp, all.positives), specificity = share(tn, all.negatives);
  const double sides = std::sqrt(tp + fp) * std::sqrt(tp + fn) * std::sqrt(tn + fp) *
                       std::sqrt(tn + fn);
  return {share(tp, tp + fp),
          recall,
          share(2 * tp, 2 * tp + fp + fn),
          share(tp + tn, all.rows()),
          (recall + specificity) / 2,
          specificity,
          share(tn, tn + fn),
          share(fp, all.negatives),
          share(fn, all.positives),
          share(tp + fp, all.rows()),
          sides > 0 ? (tp * tn - fp * fn) / sides : undefined};
}

class BinaryMeasure : public Measure {
 public:
  BinaryMeasure(std::span<const float> scores, std::span<const double> labels,
                const std::vector<Slice>& slices, const MeasureOptions& options)
      : options_(options), order_(scores.size()) {
    std::iota(order_.begin(), order_.end(), 0U);
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t left, std::uint32_t right) {
      return scores[left] != scores[right] ? scores[left] > scores[right] : left < right;
    });
    for (const std::uint32_t row : order_) {
      const bool positive = labels[row] != 0;
      const double probability = clipped(static_cast<double>(scores[row]));
      scores_.push_back(scores[row]);
      positive_.push_back(positive);
      losses_.push_back(-std::log(positive ? probability : 1 - probability));
    }
    members_ = in_order(order_, slices);
    slice_count_ = slices.size();
    for (std::size_t bin = bin_count - 1; bin > 0; --bin) {
      edges_.push_back(static_cast<double>(bin) / bin_count);
    }
    edges_.insert(edges_.end(), options.thresholds.begin(), options.thresholds.end());
    for (const auto& members : members_) places_.push_back(places_of(members));
    name_metrics();
  }

  void compute(std::span<const std::uint8_t> weights, std::span<double> table) const override {
    std::vector<std::uint8_t> ordered(order_.size());
    for (std::size_t at = 0; at < order_.size(); ++at) ordered[at] = weights[order_[at]];
    for (std::size_t slice = 0; slice < slice_count_; ++slice) {
      measure(slice, ordered, table.subspan(slice * keys_.size(), keys_.size()));
    }
  }

 private:
  void name_metrics() {
    for (const char* name : {"auc", "pr_auc", "log_loss", "brier", "score_mean", "label_mean",
                             "calibration", "calibration_error"}) {
      keys_.push_back({name, std::nullopt});
    }
    for (const double recall : options_.recalls) {
      keys_.push_back({"precision_at_recall_" + shortest(recall), std::nullopt});
    }
    for (const double threshold : options_.thresholds) {
      for (const char* name : threshold_metrics) keys_.push_back({name, threshold});
    }
  }

  // How many members score at least each edge.
  std::vector<std::size_t> places_of(const std::vector<std::uint32_t>& members) const {
    std::vector<std::size_t> places;
    for (const double edge : edges_) {
      const auto end = std::partition_point(members.begin(), members.end(), [&](std::uint32_t at) {
        return static_cast<double>(scores_[at]) >= edge;
      });
      places.push_back(static_cast<std::size_t>(end - members.begin()));
    }
    return places;
  }

  // The state of a walk: sums so far, and areas under both curves up to the last finished step.
  struct Walk {
    Above above;
    double loss = 0, squares = 0;
    std::int64_t tp = 0, fp = 0, tp_before = 0, fp_before = 0, twice_area = 0;
    double average_precision = 0;

    void finish_step() {
      twice_area += (fp - fp_before) * (tp + tp_before);
      // Without a row so far both counts are 0, and so is the addend.
      const auto rows = static_cast<double>(std::max<std::int64_t>(tp + fp, 1));
      average_precision += static_cast<double>(tp - tp_before) * (static_cast<double>(tp) / rows);
      tp_before = tp;
      fp_before = fp;
    }
  };

  // The best precision of all steps that reach so much recall; steps end where the score changes.
  void find_precisions(const std::vector<std::uint32_t>& members,
                       const std::vector<std::uint8_t>& weights, double positives,
                       std::span<double> best) const {
    std::fill(best.begin(), best.end(), undefined);
    if (positives == 0) return;
    double tp = 0, rows = 0;
    for (std::size_t i = 0; i < members.size(); ++i) {
      const std::uint32_t at = members[i];
      tp += positive_[at] * weights[at];
      rows += weights[at];
      if (i + 1 < members.size() && scores_[members[i + 1]] == scores_[at]) continue;
      for (std::size_t k = 0; k < best.size(); ++k) {
        if (tp / positives < options_.recalls[k] || rows == 0) continue;
        best[k] = std::isnan(best[k]) ? tp / rows : std::max(best[k], tp / rows);
      }
    }
  }

  void walk_on(Walk& walk, std::span<const std::uint32_t> members,
               const std::vector<std::uint8_t>& weights, float& score) const {
    for (const std::uint32_t at : members) {
      if (scores_[at] != score) {
        walk.finish_step();
        score = scores_[at];
      }
      const int count = weights[at];
      const int hits = positive_[at] ? count : 0;
      walk.tp += hits;
      walk.fp += count - hits;
      const double weight = count, own = static_cast<double>(score);
      const double away = own - positive_[at];
      walk.above.scores += weight * own;
      walk.loss += weight * losses_[at];
      walk.squares += weight * (away * away);
    }
    walk.above.positives = static_cast<double>(walk.tp);
    walk.above.negatives = static_cast<double>(walk.fp);
  }

  void measure(std::size_t slice, const std::vector<std::uint8_t>& weights,
               std::span<double> numbers) const {
    const std::vector<std::uint32_t>& members = members_[slice];
    const std::vector<std::size_t>& places = places_[slice];
    std::vector<std::size_t> stops(places.size());
    std::iota(stops.begin(), stops.end(), std::size_t{0});
    std::sort(stops.begin(), stops.end(),
              [&](std::size_t left, std::size_t right) { return places[left] < places[right]; });
    std::vector<Above> above(places.size());
    Walk walk;
    float score = std::numeric_limits<float>::infinity();
    std::size_t done = 0;
    const std::span<const std::uint32_t> all(members);
    for (const std::size_t stop : stops) {
      walk_on(walk, all.subspan(done, places[stop] - done), weights, score);
      done = places[stop];
      above[stop] = walk.above;
    }
    walk_on(walk, all.subspan(done), weights, score);
    walk.finish_step();
    fill(walk, above, numbers);
    if (!options_.recalls.empty()) {
      find_precisions(members, weights, walk.above.positives,
                      numbers.subspan(8, options_.recalls.size()));
    }
  }

  void fill(const Walk& walk, const std::vector<Above>& above, std::span<double> numbers) const {
    const Above& all = walk.above;
    const double rows = all.rows(), pairs = 2 * all.positives * all.negatives;
    numbers[0] = share(static_cast<double>(walk.twice_area), pairs);
    numbers[1] = share(walk.average_precision, all.positives);
    numbers[2] = share(walk.loss, rows);
    numbers[3] = share(walk.squares, rows);
    numbers[4] = share(all.scores, rows);
    numbers[5] = share(all.positives, rows);
    numbers[6] = share(all.scores, all.positives);
    numbers[7] = share(calibration_gap(above, all), rows);
    std::size_t next = 8 + options_.recalls.size();
    for (std::size_t i = bin_count - 1; i < above.size(); ++i) {
      for (const double number : at_threshold(above[i], all)) numbers[next++] = number;
    }
  }

  // Sum over bins of |sum of scores - sum of labels|.
  static double calibration_gap(const std::vector<Above>& above, const Above& all) {
    double gap = 0;
    Above before;
    for (std::size_t bin = 0; bin < bin_count; ++bin) {
      const Above& end = bin + 1 < bin_count ? above[bin] : all;
      gap += std::abs((end.scores - before.scores) - (end.positives - before.positives));
      before = end;
    }
    return gap;
  }

  MeasureOptions options_;
  std::vector<std::uint32_t> order_;  // rows by descending score
  std::vector<float> scores_;         // in that order, as all below
  std::vector<std::uint8_t> positive_;
  std::vector<double> losses_;
  std::vector<std::vector<std::uint32_t>> members_;  // positions in the order, a list a slice
  std::vector<double> edges_;                        // of the bins, descending, then thresholds
  std::vector<std::vector<std::size_t>> places_;     // how many members score at least each edge
};

}  // namespace

std::unique_ptr<Measure> make_binary_measure(std::span<const float> scores,
                                             std::span<const double> labels,
                                             const std::vector<Slice>& slices,
                                             const MeasureOptions& options) {
  return std::make_unique<BinaryMeasure>(scores, labels, slices, options);
}

}  // namespace pipelined::evaluation
