// One table out of delivered files of whatever format: CSV, TSV, JSON lines, Parquet, Arrow, or a set
// of texts.
//
// Chooses the reader by what is stated, else by the files' first bytes (Parquet, Arrow) or names
// (text), and gives batches in the types of examples/1.  Packed files are unpacked, whatever they are
// called.  All files of one table have one format.  Knows nothing of operators or ports.  One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "plugins/common/text_table.h"

namespace pipelined {

/// How to read the files.
struct TableOptions {
  std::string format = "auto";  ///< auto, csv, tsv, jsonl, parquet, arrow or texts
  std::string root;             ///< of texts: the folder that the files lie in
  std::string scratch;          ///< a folder for what packed Parquet and Arrow files unpack to
  TextTableOptions text;        ///< dialect, nulls, types, bad rows; the format is set from above
};

/// A table that is read batch by batch.
class TableSource {
 public:
  virtual ~TableSource() = default;

  /// Columns with types of examples/1.
  virtual const std::shared_ptr<arrow::Schema>& schema() const = 0;

  /// All rows in order; rows that cannot be read go to `rejected` where the options say so.
  virtual Result<void> read(const TextTable::BatchSink& sink,
                            const TextTable::RejectSink& rejected) = 0;

  /// What was found out about how the files are written, for people; empty: nothing.
  virtual std::string remark() const { return {}; }
};

/// Opens the files, which together are one table, in their order.
Result<std::unique_ptr<TableSource>> open_table(std::vector<std::string> files,
                                                TableOptions options);

}  // namespace pipelined
