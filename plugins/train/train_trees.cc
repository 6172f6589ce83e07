#include "plugins/train/train_trees.h"

#include <fstream>
#include <iterator>
#include <map>
#include <nlohmann/json.hpp>

#include "model/model.h"
#include "plugins/common/examples.h"
#include "plugins/common/library_versions.h"
#include "plugins/train/booster.h"
#include "plugins/train/example_ports.h"
#include "plugins/train/growing.h"
#include "plugins/train/learning_curve.h"
#include "plugins/train/remedy_weights.h"
#include "plugins/train/settings.h"
#include "plugins/train/train_paged.h"
#include "plugins/train/training_table.h"
#include "plugins/train/undersampling.h"

namespace pipelined::train {
namespace {

using nlohmann::json;

// Trees that come before those grown here.
struct Base {
  std::string trees;
  std::int64_t rounds = 0;
};

// What the model remembers of its making.  Nothing in it depends on time, place or threads.
std::string training_record(const Settings& settings, const Learned& learned, const Base& base,
                            const Grown& grown, std::int64_t rows,
                            std::int64_t validation_rows) {
  json parameters = json::object();
  for (const auto& [name, value] : booster_parameters(settings, learned.signature)) {
    parameters[name] = value;
  }
  json record{{"operator", "train.trees"},
              {"parameters", parameters},
              {"rounds", grown.rounds},
              {"rows", rows},
              {"rows_without_label", learned.table.rows_without_label},
              {"rows_of_validation", validation_rows},
              {"libraries", {{"arrow", arrow_version()}, {"xgboost", xgboost_version()}}}};
  if (settings.pages) record["method"] = "pages";
  if (settings.balanced) record["class_weights"] = "balanced";
  if (settings.undersample) record["sampling"] = "undersample";
  if (settings.early_stopping > 0) record["stopped_early"] = grown.stopped_early;
  if (base.rounds > 0) record["base_rounds"] = base.rounds;
  return record.dump();
}

void report(const sdk::Context& context, const TrainingTable& table, std::int64_t rows,
            const LearningCurve& curve) {
  context.metric("rows", static_cast<double>(rows));
  for (const Curve& one : curve.curves) {
    if (!one.losses.empty()) context.metric(curve.loss, one.losses.back(), one.name);
  }
  if (table.rows_without_label > 0) {
    context.log(sdk::Level::warning,
                std::to_string(table.rows_without_label) + " rows have no label and are left out");
  }
}

// The matrix of the validation port, if there is one.
Result<std::optional<Matrix>> validation_matrix(const sdk::Context& context,
                                                const Settings& settings, const Learned& learned,
                                                std::size_t& rows) {
  if (context.input_count("validation") == 0) {
    if (settings.early_stopping == 0) return std::optional<Matrix>();
    return no_validation_rows();
  }
  TRY(reader, open_examples(context, "validation"));
  TRY(table, read_coded(std::move(reader), learned.signature, learned.transform.get(), context));
  rows = table.row_count();
  if (rows == 0) return Error{ErrorCode::invalid, "no row at input \"validation\" has a label"};
  TRY(matrix, Matrix::make(table.matrix, table.labels, learned.signature.features,
                           settings.threads));
  return std::optional<Matrix>(std::move(matrix));
}

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  if (stream) return bytes;
  return Error{ErrorCode::io, "cannot read " + path.filename().string() + " of the base model"};
}

Error unfit_base(const std::string& what) {
  return {ErrorCode::invalid, "cannot go on from the base model: " + what};
}

// The trees of the base model, and rows coded as it codes them.
Result<Learned> read_behind(const sdk::Context& context, const Settings& settings, Base& base) {
  const auto folder = context.input_path("base");
  if (!settings.features.empty() || !settings.exclude.empty() ||
      context.input_count("transform") > 0) {
    return unfit_base("its features stand; leave out \"features\", \"exclude\" and the transform");
  }
  TRY(text, read_file(folder / "model.json"));
  TRY(file, model::parse_model_json(text));
  if (file.trees_file.empty()) return unfit_base("it has no trees");
  const model::Label& label = file.signature.label;
  const bool other = settings.objective && *settings.objective != file.signature.objective;
  if (label.name != settings.label || other) {
    return unfit_base("it predicts \"" + label.name + "\" by " +
                      model::name_of(file.signature.objective));
  }
  TRY(model, model::Model::load(folder));
  TRY(trees, read_file(folder / file.trees_file));
  base.trees = std::move(trees);
  base.rounds = static_cast<std::int64_t>(model.forest().tree_count() /
                                          model.forest().group_count());
  Learned learned;
  learned.signature = std::move(file.signature);
  if (file.transform) {
    TRY(transform, model::Transform::load(folder));
    learned.transform = std::make_shared<const model::Transform>(std::move(transform));
  }
  TRY(reader, open_examples(context, "examples"));
  SeenDomains seen(inputs_of(learned.signature, learned.transform.get()),
                   learned.transform != nullptr, file.domains);
  TRY(table, read_coded(std::move(reader), learned.signature, learned.transform.get(), context,
                        &seen));
  TRY(domains, seen.take(context));
  learned.domains = std::move(domains);
  if (table.row_count() == 0) return unfit_base("no row has a label that it knows");
  learned.table = std::move(table);
  return learned;
}

Result<Learned> read_rows(const sdk::Context& context, const Settings& settings, Base& base) {
  if (context.input_count("base") > 0) return read_behind(context, settings, base);
  TRY(transform, given_transform(context, settings.label, settings.chose_columns()));
  TRY(reader, open_examples(context, "examples"));
  return read_training(std::move(reader), settings, std::move(transform), context);
}

// Whether rows are left out: as the step says, or because the remedy proposes nothing else.
Result<bool> keeps_shares(const sdk::Context& context, const Settings& settings,
                          const Learned& learned) {
  if (settings.undersample || context.input_count("remedy") == 0) return settings.undersample;
  TRY(weights, remedy_weights(context.input_path("remedy"), learned.signature,
                              learned.table.labels));
  return weights.empty() && !settings.balanced;
}

// Leaves out the rows that the remedy's shares do not keep.
Result<void> follow_shares(const sdk::Context& context, const Settings& settings,
                           Learned& learned) {
  if (context.input_count("remedy") == 0) {
    return Error{ErrorCode::invalid, "sampling = \"undersample\" needs input \"remedy\""};
  }
  TrainingTable& table = learned.table;
  TRY(shares, remedy_shares(context.input_path("remedy"), learned.signature, table.labels));
  if (shares.empty()) return {};
  undersample(table, learned.signature.features.size(), shares, settings.seed);
  if (table.row_count() > 0) return {};
  return Error{ErrorCode::invalid, "the remedy's shares leave no row to learn from"};
}

Result<std::vector<float>> row_weights(const sdk::Context& context, const Settings& settings,
                                       const Learned& learned) {
  const std::vector<float>& labels = learned.table.labels;
  if (!settings.balanced) {
    if (context.input_count("remedy") == 0 || settings.undersample) return std::vector<float>();
    return remedy_weights(context.input_path("remedy"), learned.signature, labels);
  }
  if (learned.signature.objective == model::Objective::squared_error) {
    return Error{ErrorCode::invalid, "class_weights = \"balanced\" needs a label with classes"};
  }
  if (context.input_count("remedy") > 0 && !settings.undersample) {
    return Error{ErrorCode::invalid, "class_weights = \"balanced\" and a remedy exclude each other"};
  }
  std::map<float, double> counts;
  for (const float label : labels) ++counts[label];
  const double fair = static_cast<double>(labels.size()) / static_cast<double>(counts.size());
  std::vector<float> weights;
  for (const float label : labels) weights.push_back(static_cast<float>(fair / counts[label]));
  return weights;
}

Result<void> write_model(const sdk::Context& context, const Learned& learned,
                         const std::string& trees, const std::string& record) {
  model::ModelFile file{learned.signature, "trees.ubj", "", learned.transform != nullptr, {}};
  if (learned.transform) file.inputs = learned.transform->inputs();
  file.domains = learned.domains;
  TRY(text, model::model_json(file, record));
  const auto folder = context.output_path("model");
  TRY_VOID(write_file(folder / "model.json", text));
  TRY_VOID(write_file(folder / "trees.ubj", trees));
  if (learned.transform) return learned.transform->save(folder);
  return {};
}

// The model, its curve and its figures.
Result<void> deliver(const sdk::Context& context, const Settings& settings, const Learned& learned,
                     const Base& base, const Grown& grown, std::int64_t rows,
                     std::int64_t validation_rows) {
  TRY_VOID(write_model(context, learned, grown.trees,
                       training_record(settings, learned, base, grown, rows, validation_rows)));
  if (context.wants_output("log")) {
    TRY_VOID(write_learning_curve(grown.curve, "Training on " + learned.signature.label.name,
                                  context.output_path("log")));
  }
  report(context, learned.table, rows, grown.curve);
  context.metric("rounds", static_cast<double>(grown.rounds));
  return {};
}

Result<void> train_from_pages(const sdk::Context& context, const Settings& settings) {
  TRY(transform, given_transform(context, settings.label, settings.chose_columns()));
  TRY(training, train_paged(context, settings, std::move(transform)));
  return deliver(context, settings, training.learned, {}, training.grown, training.rows,
                 training.validation_rows);
}

}  // namespace

Result<void> train_trees(sdk::Context& context) {
  TRY(settings, read_settings(context));
  if (settings.pages) return train_from_pages(context, settings);
  Base base;
  TRY(learned, read_rows(context, settings, base));
  TRY_VOID(check_monotone(settings, learned.signature));
  TRY(leaves_out, keeps_shares(context, settings, learned));
  if (leaves_out) TRY_VOID(follow_shares(context, settings, learned));
  TRY(weights, row_weights(context, settings, learned));
  TRY(training, Matrix::make(learned.table.matrix, learned.table.labels,
                             learned.signature.features, settings.threads));
  std::vector<float>().swap(learned.table.matrix);
  if (!weights.empty()) TRY_VOID(training.set_weights(weights));
  std::size_t validation_rows = 0;
  TRY(validation, validation_matrix(context, settings, learned, validation_rows));
  TRY(grown, grow(context, settings, learned.signature, training,
                  validation ? &*validation : nullptr, base.trees, base.rounds));
  return deliver(context, settings, learned, base, grown,
                 static_cast<std::int64_t>(learned.table.row_count()),
                 static_cast<std::int64_t>(validation_rows));
}

}  // namespace pipelined::train
