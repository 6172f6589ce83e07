// One table out of delivered files of whatever format: CSV, TSV, JSON lines, Parquet, Arrow.
//
// Chooses the reader by format or by the files' extensions and gives batches in the types of
// examples/1.  All files of one table have one format.  Knows nothing of operators or ports.  One
// thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/common/text_table.h"

namespace pipelined {

/// How to read the files.
struct TableOptions {
  std::string format = "auto";  ///< auto, csv, tsv, jsonl, parquet or arrow
  std::string delimiter;        ///< of csv and tsv; empty: what the format says
  TextTableOptions text;        ///< nulls, types and bad rows; format and delimiter are set from above
};

/// A table that is read batch by batch.
class TableSource {
 public:
  virtual ~TableSource() = default;

  /// Columns with types of examples/1.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;

  /// All rows in order; rows that cannot be read go to `rejected` where the options say so.
  virtual Result<void> read(std::int64_t batch_rows, const TextTable::BatchSink& sink,
                            const TextTable::RejectSink& rejected) = 0;
};

/// Opens the files, which together are one table, in their order.
Result<std::unique_ptr<TableSource>> open_table(std::vector<std::string> files,
                                                TableOptions options);

}  // namespace pipelined
