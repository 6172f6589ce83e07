// Statistics of a table whose rows come batch by batch: columns, pairs of columns and slices in one pass.
//
// Columns are shared out among threads, and each takes the batches in their order, so that any number of
// threads gives the same bytes.  Knows Arrow batches, not files.  One owner.
#pragma once

#include <arrow/type_fwd.h>

#include <vector>

#include "plugins/data/statistics.h"

namespace pipelined {

class BatchPass {
 public:
  /// Error: options name columns that are not there or cannot be compared.
  static Result<BatchPass> begin(const std::shared_ptr<arrow::Schema>& schema,
                                 const StatisticsOptions& options);

  /// Adds the next rows; of the schema that it began with.
  Result<void> add(const arrow::RecordBatch& batch);

  TableSummary take() &&;

 private:
  BatchPass(const StatisticsOptions& options, TableSummary table, std::vector<bool> numbers,
            SliceSet slices)
      : options_(&options), table_(std::move(table)), numbers_(std::move(numbers)),
        slices_(std::move(slices)) {}

  const StatisticsOptions* options_;
  TableSummary table_;
  std::vector<bool> numbers_;  // whether a pair is one of numbers
  SliceSet slices_;
};

/// A summary of no rows of such a table.
TableSummary empty_summary(const arrow::Schema& schema);

/// Error: label or weight are not there, or the weight is no number.
Result<void> check_named_columns(const arrow::Schema& schema, const StatisticsOptions& options);

/// Adds the weights of an array's rows; a row without one counts nothing.
Result<void> append_weights(const arrow::Array& array, const std::string& name,
                            std::vector<double>& weights);

}  // namespace pipelined
