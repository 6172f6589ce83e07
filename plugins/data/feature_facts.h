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

namespace pipelined {

/// One bucket of a histogram; a single value has low == high.
struct HistogramBucket {
  double low = 0, high = 0, count = 0;
};

/// What statistics say of one column.
struct FeatureFacts {
  std::string name, type;
  std::int64_t count = 0, missing = 0, unique = 0;
  std::map<std::string, std::int64_t> values;  ///< counts per value as text; see complete
  bool complete = false;                       ///< `values` holds all values, not only frequent ones
  std::vector<HistogramBucket> histogram;      ///< of numbers
  std::optional<double> mean, min, max;        ///< of numbers
  std::int64_t nan = 0, infinite = 0;

  std::int64_t rows() const { return count + missing; }
  bool is_number() const { return type == "int" || type == "float"; }
};

/// What statistics say of a table.
struct TableFacts {
  std::int64_t rows = 0;
  std::string label;  ///< empty: none
  std::vector<FeatureFacts> features;
  const FeatureFacts* find(const std::string& name) const;
};

/// Reads the text of statistics.json.
Result<TableFacts> parse_statistics(const std::string& json);

}  // namespace pipelined
