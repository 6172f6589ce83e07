// Fairness: how far groups are from a reference group, with intervals.
//
// Takes the numbers of slices that were measured with the same resamples, so that the difference and
// the ratio of two groups have intervals of their own.  Which metrics are compared follows from the
// objective.  Knows nothing of rows.
#pragma once

#include <vector>

#include "model/signature.h"
#include "plugins/model/evaluation.h"

namespace pipelined::evaluation {

/// One slice of the numbers as a group.
struct Group {
  std::string slice;
  std::size_t at = 0;  ///< its place among the measured slices
};

/// Appends "NAME_difference" (group less reference) and "NAME_ratio" (group by reference) of each
/// group for each metric that fairness looks at.
void compare_groups(const std::vector<Group>& groups, const Group& reference,
                    const std::vector<MetricKey>& keys, const Numbers& numbers,
                    double confidence, std::vector<Metric>& metrics);

}  // namespace pipelined::evaluation
