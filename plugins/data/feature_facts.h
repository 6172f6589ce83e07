// statistics/1 read back into plain data, for comparisons.
//
// Knows the format's fields that judging needs and passes over the others.  Plain data.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "operators/sdk.h"
#include "plugins/data/distribution.h"

namespace pipelined {

/// What statistics say of one column.
struct FeatureFacts {
  std::string name, type;
  std::int64_t count = 0, missing = 0, unique = 0;
  std::map<std::string, std::int64_t> values;  ///< counts per value as text; see complete
  bool unique_exact = true;                    ///< `unique` is no estimate
  bool complete = false;                       ///< `values` holds all values, not only frequent ones
  std::vector<HistogramBucket> histogram;      ///< of what has an order; zeros at an end are a bucket
  std::vector<HistogramBucket> steps;          ///< the same, as finely as it is known
  double step_error = 0;                       ///< by which share a count up to a step may be off
  std::optional<double> mean, std_dev, min, max;  ///< of numbers
  std::string first, last;                     ///< least and greatest of dates and times, as text
  std::int64_t nan = 0, infinite = 0, invalid_utf8 = 0;

  std::int64_t rows() const { return count + missing; }
  double missing_share() const {
    return rows() > 0 ? static_cast<double>(missing) / static_cast<double>(rows()) : 0;
  }
  bool is_number() const { return type == "int" || type == "float"; }
  bool is_moment() const { return type == "date" || type == "time"; }
  /// What is known of where the values lie, as buckets; a date counts days, a time microseconds.
  const std::vector<HistogramBucket>& finest() const { return steps.empty() ? histogram : steps; }
};

/// What statistics say of a table.
struct TableFacts {
  std::int64_t rows = 0;
  std::string label;  ///< empty: none
  std::vector<FeatureFacts> features;
  const FeatureFacts* find(const std::string& name) const;
};

/// The rows of one slice.
struct SliceFacts {
  std::string name;  ///< "carrier=AA, origin=JFK"
  TableFacts table;
  /// Whether the slice is one of this column's values.
  bool cuts(const std::string& feature) const;
};

/// Reads the text of statistics.json, without its slices.
Result<TableFacts> parse_statistics(const std::string& json);

/// Its slices.
Result<std::vector<SliceFacts>> parse_slices(const std::string& json);

/// One set of facts for several tables, such as the spans of a training window: counts added up,
/// value counts kept while all of them are complete, histograms laid over each other, means weighted.
/// Distinct values cannot be added; the largest count stands.  REQUIRES: at least one table.
TableFacts united(const std::vector<TableFacts>& tables);

}  // namespace pipelined
