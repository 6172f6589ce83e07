// The schema of examples: what each column should be, read from TOML (schema/1).
//
//   [feature.carrier]
//   type = "string"; presence = 1.0; domain = ["AA", "UA"]
//   [feature.distance]
//   type = "int"; min = 1; max = 6000
//
// Unknown keys are errors with their line.  Knows nothing of statistics.  Plain data.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/common/column_types.h"

namespace pipelined {

/// What is expected of one column.  What is not stated is not judged.
struct FeatureSchema {
  std::optional<ColumnType> type;  ///< float takes int too
  std::optional<double> presence;  ///< least share of rows with a value; 0: the column may be absent
  std::optional<std::vector<std::string>> domain;  ///< the values that may occur; ints as text
  std::optional<double> min, max;
};

/// Columns by name.
using TableSchema = std::map<std::string, FeatureSchema>;

/// Reads a schema; errors are sentences that begin with "`name` line 3: ".
Result<TableSchema> parse_schema(const std::string& toml, const std::string& name);

}  // namespace pipelined
