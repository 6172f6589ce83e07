// Batches as models see them: encoded features, scores, labels.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cmath>

#include "plugins/common/feature_columns.h"
#include "plugins/common/row_cells.h"
#include "plugins/model/scored_rows.h"

namespace pipelined::evaluation {
namespace {

using model::FeatureType;
using model::Objective;

Result<std::shared_ptr<arrow::Array>> column_of(const arrow::RecordBatch& batch,
                                                const std::string& name, const char* role) {
  auto column = batch.GetColumnByName(name);
  if (column) return column;
  return Error{ErrorCode::invalid,
               "the examples have no column \"" + name + "\", which is " + role};
}

template <class Array>
void copy(const Array& values, std::vector<double>& labels) {
  for (std::int64_t row = 0; row < values.length(); ++row) {
    labels[static_cast<std::size_t>(row)] =
        values.IsNull(row) ? std::nan("") : static_cast<double>(values.Value(row));
  }
}

}  // namespace

Result<std::vector<std::span<const float>>> BatchScorer::encode(const arrow::RecordBatch& batch) {
  if (model_.transform()) return encode_by_row(batch);
  TRY_VOID(admit(batch));
  const auto rows = static_cast<std::size_t>(batch.num_rows());
  const auto& features = model_.signature().features;
  std::vector<std::span<const float>> views;
  for (std::size_t i = 0; i < features.size(); ++i) {
    columns_[i].resize(rows);
    const NumberSink sink{columns_[i].data(), 1};
    if (model_.inputs()[i].optional && !batch.GetColumnByName(features[i].name)) {
      std::fill(columns_[i].begin(), columns_[i].end(), model::missing);
      views.emplace_back(columns_[i]);
      continue;
    }
    TRY(column, column_of(batch, features[i].name, "a feature of the model"));
    if (features[i].type == FeatureType::text) {
      const model::CategoryCodes& codes = model_.encoder().codes(i);
      TRY_VOID(write_codes(
          features[i].name, *column, [&](std::string_view text) { return codes.code(text); },
          sink));
    } else {
      TRY_VOID(write_numbers(features[i].name, *column, sink));
    }
    views.emplace_back(columns_[i]);
  }
  return views;
}

// What the model refuses, of columns that are encoded as a whole.
Result<void> BatchScorer::admit(const arrow::RecordBatch& batch) const {
  if (!model_.has_closed()) return {};
  TRY(rows, RowCells::bind(batch, model_.inputs()));
  std::vector<model::Cell> cells(model_.inputs().size());
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    rows.read(row, cells);
    TRY_VOID(model::admit(model_.domains(), model_.inputs(), cells));
  }
  return {};
}

Result<std::vector<std::span<const float>>> BatchScorer::encode_by_row(
    const arrow::RecordBatch& batch) {
  TRY(rows, RowCells::bind(batch, model_.inputs()));
  std::vector<model::Cell> cells(model_.inputs().size());
  std::vector<float> encoded(columns_.size());
  for (auto& column : columns_) column.resize(static_cast<std::size_t>(batch.num_rows()));
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    rows.read(row, cells);
    TRY_VOID(model_.encode_cells(cells, encoded));
    for (std::size_t i = 0; i < encoded.size(); ++i) {
      columns_[i][static_cast<std::size_t>(row)] = encoded[i];
    }
  }
  return std::vector<std::span<const float>>(columns_.begin(), columns_.end());
}

// A transform may give many thousand columns: they are never there all at once.
Result<std::span<const float>> BatchScorer::score_by_row(const arrow::RecordBatch& batch) {
  const std::size_t width = model_.signature().score_count();
  scores_.resize(static_cast<std::size_t>(batch.num_rows()) * width);
  TRY(rows, RowCells::bind(batch, model_.inputs()));
  std::vector<model::Cell> cells(model_.inputs().size());
  for (std::int64_t row = 0; row < batch.num_rows(); ++row) {
    rows.read(row, cells);
    TRY_VOID(model_.score_cells(
        cells, std::span(scores_).subspan(static_cast<std::size_t>(row) * width, width)));
  }
  return std::span<const float>(scores_);
}

Result<std::span<const float>> BatchScorer::score(const arrow::RecordBatch& batch) {
  if (model_.transform()) return score_by_row(batch);
  TRY(views, encode(batch));
  scores_.resize(static_cast<std::size_t>(batch.num_rows()) * model_.signature().score_count());
  model_.score_columns(views, scores_);
  return std::span<const float>(scores_);
}

Result<void> LabelReader::read(const arrow::RecordBatch& batch, std::vector<double>& labels) const {
  const std::string& name = signature_.label.name;
  TRY(column, column_of(batch, name, "the label of the model"));
  const arrow::Array& values = *column;
  labels.resize(static_cast<std::size_t>(values.length()));
  if (signature_.objective != Objective::multi_softprob) return read_numbers(values, labels);
  if (values.type_id() != arrow::Type::STRING && values.type_id() != arrow::Type::INT64) {
    return wrong_column(name, *values.type(), "the label of this model");
  }
  for (std::int64_t row = 0; row < values.length(); ++row) {
    labels[static_cast<std::size_t>(row)] = static_cast<double>(class_of(values, row));
  }
  return {};
}

float LabelReader::class_of(const arrow::Array& values, std::int64_t row) const {
  if (values.IsNull(row)) return model::missing;
  if (values.type_id() == arrow::Type::STRING) {
    return codes_.code(static_cast<const arrow::StringArray&>(values).GetView(row));
  }
  return codes_.code(std::to_string(static_cast<const arrow::Int64Array&>(values).Value(row)));
}

Result<void> LabelReader::read_numbers(const arrow::Array& values,
                                       std::vector<double>& labels) const {
  const std::string& name = signature_.label.name;
  if (values.type_id() == arrow::Type::DOUBLE) {
    copy(static_cast<const arrow::DoubleArray&>(values), labels);
  } else if (values.type_id() == arrow::Type::INT64) {
    copy(static_cast<const arrow::Int64Array&>(values), labels);
  } else {
    std::vector<float> narrow(labels.size());
    TRY_VOID(write_numbers(name, values, {narrow.data(), 1}));
    labels.assign(narrow.begin(), narrow.end());
  }
  const bool binary = signature_.objective == Objective::binary_logistic;
  for (const double label : labels) {
    if (std::isinf(label)) {
      return Error{ErrorCode::invalid, "label \"" + name + "\" has an infinite value; no error can "
                                           "be measured against it: leave such rows out"};
    }
    if (!binary || label == 0 || label == 1 || std::isnan(label)) continue;
    return Error{ErrorCode::invalid, "label \"" + name + "\" has other values than 0 and 1"};
  }
  return {};
}

}  // namespace pipelined::evaluation
