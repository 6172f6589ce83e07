// Metrics of expected values: from one walk over the rows of a slice in descending order of error.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "plugins/model/measure.h"

namespace pipelined::evaluation {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();
constexpr std::array<double, 3> quantile_shares{0.5, 0.9, 0.99};

double share(double part, double whole) { return whole > 0 ? part / whole : undefined; }

class ValueMeasure : public Measure {
 public:
  ValueMeasure(std::span<const float> scores, std::span<const double> labels,
               const std::vector<Slice>& slices)
      : order_(labels.size()) {
    const auto error = [&](std::uint32_t row) {
      return static_cast<double>(scores[row]) - labels[row];
    };
    std::iota(order_.begin(), order_.end(), 0U);
    std::sort(order_.begin(), order_.end(), [&](std::uint32_t left, std::uint32_t right) {
      const double one = std::abs(error(left)), other = std::abs(error(right));
      return one != other ? one < other : left < right;
    });
    for (const double label : labels) center_ += label / static_cast<double>(labels.size());
    for (const std::uint32_t row : order_) {
      errors_.push_back(error(row));
      labels_.push_back(labels[row]);
    }
    members_ = in_order(order_, slices);
    slice_count_ = slices.size();
    for (const char* name : {"rmse", "mae", "r2", "mse", "mape", "error_mean", "score_mean",
                             "label_mean", "error_p50", "error_p90", "error_p99"}) {
      keys_.push_back({name, std::nullopt});
    }
  }

  void compute(std::span<const std::uint8_t> weights, std::span<double> table) const override {
    std::vector<std::uint8_t> ordered(order_.size());
    for (std::size_t at = 0; at < order_.size(); ++at) ordered[at] = weights[order_[at]];
    for (std::size_t slice = 0; slice < slice_count_; ++slice) {
      measure(members_[slice], ordered, table.subspan(slice * keys_.size(), keys_.size()));
    }
  }

 private:
  void measure(const std::vector<std::uint32_t>& members, const std::vector<std::uint8_t>& weights,
               std::span<double> numbers) const {
    double rows = 0, squares = 0, absolutes = 0, errors = 0, shares = 0, share_rows = 0;
    double labels = 0, label_squares = 0;
    double least = std::numeric_limits<double>::infinity(), most = -least;
    for (const std::uint32_t at : members) {
      const double weight = weights[at];
      if (weight == 0) continue;
      const double error = errors_[at], label = labels_[at], away = label - center_;
      rows += weight;
      squares += weight * (error * error);
      absolutes += weight * std::abs(error);
      errors += weight * error;
      labels += weight * away;
      label_squares += weight * (away * away);
      least = std::min(least, label);
      most = std::max(most, label);
      if (label == 0) continue;
      shares += weight * std::abs(error / label);
      share_rows += weight;
    }
    const double mse = share(squares, rows);
    const double spread = label_squares - share(labels * labels, rows);
    numbers[0] = std::sqrt(mse);
    numbers[1] = share(absolutes, rows);
    numbers[2] = least < most && spread > 0 ? 1 - squares / spread : undefined;
    numbers[3] = mse;
    numbers[4] = share(shares, share_rows);
    numbers[5] = share(errors, rows);
    const double label_mean = center_ + share(labels, rows);
    numbers[6] = label_mean + numbers[5];
    numbers[7] = label_mean;
    fill_quantiles(members, weights, rows, numbers.subspan(8, quantile_shares.size()));
  }

  // Of the absolute errors, each counted as often as its weight says, with straight lines between.
  void fill_quantiles(const std::vector<std::uint32_t>& members,
                      const std::vector<std::uint8_t>& weights, double rows,
                      std::span<double> numbers) const {
    std::fill(numbers.begin(), numbers.end(), undefined);
    if (rows == 0) return;
    double seen = 0, before = 0;
    std::size_t next = 0;
    for (const std::uint32_t at : members) {
      if (weights[at] == 0) continue;
      const double error = std::abs(errors_[at]), first = seen;
      seen += weights[at];
      for (; next < numbers.size(); ++next) {
        const double place = quantile_shares[next] * (rows - 1);
        if (place > seen - 1) break;
        numbers[next] = place >= first ? error : before + (error - before) * (place - (first - 1));
      }
      before = error;
    }
  }

  std::vector<std::uint32_t> order_;  // rows by ascending absolute error
  std::vector<double> errors_, labels_;  // in that order
  double center_ = 0;  // near the labels, so that sums of squares keep their digits
  std::vector<std::vector<std::uint32_t>> members_;
};

}  // namespace

std::unique_ptr<Measure> make_value_measure(std::span<const float> scores,
                                            std::span<const double> labels,
                                            const std::vector<Slice>& slices) {
  return std::make_unique<ValueMeasure>(scores, labels, slices);
}

}  // namespace pipelined::evaluation
