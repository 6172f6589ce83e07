// predictions/1: the scores of a model, row by row, as Parquet.
//
// The same layout as examples/1, in the order of the rows that were scored: the columns that were
// asked for, `label` as the examples have it, and `score` (with classes: `predicted` and a
// `score.CLASS` each).  Knows nothing of metrics.  Belongs to one thread.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/signature.h"
#include "plugins/common/examples.h"

namespace pipelined::evaluation {

/// Writes batches as they are scored.
class PredictionsWriter {
 public:
  /// `schema` is that of the examples; `keep` names columns to copy ("*" alone: all but the label).
  static Result<PredictionsWriter> create(const std::string& folder, const arrow::Schema& schema,
                                          const model::Signature& signature,
                                          const std::vector<std::string>& keep);

  /// Appends the rows of a batch; `scores` holds score_count() numbers a row.
  Result<void> write(const arrow::RecordBatch& batch, std::span<const float> scores);
  Result<void> close() { return writer_.close(); }

 private:
  PredictionsWriter(ExamplesWriter writer, std::shared_ptr<arrow::Schema> schema,
                    model::Signature signature, std::vector<std::string> keep)
      : writer_(std::move(writer)),
        schema_(std::move(schema)),
        signature_(std::move(signature)),
        keep_(std::move(keep)) {}

  ExamplesWriter writer_;
  std::shared_ptr<arrow::Schema> schema_;
  model::Signature signature_;
  std::vector<std::string> keep_;
};

}  // namespace pipelined::evaluation
