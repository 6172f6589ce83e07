// Resamples of a measure, and the intervals that follow from them.
//
// Every resample weighs the rows anew and computes all metrics of all slices; a baseline is computed
// with the same weights, so that differences are those of pairs.  An interval is that of percentiles:
// the share `confidence` of the resamples lies in it.  The same seed gives the same bits for any
// number of threads.  Knows nothing of columns, ports or JSON.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "plugins/model/measure.h"

namespace pipelined::evaluation {

struct Resampling {
  std::int64_t count = 0;  ///< 0: no intervals
  double confidence = 0.95;
  std::uint64_t seed = 0;
  int threads = 1;
};

/// From where to where.
struct Interval {
  double low = 0, high = 0;
  bool operator==(const Interval&) const = default;
};

/// All numbers of one measure: those of the rows as they are, and of each resample.
struct Numbers {
  std::size_t width = 0;                     ///< keys a slice
  std::vector<double> points;                ///< slice after slice; not-a-number: not defined
  std::vector<std::vector<double>> resamples;

  double at(std::size_t slice, std::size_t key) const { return points[slice * width + key]; }
};

/// Computes all measures with the same resamples of `row_count` rows; nothing if `stop_asked` said
/// yes meanwhile.
std::optional<std::vector<Numbers>> resampled(const std::vector<const Measure*>& measures,
                                              std::size_t row_count, const Resampling& resampling,
                                              const std::function<bool()>& stop_asked);

/// The interval of numbers that resamples gave; nothing if there are none or fewer than half of them
/// are defined.
std::optional<Interval> interval_of(std::vector<double> numbers, double confidence);

/// The quantile with straight lines between; REQUIRES: sorted and not empty.
double quantile(const std::vector<double>& sorted, double share);

}  // namespace pipelined::evaluation
