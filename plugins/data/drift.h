// How far apart two distributions are: the measures of validation.
//
// l_infinity: the largest difference of any value's share.  jensen_shannon: the divergence in bits,
// 0 to 1, over values or over histograms brought onto common edges.  normalized_difference: the
// largest difference of any value's count over the count of both sides.  Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/data/feature_facts.h"

namespace pipelined {

/// One measured distance between two sides of a feature.
struct Distance {
  std::string measure;  ///< l_infinity, jensen_shannon or normalized_difference
  double value = 0;
  std::string largest;  ///< the value that differs most; empty for numbers
  double share_before = 0, share_now = 0;  ///< of that value
  bool approximate = false;  ///< only frequent values were known on a side
};

/// The names of all measures.
const std::vector<std::string>& measure_names();

/// All measures that make sense for the feature: over values for strings, bools and ints of few
/// values, over histograms for numbers.  Empty when a side has no values or the kinds differ.
std::vector<Distance> distances(const FeatureFacts& before, const FeatureFacts& now);

/// Divergence of two histograms in bits; REQUIRES: both have a count above 0.
double histogram_divergence(const std::vector<HistogramBucket>& before,
                            const std::vector<HistogramBucket>& now);

}  // namespace pipelined
