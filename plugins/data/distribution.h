// How the numbers of a column lie: quantiles, histograms, and steps from which the share below any
// value can be told.
//
// Made from values in order with how much each counts: rows, or weights.  Knows no columns and no
// JSON.  Pure functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pipelined {

/// Values in order, each once, with how much they count.
using CountedValues = std::vector<std::pair<double, double>>;

/// One bucket of a histogram; a single value has low == high.
struct HistogramBucket {
  double low = 0, high = 0, count = 0;
};

/// So many values are steps of their own; a step of more values holds one of `step_parts` parts.
inline constexpr std::size_t exact_steps_max = 1000;
inline constexpr int step_parts = 500;

/// What lies between the step before and this one, and at its value.
struct Step {
  double value = 0;
  double at = 0;       ///< at the value itself
  double between = 0;  ///< above the value of the step before, up to this one
};

/// The steps of values, and by which share the count up to any value may be off.
struct Steps {
  std::vector<Step> steps;
  double error = 0;
};

/// Joins equal values of a sorted list.
CountedValues counted(const std::vector<std::pair<double, std::int64_t>>& sorted);

double total_of(const CountedValues& values);

/// Of values that count rows: as numpy's default, interpolated between two of them.
double row_quantile(const CountedValues& values, double q);

/// Of values with weights: the least value up to which at least this share of the weight lies.
double weight_quantile(const CountedValues& values, double q);

/// The least and the greatest value, which a sketch need not hold.
struct Range {
  double low = 0, high = 0;
};

/// Ten buckets of equal width, the last with its upper edge; one of no width for a single value.
std::vector<HistogramBucket> equal_widths(const CountedValues& values, Range range);

/// At most ten buckets of whole days, each up to but without its upper edge.
std::vector<HistogramBucket> whole_days(const CountedValues& values, Range range);

/// `rank_error` is what is known to be wrong with the values, as a share.
Steps steps_of(const CountedValues& values, Range range, double rank_error);

/// Steps as buckets: values without a width, and what lies between them.
std::vector<HistogramBucket> buckets_of(const std::vector<Step>& steps);

}  // namespace pipelined
