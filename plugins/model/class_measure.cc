// Metrics of a choice between classes: from the table of confusions, and from each class's order.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "plugins/model/measure.h"

namespace pipelined::evaluation {
namespace {

constexpr double undefined = std::numeric_limits<double>::quiet_NaN();

double share(double part, double whole) { return whole > 0 ? part / whole : undefined; }
double or_zero(double value) { return std::isnan(value) ? 0 : value; }

// One class against all others.
struct OneAgainstRest {
  double hits = 0, misses = 0, false_alarms = 0, rest = 0, auc = undefined;

  double support() const { return hits + misses; }
  bool occurs() const { return hits + misses + false_alarms > 0; }
  double precision() const { return share(hits, hits + false_alarms); }
  double recall() const { return share(hits, support()); }
  double f1() const { return share(2 * hits, 2 * hits + misses + false_alarms); }
  double specificity() const { return share(rest, rest + false_alarms); }
};

class ClassMeasure : public Measure {
 public:
  ClassMeasure(std::span<const float> scores, std::span<const double> labels,
               const std::vector<Slice>& slices, const std::vector<std::string>& classes)
      : width_(classes.size()), rows_(labels.size()) {
    slice_count_ = slices.size();
    for (const Slice& slice : slices) members_.push_back(slice.rows);
    for (std::size_t row = 0; row < rows_; ++row) add_row(scores.subspan(row * width_, width_),
                                                          static_cast<std::size_t>(labels[row]));
    for (std::size_t at = 0; at < width_; ++at) add_order(scores, at, slices);
    for (const char* name : {"accuracy", "balanced_accuracy", "mcc", "log_loss", "brier"}) {
      keys_.push_back({name, std::nullopt});
    }
    for (const char* name : {"precision", "recall", "f1", "specificity", "auc"}) {
      keys_.push_back({name + std::string("_macro"), std::nullopt});
      keys_.push_back({name + std::string("_weighted"), std::nullopt});
    }
    // Over all classes together precision, recall and f1 are one number.
    for (const char* name : {"precision_micro", "recall_micro", "f1_micro"}) {
      keys_.push_back({name, std::nullopt});
    }
    for (const std::string& word : classes) {
      for (const char* name : {"precision.", "recall.", "f1.", "specificity.", "auc.",
                               "selection_rate.", "label_mean."}) {
        keys_.push_back({name + word, std::nullopt});
      }
    }
  }

  void compute(std::span<const std::uint8_t> weights, std::span<double> table) const override {
    std::vector<std::vector<std::uint8_t>> ordered(width_, std::vector<std::uint8_t>(rows_));
    for (std::size_t at = 0; at < width_; ++at) {
      for (std::size_t i = 0; i < rows_; ++i) ordered[at][i] = weights[orders_[at].rows[i]];
    }
    for (std::size_t slice = 0; slice < slice_count_; ++slice) {
      measure(slice, weights, ordered, table.subspan(slice * keys_.size(), keys_.size()));
    }
  }

 private:
  // The rows by descending score of one class.
  struct Order {
    std::vector<std::uint32_t> rows;
    std::vector<float> scores;
    std::vector<std::vector<std::uint32_t>> members;  // positions here, a list a slice
  };

  void add_row(std::span<const float> own, std::size_t truth) {
    double all = 0, squares = 0;
    for (std::size_t at = 0; at < width_; ++at) {
      const auto score = static_cast<double>(own[at]);
      const double away = score - (at == truth ? 1 : 0);
      all += clipped(score);
      squares += away * away;
    }
    const auto guess = std::max_element(own.begin(), own.end()) - own.begin();
    truths_.push_back(static_cast<std::uint32_t>(truth));
    guesses_.push_back(static_cast<std::uint32_t>(guess));
    losses_.push_back(-std::log(clipped(static_cast<double>(own[truth])) / all));
    squares_.push_back(squares);
  }

  void add_order(std::span<const float> scores, std::size_t at, const std::vector<Slice>& slices) {
    const auto score = [&](std::uint32_t row) { return scores[row * width_ + at]; };
    Order order;
    order.rows.resize(rows_);
    std::iota(order.rows.begin(), order.rows.end(), 0U);
    std::sort(order.rows.begin(), order.rows.end(), [&](std::uint32_t left, std::uint32_t right) {
      return score(left) != score(right) ? score(left) > score(right) : left < right;
    });
    for (const std::uint32_t row : order.rows) order.scores.push_back(score(row));
    order.members = in_order(order.rows, slices);
    orders_.push_back(std::move(order));
  }

  // The chance that a row of the class gets a higher score for it than another row.
  double area(std::size_t at, std::size_t slice, const std::vector<std::uint8_t>& weights) const {
    const Order& order = orders_[at];
    std::int64_t tp = 0, fp = 0, tp_before = 0, fp_before = 0, twice = 0;
    const auto finish_step = [&] {
      twice += (fp - fp_before) * (tp + tp_before);
      tp_before = tp;
      fp_before = fp;
    };
    float score = std::numeric_limits<float>::infinity();
    for (const std::uint32_t i : order.members[slice]) {
      if (order.scores[i] != score) finish_step();
      score = order.scores[i];
      (truths_[order.rows[i]] == at ? tp : fp) += weights[i];
    }
    finish_step();
    return share(static_cast<double>(twice), 2 * static_cast<double>(tp) * static_cast<double>(fp));
  }

  void measure(std::size_t slice, std::span<const std::uint8_t> weights,
               const std::vector<std::vector<std::uint8_t>>& ordered,
               std::span<double> numbers) const {
    std::vector<OneAgainstRest> classes(width_);
    double rows = 0, right = 0, loss = 0, squares = 0;
    for (const std::uint32_t row : members_[slice]) {
      const double weight = weights[row];
      OneAgainstRest& truth = classes[truths_[row]];
      if (truths_[row] == guesses_[row]) {
        truth.hits += weight;
        right += weight;
      } else {
        truth.misses += weight;
        classes[guesses_[row]].false_alarms += weight;
      }
      rows += weight;
      loss += weight * losses_[row];
      squares += weight * squares_[row];
    }
    for (std::size_t at = 0; at < width_; ++at) {
      classes[at].rest = rows - classes[at].support() - classes[at].false_alarms;
      classes[at].auc = area(at, slice, ordered[at]);
    }
    const double accuracy = share(right, rows);
    std::size_t next = 0;
    for (const double number : {accuracy, balanced(classes), correlation(classes, rows, right),
                                share(loss, rows), share(squares, rows)}) {
      numbers[next++] = number;
    }
    fill_means(classes, numbers.subspan(next, 10));
    next += 10;
    for (int i = 0; i < 3; ++i) numbers[next++] = accuracy;
    for (const OneAgainstRest& one : classes) {
      for (const double number :
           {one.precision(), one.recall(), one.f1(), one.specificity(), one.auc,
            share(one.hits + one.false_alarms, rows), share(one.support(), rows)}) {
        numbers[next++] = number;
      }
    }
  }

  static double balanced(const std::vector<OneAgainstRest>& classes) {
    double sum = 0, count = 0;
    for (const OneAgainstRest& one : classes) {
      if (one.support() == 0) continue;
      sum += one.recall();
      count += 1;
    }
    return share(sum, count);
  }

  // Matthews' coefficient for several classes.
  static double correlation(const std::vector<OneAgainstRest>& classes, double rows, double right) {
    double both = 0, truths = 0, guesses = 0;
    for (const OneAgainstRest& one : classes) {
      const double guessed = one.hits + one.false_alarms;
      both += one.support() * guessed;
      truths += one.support() * one.support();
      guesses += guessed * guessed;
    }
    const double sides = std::sqrt(rows * rows - guesses) * std::sqrt(rows * rows - truths);
    return sides > 0 ? (right * rows - both) / sides : undefined;
  }

  // Classes that neither occur nor are guessed have no say; a share that would divide by zero is 0,
  // but for areas, which must be defined.
  static void fill_means(const std::vector<OneAgainstRest>& classes, std::span<double> numbers) {
    std::vector<double> sums(10), counts(10);
    for (const OneAgainstRest& one : classes) {
      if (!one.occurs()) continue;
      const double support = one.support();
      const std::array<double, 5> own{or_zero(one.precision()), or_zero(one.recall()),
                                      or_zero(one.f1()), or_zero(one.specificity()), one.auc};
      for (std::size_t i = 0; i < own.size(); ++i) {
        if (std::isnan(own[i])) continue;
        sums[2 * i] += own[i];
        counts[2 * i] += 1;
        sums[2 * i + 1] += own[i] * support;
        counts[2 * i + 1] += support;
      }
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = share(sums[i], counts[i]);
  }

  std::size_t width_, rows_;
  std::vector<std::vector<std::uint32_t>> members_;
  std::vector<std::uint32_t> truths_, guesses_;
  std::vector<double> losses_, squares_;
  std::vector<Order> orders_;
};

}  // namespace

std::unique_ptr<Measure> make_class_measure(std::span<const float> scores,
                                            std::span<const double> labels,
                                            const std::vector<Slice>& slices,
                                            const std::vector<std::string>& classes) {
  return std::make_unique<ClassMeasure>(scores, labels, slices, classes);
}

}  // namespace pipelined::evaluation
