// Statistics of examples: one pass, columns side by side, and their JSON (statistics/1).
//
// Threads share columns out among themselves, each column being taken row group by row group in
// order, so that any number of threads gives the same bytes.  Memory holds a row group of a column a
// thread.  Knows examples folders, not operators.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/table_source.h"
#include "plugins/data/column_summary.h"
#include "plugins/data/pair_summary.h"
#include "plugins/data/slices.h"

namespace pipelined {

/// What to count and how to show it.
struct StatisticsOptions {
  std::string label;             ///< empty: none
  std::string weight;            ///< a numeric column; empty: none
  std::int64_t top_values = 20;
  std::int64_t quantiles = 10;   ///< parts: 10 gives the quantiles 0.1 to 0.9
  std::vector<std::pair<std::string, std::string>> cross;  ///< pairs of columns to be compared
  std::vector<SliceRule> slices;  ///< what splits the rows, each by itself
  PredicateMasks masks;           ///< of the rows, by the names of conditions that rules use
  int threads = 1;
  std::function<bool()> cancelled = [] { return false; };
};

/// The summaries of a table's columns.
struct TableSummary {
  std::vector<std::string> names;
  std::vector<ColumnSummary> columns;
  std::vector<PairSummary> pairs;
  std::vector<TableSlice> slices;  ///< by name
  std::int64_t rows = 0;
};

/// Summarises the examples in these folders, in order: column by column, or batch by batch where rows
/// have to be seen whole, for pairs of columns and slices.
Result<TableSummary> summarise(const std::vector<std::string>& folders,
                               const StatisticsOptions& options);

/// Summarises delivered files of any format, which together are one table, without writing examples.
/// Parquet is taken as above; what else there is, batch by batch in the files' order.
Result<TableSummary> summarise_files(const std::vector<std::string>& files, TableOptions reading,
                                     const StatisticsOptions& options);

/// The text of statistics.json: one line with sorted keys.
std::string statistics_json(const TableSummary& table, const StatisticsOptions& options);

/// The bytes of statistics.state, from which statistics are merged.
std::string statistics_state(const TableSummary& table, const StatisticsOptions& options);

/// Adds the table that such bytes describe, as if its rows came after these, and takes label and
/// weight over from it.  Errors: no state, or a column of another type than in the tables before.
Result<void> merge_statistics(std::string_view state, TableSummary& table,
                              StatisticsOptions& options);

/// Writes statistics.json and statistics.state into a folder.
Result<void> write_statistics(const std::string& folder, const TableSummary& table,
                              const StatisticsOptions& options);

}  // namespace pipelined
