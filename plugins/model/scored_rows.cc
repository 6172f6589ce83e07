#include "plugins/model/scored_rows.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>

#include <cmath>
#include <unordered_map>

#include "plugins/common/feature_columns.h"

namespace pipelined::evaluation {
namespace {

using model::FeatureType;
using model::Objective;

// More values than this make a table of numbers, not slices that somebody can look at.
constexpr std::size_t slice_values_max = 1000;

Result<std::shared_ptr<arrow::Array>> column_of(const arrow::RecordBatch& batch,
                                                const std::string& name, const char* role) {
  auto column = batch.GetColumnByName(name);
  if (column) return column;
  return Error{ErrorCode::invalid,
               "the examples have no column \"" + name + "\", which is " + role};
}

// Encodes the features of a batch, column by column, and scores them.
class BatchScorer {
 public:
  explicit BatchScorer(const model::Model& model)
      : model_(model), columns_(model.signature().features.size()) {}

  Result<std::span<const float>> score(const arrow::RecordBatch& batch) {
    const auto rows = static_cast<std::size_t>(batch.num_rows());
    const auto& features = model_.signature().features;
    std::vector<std::span<const float>> views;
    for (std::size_t i = 0; i < features.size(); ++i) {
      columns_[i].resize(rows);
      const NumberSink sink{columns_[i].data(), 1};
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
    scores_.resize(rows * model_.signature().score_count());
    model_.score_columns(views, scores_);
    return std::span<const float>(scores_);
  }

 private:
  const model::Model& model_;
  std::vector<std::vector<float>> columns_;
  std::vector<float> scores_;
};

// Labels as 0 and 1, as class codes or as values; not-a-number for null or an unknown class.
class LabelReader {
 public:
  explicit LabelReader(const model::Signature& signature)
      : signature_(signature), codes_(signature.label.classes) {}

  Result<void> read(const arrow::Array& values, std::vector<double>& labels) const {
    const std::string& name = signature_.label.name;
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

 private:
  float class_of(const arrow::Array& values, std::int64_t row) const {
    if (values.IsNull(row)) return model::missing;
    if (values.type_id() == arrow::Type::STRING) {
      return codes_.code(static_cast<const arrow::StringArray&>(values).GetView(row));
    }
    return codes_.code(std::to_string(static_cast<const arrow::Int64Array&>(values).Value(row)));
  }

  template <class Array>
  static void copy(const Array& values, std::vector<double>& labels) {
    for (std::int64_t row = 0; row < values.length(); ++row) {
      labels[static_cast<std::size_t>(row)] =
          values.IsNull(row) ? std::nan("") : static_cast<double>(values.Value(row));
    }
  }

  Result<void> read_numbers(const arrow::Array& values, std::vector<double>& labels) const {
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
    if (signature_.objective != Objective::binary_logistic) return {};
    for (const double label : labels) {
      if (label == 0 || label == 1 || std::isnan(label)) continue;
      return Error{ErrorCode::invalid, "label \"" + name + "\" has other values than 0 and 1"};
    }
    return {};
  }

  const model::Signature& signature_;
  model::CategoryCodes codes_;
};

// Sorts rows into slices by one column.
class Slicer {
 public:
  explicit Slicer(std::string name) { column_.name = std::move(name); }

  Result<void> add(const arrow::RecordBatch& batch, const std::vector<double>& labels) {
    TRY(values, column_of(batch, column_.name, "named by the parameter \"slices\""));
    const bool numbers = values->type_id() == arrow::Type::DOUBLE;
    if (numbers) return wrong_column(column_.name, *values->type(), "slices: it has fractions");
    for (std::int64_t row = 0; row < values->length(); ++row) {
      if (std::isnan(labels[static_cast<std::size_t>(row)])) continue;
      const std::string word = values->IsNull(row) ? SliceColumn::missing : word_of(*values, row);
      const auto [entry, fresh] =
          positions_.emplace(word, static_cast<std::uint32_t>(column_.values.size()));
      if (fresh) column_.values.push_back(word);
      if (column_.values.size() > slice_values_max) {
        return Error{ErrorCode::invalid, "column \"" + column_.name + "\" has more than " +
                                             std::to_string(slice_values_max) +
                                             " values: too many for slices"};
      }
      column_.of_row.push_back(entry->second);
    }
    return {};
  }

  SliceColumn take() { return std::move(column_); }

 private:
  static std::string word_of(const arrow::Array& values, std::int64_t row) {
    switch (values.type_id()) {
      case arrow::Type::STRING:
        return static_cast<const arrow::StringArray&>(values).GetString(row);
      case arrow::Type::INT64:
        return std::to_string(static_cast<const arrow::Int64Array&>(values).Value(row));
      case arrow::Type::BOOL:
        return static_cast<const arrow::BooleanArray&>(values).Value(row) ? "true" : "false";
      default: break;
    }
    const auto scalar = values.GetScalar(row);
    return scalar.ok() ? (*scalar)->ToString() : SliceColumn::missing;
  }

  SliceColumn column_;
  std::unordered_map<std::string, std::uint32_t> positions_;
};

void keep_labelled(ScoredRows& rows, const std::vector<double>& labels,
                   std::span<const float> scores, std::size_t width) {
  for (std::size_t row = 0; row < labels.size(); ++row) {
    if (std::isnan(labels[row])) continue;
    rows.labels.push_back(labels[row]);
    const auto own = scores.subspan(row * width, width);
    rows.scores.insert(rows.scores.end(), own.begin(), own.end());
  }
}

}  // namespace

Result<ScoredRows> score_rows(ExamplesReader& reader, const model::Model& model,
                              const std::vector<std::string>& slices, const BatchVisitor& visitor,
                              const StopAsked& stop_asked) {
  ScoredRows rows;
  BatchScorer scorer(model);
  const LabelReader label_reader(model.signature());
  std::vector<Slicer> slicers(slices.begin(), slices.end());
  std::vector<double> labels;
  for (;;) {
    if (stop_asked()) return Error{ErrorCode::cancelled, "stopped while scoring"};
    TRY(batch, reader.next());
    if (!batch) break;
    TRY(scores, scorer.score(*batch));
    TRY(label_column, column_of(*batch, model.signature().label.name, "the label of the model"));
    TRY_VOID(label_reader.read(*label_column, labels));
    std::int64_t nulls = 0;
    std::int64_t left_out = 0;
    for (std::size_t row = 0; row < labels.size(); ++row) {
      if (!std::isnan(labels[row])) continue;
      ++left_out;
      const bool not_a_number = label_column->type_id() == arrow::Type::DOUBLE;
      if (not_a_number || label_column->IsNull(static_cast<std::int64_t>(row))) ++nulls;
    }
    rows.rows_without_label += nulls;
    rows.rows_of_unknown_class += left_out - nulls;
    for (Slicer& slicer : slicers) TRY_VOID(slicer.add(*batch, labels));
    keep_labelled(rows, labels, scores, model.signature().score_count());
    TRY_VOID(visitor(*batch, scores));
  }
  for (Slicer& slicer : slicers) rows.slices.push_back(slicer.take());
  return rows;
}

}  // namespace pipelined::evaluation
