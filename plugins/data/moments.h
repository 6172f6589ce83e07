// Sums, means and spreads of numbers that merge, with and without weights.
//
// Sums are compensated, so that what an order of adding loses is next to nothing.  Knows no columns.
// One thread each.
#pragma once

#include <cstddef>
#include <cstdint>

#include "plugins/data/state_bytes.h"

namespace pipelined {

/// A sum of doubles that loses next to nothing, whatever the order (Neumaier's compensation).
class Sum {
 public:
  Sum() = default;
  Sum(double sum, double lost) : sum_(sum), lost_(lost) {}
  void add(double value);
  void merge(const Sum& other) {
    add(other.sum_);
    lost_ += other.lost_;
  }
  double value() const { return sum_ + lost_; }
  double sum() const { return sum_; }
  double lost() const { return lost_; }

 private:
  double sum_ = 0, lost_ = 0;
};

/// Mean and spread of numbers that merge without loss of small differences.
class Moments {
 public:
  Moments() = default;
  Moments(std::int64_t count, Sum sum, double spread) : count_(count), sum_(sum), spread_(spread) {}
  void add_block(const double* values, std::size_t count);
  void merge(const Moments& other);
  std::int64_t count() const { return count_; }
  double mean() const { return count_ > 0 ? sum_.value() / static_cast<double>(count_) : 0; }
  const Sum& sum() const { return sum_; }
  double spread() const { return spread_; }
  /// Of the population.
  double std_dev() const;

 private:
  std::int64_t count_ = 0;
  Sum sum_;
  double spread_ = 0;  // sum of squared distances from the mean
};

/// Mean and spread of numbers of which each counts by a weight.
class WeightedMoments {
 public:
  WeightedMoments() = default;
  WeightedMoments(Sum weight, Sum sum, double spread)
      : weight_(weight), sum_(sum), spread_(spread) {}
  void add(double value, double weight);
  void merge(const WeightedMoments& other);
  const Sum& weight() const { return weight_; }
  const Sum& sum() const { return sum_; }
  double spread() const { return spread_; }
  double mean() const { return weight_.value() > 0 ? sum_.value() / weight_.value() : 0; }
  double std_dev() const;

 private:
  Sum weight_, sum_;
  double spread_ = 0;
};

/// Sum of up to a block with eight independent lanes, so that the compiler can use vectors.
template <class Term>
double sum_lanes(std::size_t count, const Term& term) {
  double lanes[8] = {};
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8) {
    for (std::size_t lane = 0; lane < 8; ++lane) lanes[lane] += term(i + lane);
  }
  for (; i < count; ++i) lanes[i % 8] += term(i);
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5])) +
         ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

void write(StateWriter& writer, const Sum& sum);
Sum read_sum(StateReader& reader);

}  // namespace pipelined
