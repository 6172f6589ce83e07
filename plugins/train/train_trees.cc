#include "plugins/train/train_trees.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "model/model.h"
#include "plugins/common/examples.h"
#include "plugins/common/library_versions.h"
#include "plugins/train/booster.h"
#include "plugins/train/learning_curve.h"
#include "plugins/train/remedy_weights.h"
#include "plugins/train/settings.h"
#include "plugins/train/training_table.h"

namespace pipelined::train {
namespace {

using nlohmann::json;

Result<ExamplesReader> open_port(const sdk::Context& context, const std::string& port) {
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count(port); ++i) {
    folders.push_back(context.input_path(port, i).string());
  }
  if (folders.empty()) return Error{ErrorCode::invalid, "no examples at input \"" + port + "\""};
  return ExamplesReader::open(folders);
}

Result<void> write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  if (stream.flush()) return {};
  return Error{ErrorCode::io, "cannot write " + path.filename().string()};
}

const char* loss_of(model::Objective objective) {
  switch (objective) {
    case model::Objective::binary_logistic: return "logloss";
    case model::Objective::multi_softprob: return "mlogloss";
    case model::Objective::squared_error: return "rmse";
    case model::Objective::poisson: return "poisson-nloglik";
  }
  return "";
}

struct Grown {
  std::string trees;
  LearningCurve curve;
};

Result<Grown> grow(const sdk::Context& context, const Settings& settings,
                   const model::Signature& signature, const Matrix& training,
                   const Matrix* validation) {
  std::vector<Watched> watched{{"training", &training}};
  if (validation) watched.push_back({"validation", validation});
  const std::size_t classes = signature.label.classes.size();
  TRY(booster, Booster::make(watched, booster_parameters(settings, signature.objective, classes),
                             settings.threads));
  Grown grown;
  grown.curve.loss = loss_of(signature.objective);
  for (const Watched& entry : watched) grown.curve.curves.push_back({entry.name, {}});
  for (std::int64_t round = 0; round < settings.rounds; ++round) {
    if (context.cancelled()) {
      return Error{ErrorCode::cancelled,
                   "stopped after " + std::to_string(round) + " of " +
                       std::to_string(settings.rounds) + " rounds"};
    }
    TRY_VOID(booster.grow(round, training));
    TRY(losses, booster.losses(round, watched));
    for (std::size_t i = 0; i < losses.size(); ++i) {
      grown.curve.curves[i].losses.push_back(losses[i]);
    }
    context.progress(round + 1, settings.rounds);
  }
  TRY(trees, booster.trees_ubj());
  grown.trees = std::move(trees);
  return grown;
}

// What the model remembers of its making.  Nothing in it depends on time, place or threads.
std::string training_record(const Settings& settings, const model::Signature& signature,
                            const TrainingTable& table, std::size_t validation_rows) {
  json parameters = json::object();
  for (const auto& [name, value] :
       booster_parameters(settings, signature.objective, signature.label.classes.size())) {
    parameters[name] = value;
  }
  return json{{"operator", "train.trees"},
              {"parameters", parameters},
              {"rounds", settings.rounds},
              {"rows", table.row_count()},
              {"rows_without_label", table.rows_without_label},
              {"rows_of_validation", validation_rows},
              {"libraries", {{"arrow", arrow_version()}, {"xgboost", xgboost_version()}}}}
      .dump();
}

void report(const sdk::Context& context, const TrainingTable& table, const LearningCurve& curve) {
  context.metric("rows", static_cast<double>(table.row_count()));
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
                                                const Settings& settings,
                                                const model::Signature& signature,
                                                std::size_t& rows) {
  if (context.input_count("validation") == 0) return std::optional<Matrix>();
  TRY(reader, open_port(context, "validation"));
  TRY(table, read_validation(std::move(reader), model::Encoder(signature), context));
  rows = table.row_count();
  if (rows == 0) return Error{ErrorCode::invalid, "no row at input \"validation\" has a label"};
  TRY(matrix, Matrix::make(table.matrix, table.labels, signature.features, settings.threads));
  return std::optional<Matrix>(std::move(matrix));
}

}  // namespace

Result<void> train_trees(sdk::Context& context) {
  TRY(settings, read_settings(context));
  TRY(reader, open_port(context, "examples"));
  TRY(learned, read_training(std::move(reader), settings, context));
  const model::Signature& signature = learned.signature;
  TRY(training, Matrix::make(learned.table.matrix, learned.table.labels, signature.features,
                             settings.threads));
  std::vector<float>().swap(learned.table.matrix);
  if (context.input_count("remedy") > 0) {
    TRY(weights, remedy_weights(context.input_path("remedy"), signature, learned.table.labels));
    if (!weights.empty()) TRY_VOID(training.set_weights(weights));
  }
  std::size_t validation_rows = 0;
  TRY(validation, validation_matrix(context, settings, signature, validation_rows));
  TRY(grown, grow(context, settings, signature, training, validation ? &*validation : nullptr));
  TRY(text, model::model_json(signature, "trees.ubj",
                              training_record(settings, signature, learned.table,
                                              validation_rows)));
  const auto folder = context.output_path("model");
  TRY_VOID(write_file(folder / "model.json", text));
  TRY_VOID(write_file(folder / "trees.ubj", grown.trees));
  if (context.wants_output("log")) {
    TRY_VOID(write_learning_curve(grown.curve, "Training on " + signature.label.name,
                                  context.output_path("log")));
  }
  report(context, learned.table, grown.curve);
  return {};
}

}  // namespace pipelined::train
