// Rows of a batch as the cells that models and transforms read.
//
// The bridge from Arrow's columns to the row interface of the room model/: texts are views into the
// batch, dates come as days and times as microseconds.  Binding checks the columns once; reading a
// row then only copies.  Valid as long as the batch; any number of threads may read rows.
#pragma once

#include <arrow/array.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/encoding.h"
#include "model/feature_spec.h"

namespace pipelined {

/// The columns of a schema that transforms can read, with their kinds.
std::vector<model::ColumnInput> column_inputs(const arrow::Schema& schema);

/// Some columns of one batch, row by row.
class RowCells {
 public:
  /// Finds the columns; one that is absent and not optional, or of a type that no cell can have, is
  /// an error.
  static Result<RowCells> bind(const arrow::RecordBatch& batch,
                               std::span<const model::ColumnInput> columns);

  /// Fills a cell a column.  REQUIRES: row < rows of the batch, cells.size() == columns.
  void read(std::int64_t row, std::span<model::Cell> cells) const;

 private:
  std::vector<std::shared_ptr<arrow::Array>> arrays_;
};

}  // namespace pipelined
