// Metrics as people name them: `auc`, `evaluate.auc`, `auc[carrier=UA]`, and lists of such names.
//
// The same words as in a condition (condition.h), but that the step may be left out.  Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pipelined {

/// A metric's name, with its step if one was named, and its slice; empty: all rows.
struct MetricName {
  std::string name, slice;
  bool operator==(const MetricName&) const = default;
  static MetricName parse(std::string_view text);
};

/// Names with commas between them; a comma within brackets belongs to the slice.
std::vector<std::string> split_names(std::string_view text);

}  // namespace pipelined
