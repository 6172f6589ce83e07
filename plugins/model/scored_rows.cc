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

// Reads one column for slices: words, or numbers that are cut at the end.
class Slicer {
 public:
  Slicer(std::string name, const Buckets* buckets) : buckets_(buckets) {
    column_.name = std::move(name);
  }

  Result<void> add(const arrow::RecordBatch& batch, const std::vector<bool>& kept) {
    const auto values = batch.GetColumnByName(column_.name);
    if (!values) {
      return Error{ErrorCode::invalid, "the examples have no column \"" + column_.name +
                                           "\", which is named by the parameter \"slices\""};
    }
    if (buckets_) return add_numbers(*values, kept);
    if (values->type_id() == arrow::Type::DOUBLE) {
      return wrong_column(column_.name, *values->type(),
                          "slices: it has fractions; cut it with the parameter \"buckets\"");
    }
    for (std::int64_t row = 0; row < values->length(); ++row) {
      if (!kept[static_cast<std::size_t>(row)]) continue;
      const std::string word = values->IsNull(row) ? SliceColumn::missing : word_of(*values, row);
      const auto [entry, fresh] =
          positions_.emplace(word, static_cast<std::uint32_t>(column_.values.size()));
      if (fresh) column_.values.push_back(word);
      if (column_.values.size() > slices_max) {
        return Error{ErrorCode::invalid,
                     "column \"" + column_.name + "\" has more than " + std::to_string(slices_max) +
                         " values: too many for slices; cut numbers with the parameter \"buckets\""};
      }
      column_.of_row.push_back(entry->second);
    }
    return {};
  }

  SliceColumn take() {
    if (buckets_) return cut(column_.name, numbers_, *buckets_);
    sort_values(column_);
    return std::move(column_);
  }

 private:
  Result<void> add_numbers(const arrow::Array& values, const std::vector<bool>& kept) {
    std::vector<float> narrow(static_cast<std::size_t>(values.length()));
    TRY_VOID(write_numbers(column_.name, values, {narrow.data(), 1}));
    for (std::int64_t row = 0; row < values.length(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      if (!kept[at]) continue;
      auto number = static_cast<double>(narrow[at]);
      // 32 bits are not what the person who chose the edges looks at.
      if (values.type_id() == arrow::Type::DOUBLE && !values.IsNull(row)) {
        number = static_cast<const arrow::DoubleArray&>(values).Value(row);
      } else if (values.type_id() == arrow::Type::INT64 && !values.IsNull(row)) {
        number = static_cast<double>(static_cast<const arrow::Int64Array&>(values).Value(row));
      }
      numbers_.push_back(number);
    }
    return {};
  }

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
  const Buckets* buckets_;
  std::vector<double> numbers_;
  std::unordered_map<std::string, std::uint32_t> positions_;
};

bool any_nan(std::span<const float> scores) {
  for (const float score : scores) {
    if (std::isnan(score)) return true;
  }
  return false;
}

}  // namespace

struct RowCollector::State {
  State(const model::Model& used, const model::Model* other, WantedColumns columns)
      : model(used),
        wanted(std::move(columns)),
        scorer(used),
        labels_of(used.signature()),
        width(used.signature().score_count()) {
    if (other) baseline.emplace(*other);
    rows.dataset.name = "dataset";
    for (const std::string& name : wanted.slices) {
      const auto found = wanted.buckets.find(name);
      slicers.emplace_back(name, found == wanted.buckets.end() ? nullptr : &found->second);
    }
    for (const std::string& name : wanted.predicates) {
      predicates.push_back({name, {"false", "true"}, {}});
    }
  }

  /// One batch; `offset`: how many rows of its data set came before.
  Result<void> add(const arrow::RecordBatch& batch, const PredicateMasks& masks,
                   std::size_t offset, const BatchVisitor& visitor) {
    TRY(scores, scorer.score(batch));
    TRY_VOID(labels_of.read(batch, labels));
    std::span<const float> others;
    if (baseline) {
      auto scored = baseline->score(batch);
      if (!scored) return scored.error().within("the baseline");
      others = *scored;
    }
    decide(batch, scores, others);
    for (Slicer& slicer : slicers) TRY_VOID(slicer.add(batch, kept));
    for (std::size_t row = 0; row < kept.size(); ++row) {
      if (!kept[row]) continue;
      const auto own = scores.subspan(row * width, width);
      rows.scores.insert(rows.scores.end(), own.begin(), own.end());
      if (baseline) {
        const auto other = others.subspan(row * width, width);
        rows.baseline_scores.insert(rows.baseline_scores.end(), other.begin(), other.end());
      }
      rows.labels.push_back(labels[row]);
      rows.dataset.of_row.push_back(static_cast<std::uint32_t>(rows.dataset.values.size() - 1));
      for (SliceColumn& predicate : predicates) {
        predicate.of_row.push_back(masks.at(predicate.name)[offset + row]);
      }
    }
    return visitor(batch, scores);
  }

  /// Which rows count; what is left out is counted by reason.
  void decide(const arrow::RecordBatch& batch, std::span<const float> scores,
              std::span<const float> others) {
    const auto column = batch.GetColumnByName(model.signature().label.name);
    const bool not_a_number = column->type_id() == arrow::Type::DOUBLE;
    kept.assign(labels.size(), false);
    for (std::size_t row = 0; row < labels.size(); ++row) {
      if (std::isnan(labels[row])) {
        const bool null = not_a_number || column->IsNull(static_cast<std::int64_t>(row));
        ++(null ? rows.rows_without_label : rows.rows_of_unknown_class);
      } else if (any_nan(scores.subspan(row * width, width)) ||
                 (baseline && any_nan(others.subspan(row * width, width)))) {
        ++rows.rows_without_score;
      } else {
        kept[row] = true;
      }
    }
  }

  const model::Model& model;
  WantedColumns wanted;
  BatchScorer scorer;
  std::optional<BatchScorer> baseline;
  LabelReader labels_of;
  std::size_t width;
  std::vector<Slicer> slicers;
  std::vector<SliceColumn> predicates;
  std::vector<double> labels;  // of the batch, as is `kept`
  std::vector<bool> kept;
  ScoredRows rows;
};

RowCollector::RowCollector(const model::Model& model, const model::Model* baseline,
                           WantedColumns wanted)
    : state_(std::make_unique<State>(model, baseline, std::move(wanted))) {}
RowCollector::RowCollector(RowCollector&&) noexcept = default;
RowCollector::~RowCollector() = default;

Result<void> RowCollector::read(const std::string& dataset, ExamplesReader& reader,
                                const PredicateMasks& masks, const BatchVisitor& visitor,
                                const StopAsked& stop_asked) {
  state_->rows.dataset.values.push_back(dataset);
  std::size_t offset = 0;
  for (;;) {
    if (stop_asked()) return Error{ErrorCode::cancelled, "stopped while scoring"};
    TRY(batch, reader.next());
    if (!batch) return {};
    TRY_VOID(state_->add(*batch, masks, offset, visitor));
    offset += static_cast<std::size_t>(batch->num_rows());
  }
}

ScoredRows RowCollector::take() {
  for (Slicer& slicer : state_->slicers) state_->rows.slices.push_back(slicer.take());
  for (SliceColumn& predicate : state_->predicates) {
    state_->rows.slices.push_back(std::move(predicate));
  }
  return std::move(state_->rows);
}

}  // namespace pipelined::evaluation
