#include "plugins/train/linear_rows.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>

#include "plugins/common/row_cells.h"
#include "plugins/common/seen_domains.h"
#include "plugins/train/dictionary.h"
#include "plugins/train/label.h"

namespace pipelined::train {
namespace {

using model::ColumnKind;
using model::FeatureSpec;
using model::Method;
using model::Objective;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

FeatureSpec usual_feature(const model::ColumnInput& column) {
  FeatureSpec spec;
  spec.name = column.name;
  spec.from = {column.name};
  constexpr std::int64_t words_max = 1000;
  switch (column.kind) {
    case ColumnKind::text:
      spec.method = Method::one_hot;
      spec.top_k = words_max;
      return spec;
    case ColumnKind::date:
      spec.method = Method::date_parts;
      spec.parts = {"month", "weekday"};
      spec.cycle = true;
      return spec;
    case ColumnKind::time:
      spec.method = Method::date_parts;
      spec.parts = {"month", "weekday", "hour"};
      spec.cycle = true;
      return spec;
    default: break;
  }
  spec.method = Method::number;
  spec.impute = model::Impute::mean;
  spec.scale = model::Scale::z_score;
  return spec;
}

Result<void> judge_label(const model::Label& label, Objective objective, float value) {
  const bool binary = objective == Objective::binary_logistic && value != 0 && value != 1;
  const bool count = objective == Objective::poisson && value < 0;
  if (!binary && !count) return {};
  return Error{ErrorCode::invalid, "label \"" + label.name + "\" has " +
                                       (binary ? "other numbers than 0 and 1" : "numbers below 0") +
                                       " and cannot be learned as " + name_of(objective)};
}

// How large the numbers of features are.
class Squares {
 public:
  explicit Squares(std::size_t features) : squares_(features), counts_(features) {}

  void add(std::span<const model::Entry> entries) {
    for (const model::Entry& entry : entries) {
      if (entry.value == 0) continue;
      squares_[entry.index] += entry.value * entry.value;
      ++counts_[entry.index];
    }
  }

  std::vector<double> take() {
    for (std::size_t i = 0; i < squares_.size(); ++i) {
      squares_[i] /= counts_[i];
      if (!std::isnormal(squares_[i])) squares_[i] = 1;
    }
    return std::move(squares_);
  }

 private:
  std::vector<double> squares_, counts_;
};

Error no_number(const model::Transform& transform, std::uint32_t index) {
  return {ErrorCode::invalid,
          "feature \"" + transform.outputs()[index].name +
              "\" has no number in some row, and a weighted sum needs one: let the transform impute "
              "it, or give missing values a column"};
}

}  // namespace

Result<std::vector<FeatureSpec>> usual_features(const arrow::Schema& schema,
                                                const ColumnChoice& choice) {
  for (const std::string& name : choice.exclude) {
    if (!schema.GetFieldByName(name)) return no_column("exclude", name);
  }
  for (const std::string& name : choice.features) {
    if (!schema.GetFieldByName(name)) return no_column("features", name);
  }
  std::vector<FeatureSpec> features;
  for (const model::ColumnInput& column : column_inputs(schema)) {
    if (column.name == choice.label || contains(choice.exclude, column.name)) continue;
    if (!choice.features.empty() && !contains(choice.features, column.name)) continue;
    features.push_back(usual_feature(column));
  }
  if (features.empty()) return Error{ErrorCode::invalid, "no column is left to be a feature"};
  // A transform keeps its features by name: in another order it would not be the one that was saved.
  std::sort(features.begin(), features.end(),
            [](const FeatureSpec& a, const FeatureSpec& b) { return a.name < b.name; });
  return features;
}

Result<LinearRows> read_linear_rows(ExamplesReader& reader, const model::Transform& transform,
                                    model::Label& label, Objective objective, bool learn,
                                    const std::filesystem::path& file,
                                    const sdk::Context& context) {
  TRY(store, RowStore::create(file));
  LinearRows rows{std::move(store), 0, 0, {}};
  const bool classes = objective == Objective::multi_softprob;
  Dictionary words;
  const model::CategoryCodes known(label.classes);
  const auto class_of = [&](std::string_view word) {
    return learn ? words.code(word) : known.code(word);
  };
  std::vector<float> labels;
  std::vector<model::Cell> cells(transform.inputs().size());
  std::vector<model::Entry> entries;
  SeenDomains seen(transform.inputs(), true);
  Squares squares(transform.outputs().size());
  for (;;) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "stopped while reading examples"};
    TRY(batch, reader.next());
    if (!batch) break;
    const auto column = batch->GetColumnByName(label.name);
    if (!column) return no_column("label", label.name);
    labels.resize(static_cast<std::size_t>(batch->num_rows()));
    TRY_VOID(write_labels(label, classes, *column, class_of, {labels.data(), 1}));
    if (learn) seen.add(*batch);
    TRY(bound, RowCells::bind(*batch, transform.inputs()));
    for (std::int64_t row = 0; row < batch->num_rows(); ++row) {
      const float value = labels[static_cast<std::size_t>(row)];
      if (std::isnan(value)) {
        const bool null = column->IsNull(row) || column->type_id() == arrow::Type::DOUBLE;
        ++(null ? rows.rows_without_label : rows.rows_of_unknown_class);
        continue;
      }
      TRY_VOID(judge_label(label, objective, value));
      bound.read(row, cells);
      TRY_VOID(transform.apply_row(cells, entries));
      for (const model::Entry& entry : entries) {
        if (!std::isfinite(static_cast<float>(entry.value))) return no_number(transform, entry.index);
      }
      if (classes || objective == Objective::binary_logistic) ++rows.classes[value];
      squares.add(entries);
      TRY_VOID(rows.store.add(entries, value));
    }
  }
  TRY_VOID(rows.store.close());
  rows.squares = squares.take();
  if (learn) {
    TRY(domains, seen.take(context));
    rows.domains = std::move(domains);
  }
  if (!classes || !learn) return rows;
  std::vector<float> ranks;
  const bool numbers = label.type == model::FeatureType::integer;
  label.classes = numbers ? words.sort(ranks, by_number) : words.sort(ranks);
  std::map<float, std::int64_t> ranked;
  for (const auto& [code, count] : rows.classes) ranked[ranks[static_cast<std::size_t>(code)]] = count;
  rows.classes = std::move(ranked);
  rows.store.map_labels(std::move(ranks));
  return rows;
}

}  // namespace pipelined::train
