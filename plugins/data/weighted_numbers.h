// How weight is spread over numbers, in bounded memory, so that two of them can be merged.
//
// Exact up to `exact_values_max` different values.  Beyond that sorted lists of points of equal
// weight: two of one level become one of the next, so that each value's weight is rounded a few times
// only, and by how much is kept.  Deterministic: the same values in the same order give the same
// answer.  Knows no columns.  One thread each.
#pragma once

#include <optional>
#include <utility>
#include <vector>

#include "plugins/data/distribution.h"
#include "plugins/data/state_bytes.h"

namespace pipelined {

/// A sum of weights: long, so that the order of adding does not show in what is printed.
using Weight = long double;

void write(StateWriter& writer, Weight weight);
Weight read_weight(StateReader& reader);

class WeightedNumbers {
 public:
  /// REQUIRES: `value` is finite and `weight` above 0.
  void add(double value, Weight weight) {
    fresh_.emplace_back(value, weight);
    if (fresh_.size() == fresh_max) settle();
  }

  /// Values in order with their weights.
  CountedValues sorted() const;

  /// By which share of the weight a rank may be off; 0: not at all.
  double rank_error() const;

  void write_state(StateWriter& writer) const;
  /// What this state describes is added as if its values were.
  void merge_state(StateReader& reader);

 private:
  using Weighed = std::vector<std::pair<double, Weight>>;

  void settle();
  void place(Weighed list);
  Weighed all() const;
  static void tidy(Weighed& values);
  static Weight total_of(const Weighed& values);
  static Weighed thinned(const Weighed& sorted, std::size_t points);

  static constexpr std::size_t fresh_max = 16'384;
  Weighed fresh_;                             // as they came
  Weighed exact_;                             // sorted, each value once
  std::vector<std::optional<Weighed>> lists_;  // of points of equal weight, by level
  Weight moved_ = 0;                                // weight that may be on the wrong side of a value
};

}  // namespace pipelined
