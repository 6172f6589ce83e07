// The rows that could not be read: kept as examples of their own, counted, judged by their share.
//
// Columns: `file`, `line`, `column` (null: the row as a whole), `reason` and `text`, the row as it
// stands.  Of columnar files `line` is the row's number and `text` the value.  One thread.
#pragma once

#include <arrow/array/builder_binary.h>
#include <arrow/array/builder_primitive.h>

#include <cstdint>
#include <memory>
#include <string>

#include "plugins/common/examples.h"
#include "plugins/common/text_table.h"

namespace pipelined {

class RejectedRows {
 public:
  RejectedRows();

  /// Keeps the rows in this empty folder; without it they are only counted.
  Result<void> open(const std::string& folder);
  /// Takes one row.
  Result<void> add(const RejectedRow& row);
  /// Writes what is left.
  Result<void> close();

  std::int64_t count() const { return count_; }

  /// What is wrong if more than `share_max` of all rows were rejected, else an empty text.
  std::string verdict(std::int64_t good_rows, double share_max) const;

 private:
  Result<void> flush();

  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<ExamplesWriter> writer_;
  arrow::StringBuilder file_, column_, reason_, text_;
  arrow::Int64Builder line_;
  std::int64_t pending_ = 0, count_ = 0;
  std::string first_;  // the sentence of the first row
};

}  // namespace pipelined
