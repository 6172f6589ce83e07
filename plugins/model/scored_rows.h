// Rows with their labels, their scores and the slices that they belong to.
//
// Reads examples batch by batch, scores them with a model and keeps what metrics need: a few bytes a
// row.  A visitor sees each batch with its scores, so that predictions can be written meanwhile.
// Knows nothing of metrics.  A plain value; belongs to one thread while it is read.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/model.h"
#include "plugins/common/examples.h"

namespace pipelined::evaluation {

/// The values that one column takes, and which of them each row has.
struct SliceColumn {
  std::string name;
  std::vector<std::string> values;    ///< in order of first appearance; a null is "(missing)"
  std::vector<std::uint32_t> of_row;  ///< a position in `values` a row

  static constexpr const char* missing = "(missing)";
};

/// All rows that have a label.
struct ScoredRows {
  std::vector<float> scores;   ///< score_count() numbers a row
  std::vector<double> labels;  ///< 0 or 1, the class, or the value
  std::vector<SliceColumn> slices;
  std::int64_t rows_without_label = 0;
  std::int64_t rows_of_unknown_class = 0;  ///< left out too

  std::size_t row_count() const { return labels.size(); }
};

/// Gets each batch with score_count() scores for each of its rows, labelled or not.
using BatchVisitor =
    std::function<Result<void>(const arrow::RecordBatch& batch, std::span<const float> scores)>;

/// Whether somebody asked to stop; looked at before each batch.
using StopAsked = std::function<bool()>;

/// Reads and scores everything that `reader` has.  Errors name the column: a feature or the label
/// that is missing or of another kind than in training, a slice of a column with too many values.
Result<ScoredRows> score_rows(ExamplesReader& reader, const model::Model& model,
                              const std::vector<std::string>& slices, const BatchVisitor& visitor,
                              const StopAsked& stop_asked);

}  // namespace pipelined::evaluation
