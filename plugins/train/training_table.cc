#include "plugins/train/training_table.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "plugins/common/feature_columns.h"
#include "plugins/common/row_cells.h"
#include "plugins/train/dictionary.h"
#include "plugins/train/label.h"

namespace pipelined::train {
namespace {

using model::Feature;
using model::FeatureType;
using model::Label;
using model::Objective;

bool contains(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

Result<std::vector<Feature>> choose_features(const arrow::Schema& schema,
                                             const Settings& settings) {
  for (const std::string& name : settings.exclude) {
    if (!schema.GetFieldByName(name)) return no_column("exclude", name);
  }
  std::vector<std::string> names = settings.features;
  if (names.empty()) {
    for (const auto& field : schema.fields()) {
      if (field->name() != settings.label) names.push_back(field->name());
    }
  }
  std::vector<Feature> features;
  for (const std::string& name : names) {
    const auto field = schema.GetFieldByName(name);
    if (!field) return no_column("features", name);
    if (contains(settings.exclude, name)) continue;
    const auto type = feature_type_of(*field->type());
    if (!type || name == settings.label) {
      return Error{ErrorCode::invalid,
                   "column \"" + name + "\" cannot be a feature: it is " +
                       (type ? "the label" : "of type " + field->type()->ToString()) +
                       "; leave it out with the parameter \"exclude\""};
    }
    features.push_back({name, *type, {}});
  }
  if (features.empty()) {
    return Error{ErrorCode::invalid, "no column is left to be a feature"};
  }
  return features;
}

// Takes the rows without a label out of what was appended from `begin` on, and counts them.
std::int64_t keep_labelled(TrainingTable& table, std::size_t begin, std::size_t width) {
  std::size_t kept = begin;
  for (std::size_t row = begin; row < table.labels.size(); ++row) {
    if (std::isnan(table.labels[row])) continue;
    if (kept != row) {
      table.labels[kept] = table.labels[row];
      std::copy_n(table.matrix.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                  table.matrix.begin() + static_cast<std::ptrdiff_t>(kept * width));
    }
    ++kept;
  }
  const auto left_out = static_cast<std::int64_t>(table.labels.size() - kept);
  table.labels.resize(kept);
  table.matrix.resize(kept * width);
  return left_out;
}

// Writes the numbers of a batch, row after row, to a place of rows times width.
using Fill = std::function<Result<void>(const arrow::RecordBatch& batch, float* target)>;

// The columns of the table as they are; `code_of(feature, text)` gives codes.
template <class CodeOf>
Fill fill_columns(const std::vector<Feature>& features, CodeOf code_of) {
  return [&features, code_of](const arrow::RecordBatch& batch, float* target) -> Result<void> {
    for (std::size_t i = 0; i < features.size(); ++i) {
      const std::string& name = features[i].name;
      const auto column = batch.GetColumnByName(name);
      if (!column) return no_column("features", name);
      const NumberSink sink{target + i, features.size()};
      if (features[i].type == FeatureType::text) {
        TRY_VOID(write_codes(
            name, *column, [&](std::string_view text) { return code_of(i, text); }, sink));
      } else {
        TRY_VOID(write_numbers(name, *column, sink));
        TRY_VOID(refuse_infinite(name, sink, batch.num_rows()));
      }
    }
    return {};
  };
}

// What a transform makes of the columns.
Fill fill_transformed(const model::Transform& transform) {
  return [&transform](const arrow::RecordBatch& batch, float* target) -> Result<void> {
    const std::size_t width = transform.outputs().size();
    TRY(bound, RowCells::bind(batch, transform.inputs()));
    std::vector<model::Cell> cells(transform.inputs().size());
    std::vector<model::Entry> entries;
    for (std::int64_t row = 0; row < batch.num_rows(); ++row, target += width) {
      bound.read(row, cells);
      TRY_VOID(transform.apply_row(cells, entries));
      std::fill_n(target, width, 0.0F);
      for (const model::Entry& entry : entries) {
        target[entry.index] = static_cast<float>(entry.value);
        if (!std::isinf(target[entry.index])) continue;
        return Error{ErrorCode::invalid, "feature \"" + transform.outputs()[entry.index].name +
                                             "\" has a number that is too large for 32 bits"};
      }
    }
    return {};
  };
}

// The same, with somebody who sees each batch.
Fill watched(Fill fill, SeenDomains* seen) {
  if (seen == nullptr) return fill;
  return [fill = std::move(fill), seen](const arrow::RecordBatch& batch,
                                        float* target) -> Result<void> {
    seen->add(batch);
    return fill(batch, target);
  };
}

// Appends all rows of a reader.  `class_of(text)` gives codes of classes.
template <class ClassOf>
Result<void> append_rows(ExamplesReader& reader, std::size_t width, const Fill& fill,
                         const Label& label, bool classes, ClassOf class_of,
                         const sdk::Context& context, const RowSink& sink, TrainingTable& table) {
  for (;;) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "stopped while reading examples"};
    TRY(batch, reader.next());
    if (!batch) return {};
    const std::size_t begin = table.labels.size();
    const auto rows = static_cast<std::size_t>(batch->num_rows());
    table.labels.resize(begin + rows);
    table.matrix.resize((begin + rows) * width);
    TRY_VOID(fill(*batch, table.matrix.data() + begin * width));
    const auto labels = batch->GetColumnByName(label.name);
    if (!labels) return no_column("label", label.name);
    TRY_VOID(write_labels(label, classes, *labels, class_of, {table.labels.data() + begin, 1}));
    std::int64_t nulls = labels->null_count();
    if (labels->type_id() == arrow::Type::DOUBLE) {
      nulls = std::count_if(table.labels.begin() + static_cast<std::ptrdiff_t>(begin),
                            table.labels.end(), [](float value) { return std::isnan(value); });
    }
    const std::int64_t left_out = keep_labelled(table, begin, width);
    table.rows_without_label += nulls;
    table.rows_of_unknown_class += left_out - nulls;
    TRY_VOID(sink(table));
  }
}

// Codes that were handed out while reading become positions in the sorted dictionary.
void replace_codes(TrainingTable& table, std::size_t width, std::size_t feature,
                   const std::vector<float>& ranks) {
  for (std::size_t at = feature; at < table.matrix.size(); at += width) {
    float& code = table.matrix[at];
    code = CodeRanks::of(ranks, code);
  }
}

// What has to be known of all labels.
struct LabelFacts {
  std::int64_t rows = 0;
  bool binary = true;  // 0 and 1 only
  bool zero = false, one = false;

  void add(std::span<const float> labels) {
    zero = zero || std::find(labels.begin(), labels.end(), 0.0F) != labels.end();
    one = one || std::find(labels.begin(), labels.end(), 1.0F) != labels.end();
    rows += static_cast<std::int64_t>(labels.size());
    binary = binary && std::all_of(labels.begin(), labels.end(),
                                   [](float value) { return value == 0 || value == 1; });
  }
};

// `from_base`: an earlier model is gone on from, whose rows had other labels.
Result<void> check_labels(const model::Signature& signature, const LabelFacts& facts,
                          bool from_base) {
  const std::string& name = signature.label.name;
  if (facts.rows == 0) {
    return Error{ErrorCode::invalid, "no row has a label in column \"" + name + "\""};
  }
  if (signature.objective == Objective::multi_softprob && signature.label.classes.size() < 2) {
    return Error{ErrorCode::invalid, "label \"" + name + "\" has only one class, \"" +
                                         signature.label.classes.front() + "\""};
  }
  if (signature.objective == Objective::binary_logistic && !facts.binary) {
    return Error{ErrorCode::invalid, "label \"" + name +
                                         "\" has other numbers than 0 and 1 and cannot be learned "
                                         "as binary:logistic"};
  }
  if (signature.objective == Objective::binary_logistic && facts.zero != facts.one && !from_base) {
    return Error{ErrorCode::invalid, "all rows have the same label in column \"" + name +
                                         "\": there is nothing to tell apart"};
  }
  return {};
}

// Leaves rows where they are, in a table that has room for all.
RowSink keep_rows(std::int64_t rows, std::size_t width) {
  return [rows = static_cast<std::size_t>(rows), width](TrainingTable& table) -> Result<void> {
    table.matrix.reserve(rows * width);
    table.labels.reserve(rows);
    return {};
  };
}

// Label, objective and features, without categories and classes.
Result<model::Signature> plan_signature(const arrow::Schema& schema, const Settings& settings,
                                        const model::Transform* transform) {
  model::Signature signature;
  TRY(label, choose_label(schema, settings.label));
  signature.label = std::move(label);
  TRY(objective, choose_objective(signature.label, settings.objective));
  signature.objective = objective;
  if (!transform) {
    TRY(features, choose_features(schema, settings));
    signature.features = std::move(features);
    return signature;
  }
  for (const model::Output& output : transform->outputs()) {
    signature.features.push_back({output.name, FeatureType::real, {}});
  }
  return signature;
}

// The numbers here, their copy inside XGBoost and its bins, refused before memory runs out.
Result<void> check_memory(const sdk::Context& context, std::int64_t rows, std::size_t features) {
  const std::int64_t limit = context.memory_bytes();
  const std::int64_t cells = rows * static_cast<std::int64_t>(features);
  const std::int64_t need = cells * 14;
  if (limit == 0 || need <= limit) return {};
  constexpr std::int64_t mebibyte = 1 << 20;
  return Error{ErrorCode::exhausted,
               "training on " + std::to_string(rows) + " rows of " + std::to_string(features) +
                   " columns takes about " + std::to_string(need / mebibyte) +
                   " MiB and the step may use " + std::to_string(limit / mebibyte) +
                   "; give it more with resources.memory, train on fewer columns, or set "
                   "params.method = \"pages\""};
}

}  // namespace

std::vector<model::ColumnInput> inputs_of(const model::Signature& signature,
                                          const model::Transform* transform) {
  if (transform != nullptr) return transform->inputs();
  std::vector<model::ColumnInput> inputs;
  for (const Feature& feature : signature.features) {
    inputs.push_back({feature.name, *model::column_kind(model::name_of(feature.type))});
  }
  return inputs;
}

float CodeRanks::of(const std::vector<float>& ranks, float code) {
  return ranks.empty() || std::isnan(code) ? code : ranks[static_cast<std::size_t>(code)];
}

Result<Learned> stream_training(ExamplesReader reader, const Settings& settings,
                                std::shared_ptr<const model::Transform> transform,
                                const sdk::Context& context, const RowSink& sink,
                                CodeRanks& ranks) {
  TRY(planned, plan_signature(*reader.schema(), settings, transform.get()));
  Learned learned;
  learned.signature = std::move(planned);
  model::Signature& signature = learned.signature;
  const bool classes = signature.objective == Objective::multi_softprob;
  const std::size_t width = signature.features.size();
  std::vector<Dictionary> dictionaries(width);
  Dictionary label_words;
  const auto code_of = [&](std::size_t feature, std::string_view text) {
    return dictionaries[feature].code(text);
  };
  LabelFacts facts;
  std::size_t kept = 0;  // rows that the sink left in the table
  const RowSink counted = [&](TrainingTable& table) -> Result<void> {
    facts.add(std::span(table.labels).subspan(kept));
    TRY_VOID(sink(table));
    kept = table.labels.size();
    return {};
  };
  SeenDomains seen(inputs_of(signature, transform.get()), transform != nullptr);
  TRY_VOID(append_rows(
      reader, width,
      watched(transform ? fill_transformed(*transform) : fill_columns(signature.features, code_of),
              &seen),
      signature.label, classes, [&](std::string_view text) { return label_words.code(text); },
      context, counted, learned.table));
  ranks.features.resize(width);
  for (std::size_t i = 0; i < width; ++i) {
    if (signature.features[i].type != FeatureType::text) continue;
    signature.features[i].categories = dictionaries[i].sort(ranks.features[i]);
  }
  if (classes) {
    const bool numbers = signature.label.type == FeatureType::integer;
    signature.label.classes = numbers ? label_words.sort(ranks.classes, by_number)
                                      : label_words.sort(ranks.classes);
  }
  TRY_VOID(check_labels(signature, facts, context.input_count("base") > 0));
  TRY(domains, seen.take(context));
  learned.domains = std::move(domains);
  learned.transform = std::move(transform);
  return learned;
}

Result<Learned> read_training(ExamplesReader reader, const Settings& settings,
                              std::shared_ptr<const model::Transform> transform,
                              const sdk::Context& context) {
  TRY(planned, plan_signature(*reader.schema(), settings, transform.get()));
  const std::size_t width = planned.features.size();
  const std::int64_t rows = reader.row_count();
  TRY_VOID(check_memory(context, rows, width));
  CodeRanks ranks;
  TRY(learned, stream_training(std::move(reader), settings, std::move(transform), context,
                               keep_rows(rows, width), ranks));
  TrainingTable& table = learned.table;
  for (std::size_t i = 0; i < width; ++i) {
    if (!ranks.features[i].empty()) replace_codes(table, width, i, ranks.features[i]);
  }
  for (float& label : table.labels) label = CodeRanks::of(ranks.classes, label);
  return learned;
}

Result<TrainingTable> read_coded(ExamplesReader reader, const model::Signature& signature,
                                 const model::Transform* transform, const sdk::Context& context,
                                 SeenDomains* seen) {
  const std::int64_t rows = reader.row_count();
  const std::size_t width = signature.features.size();
  TRY_VOID(check_memory(context, rows, width));
  return stream_coded(std::move(reader), signature, transform, context, keep_rows(rows, width),
                      seen);
}

Result<TrainingTable> stream_coded(ExamplesReader reader, const model::Signature& signature,
                                   const model::Transform* transform, const sdk::Context& context,
                                   const RowSink& sink, SeenDomains* seen) {
  const model::Encoder encoder(signature);
  const model::CategoryCodes class_codes(signature.label.classes);
  const auto code_of = [&](std::size_t feature, std::string_view text) {
    return encoder.codes(feature).code(text);
  };
  TrainingTable table;
  TRY_VOID(append_rows(
      reader, signature.features.size(),
      watched(transform ? fill_transformed(*transform) : fill_columns(signature.features, code_of),
              seen),
      signature.label, signature.objective == Objective::multi_softprob,
      [&](std::string_view text) { return class_codes.code(text); }, context, sink, table));
  return table;
}

}  // namespace pipelined::train
