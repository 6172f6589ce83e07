// Statistics of examples: one pass, columns side by side, and their JSON (statistics/1).
//
// Threads share columns out among themselves, each column being taken row group by row group in
// order, so that any number of threads gives the same bytes.  Memory holds a row group of a column a
// thread.  Knows examples folders, not operators.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plugins/data/column_summary.h"

namespace pipelined {

/// What to count and how to show it.
struct StatisticsOptions {
  std::string label;             ///< empty: none
  std::string weight;            ///< a numeric column; empty: none
  std::int64_t top_values = 20;
  std::int64_t quantiles = 10;   ///< parts: 10 gives the quantiles 0.1 to 0.9
  int threads = 1;
  std::function<bool()> cancelled = [] { return false; };
};

/// The summaries of a table's columns.
struct TableSummary {
  std::vector<std::string> names;
  std::vector<ColumnSummary> columns;
  std::int64_t rows = 0;
};

/// Summarises the examples in these folders, in order.
Result<TableSummary> summarise(const std::vector<std::string>& folders,
                               const StatisticsOptions& options);

/// The text of statistics.json: one line with sorted keys.
std::string statistics_json(const TableSummary& table, const StatisticsOptions& options);

}  // namespace pipelined
