// Rows with their labels, their scores and the values that slices are made of.
//
// Reads examples batch by batch, scores them with a model (and a baseline) and keeps what metrics
// need: a few bytes a row.  A visitor sees each batch with its scores, so that predictions can be
// written meanwhile.  Knows nothing of metrics.  Belongs to one thread.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/model.h"
#include "plugins/common/examples.h"
#include "plugins/common/row_masks.h"
#include "plugins/model/slices.h"

namespace pipelined::evaluation {

/// All rows that have a label and a score.
struct ScoredRows {
  std::vector<float> scores;           ///< score_count() numbers a row
  std::vector<float> baseline_scores;  ///< the same of the baseline; empty without one
  std::vector<double> labels;          ///< 0 or 1, the class, or the value
  SliceColumn dataset;                 ///< which data set a row is of, in the order of reading
  std::vector<SliceColumn> slices;
  std::int64_t rows_without_label = 0;
  std::int64_t rows_of_unknown_class = 0;  ///< left out too
  std::int64_t rows_without_score = 0;     ///< left out too: a score is not-a-number

  std::size_t row_count() const { return labels.size(); }
};

/// Gets each batch with score_count() scores for each of its rows, labelled or not.
using BatchVisitor =
    std::function<Result<void>(const arrow::RecordBatch& batch, std::span<const float> scores)>;

/// Whether somebody asked to stop; looked at before each batch.
using StopAsked = std::function<bool()>;

/// What to keep beside scores and labels.
struct WantedColumns {
  std::vector<std::string> slices;        ///< columns, each once
  std::map<std::string, Buckets> buckets;  ///< by column: these are numbers, cut
  std::vector<std::string> predicates;
};

/// Collects the rows of one data set after the other.
class RowCollector {
 public:
  /// `baseline` may be null.  REQUIRES: both outlive the collector; the baseline has the model's
  /// label and classes.
  RowCollector(const model::Model& model, const model::Model* baseline, WantedColumns wanted);
  RowCollector(RowCollector&&) noexcept;
  ~RowCollector();

  /// Reads and scores everything that `reader` has.  Errors name the column: a feature or the label
  /// that is missing or of another kind than in training, a slice of a column with too many values.
  Result<void> read(const std::string& dataset, ExamplesReader& reader,
                    const PredicateMasks& masks, const BatchVisitor& visitor,
                    const StopAsked& stop_asked);

  /// Everything read; the collector is empty then.
  ScoredRows take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Encodes the features of a batch, column by column, and scores them.
class BatchScorer {
 public:
  explicit BatchScorer(const model::Model& model)
      : model_(model), columns_(model.signature().features.size()) {}

  /// score_count() numbers a row, valid until the next call.
  Result<std::span<const float>> score(const arrow::RecordBatch& batch);
  /// Only the encoded features: a column each, valid until the next call.
  Result<std::vector<std::span<const float>>> encode(const arrow::RecordBatch& batch);

 private:
  Result<std::vector<std::span<const float>>> encode_by_row(const arrow::RecordBatch& batch);
  Result<std::span<const float>> score_by_row(const arrow::RecordBatch& batch);
  Result<void> admit(const arrow::RecordBatch& batch) const;

  const model::Model& model_;
  std::vector<std::vector<float>> columns_;
  std::vector<float> scores_;
};

/// Reads labels as 0 and 1, as class codes or as values.
class LabelReader {
 public:
  explicit LabelReader(const model::Signature& signature)
      : signature_(signature), codes_(signature.label.classes) {}

  /// Not-a-number for null or an unknown class.  Errors: the column is not there, another kind of
  /// values, an infinite one.
  Result<void> read(const arrow::RecordBatch& batch, std::vector<double>& labels) const;

 private:
  Result<void> read_numbers(const arrow::Array& values, std::vector<double>& labels) const;
  float class_of(const arrow::Array& values, std::int64_t row) const;

  const model::Signature& signature_;
  model::CategoryCodes codes_;
};

}  // namespace pipelined::evaluation
