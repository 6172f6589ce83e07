// Cells of text as columns of examples/1: what is null, what converts, batches of good rows.
//
// A row is taken as a whole or refused with the column that does not fit.  Knows nothing of files.  One
// thread.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "plugins/common/column_types.h"
#include "plugins/common/text_rows.h"

namespace pipelined {

/// Whether a cell means no value: it is absent, or plain and one of the words.
bool is_null(const TextCell& cell, const std::vector<std::string>& null_words);

/// What is wrong with a row; no reason: nothing.
struct RowProblem {
  std::string column, reason;
};

/// Gathers rows into a batch.
class TextColumns {
 public:
  /// `types` are those of the schema.  REQUIRES: the arguments outlive this.
  TextColumns(const std::shared_ptr<arrow::Schema>& schema, const std::vector<ColumnType>& types,
              const std::vector<std::string>& null_words);
  ~TextColumns();

  /// Makes the builders.
  Result<void> begin();

  /// Takes a row whose cell i belongs to column places[i]; columns without a cell are null.
  Result<RowProblem> add(const TextRow& row, const std::vector<std::size_t>& places);

  /// The rows since the last time; null if there are none.
  Result<std::shared_ptr<arrow::RecordBatch>> finish();

 private:
  struct Converted;
  const std::shared_ptr<arrow::Schema>& schema_;
  const std::vector<ColumnType>& types_;
  const std::vector<std::string>& null_words_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  std::vector<Converted> cells_;
  std::int64_t rows_ = 0;
};

}  // namespace pipelined
