#include "plugins/train/train_linear.h"

#include <arrow/type.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "model/model.h"
#include "plugins/common/chosen_params.h"
#include "plugins/common/library_versions.h"
#include "plugins/common/transform_rows.h"
#include "plugins/train/descent.h"
#include "plugins/train/example_ports.h"
#include "plugins/train/label.h"
#include "plugins/train/learning_curve.h"
#include "plugins/train/linear_loss.h"
#include "plugins/train/linear_rows.h"
#include "plugins/train/remedy_weights.h"

namespace pipelined::train {
namespace {

using model::Objective;
using nlohmann::json;

struct LinearSettings {
  ColumnChoice columns;
  std::optional<Objective> objective;
  DescentSettings descent;
  bool balanced = false;
  int threads = 1;
};

Result<LinearSettings> read_linear_settings(const sdk::Context& context) {
  LinearSettings settings;
  settings.columns.label = context.text("label");
  if (settings.columns.label.empty()) {
    return Error{ErrorCode::invalid, "parameter \"label\" is missing: it names the column to learn"};
  }
  settings.columns.features = context.list("features");
  settings.columns.exclude = context.list("exclude");
  if (const std::string word = context.text("objective", "auto"); word != "auto") {
    settings.objective = model::objective_of(word);
    if (!settings.objective) {
      return Error{ErrorCode::invalid, "parameter \"objective\" is \"" + word +
                                           "\"; it may be auto, binary:logistic, multi:softprob, "
                                           "reg:squarederror or count:poisson"};
    }
  }
  TRY(chosen, ChosenParams::read(context, {"l1", "l2", "steps", "tolerance", "class_weights"}));
  settings.descent.l1 = chosen.number("l1", 0);
  settings.descent.l2 = chosen.number("l2", 1e-4);
  settings.descent.steps_max = chosen.integer("steps", 200);
  settings.descent.tolerance = chosen.number("tolerance", 1e-6);
  settings.balanced = chosen.text("class_weights", "none") == "balanced";
  const std::int64_t threads = context.integer("threads", 0);
  settings.threads = threads > 0 ? static_cast<int>(threads) : context.threads();
  return settings;
}

// The transform that is given, or one for these examples.
Result<std::shared_ptr<const model::Transform>> transform_of(const sdk::Context& context,
                                                             const LinearSettings& settings) {
  using Shared = std::shared_ptr<const model::Transform>;
  if (context.input_count("transform") == 0) {
    TRY(reader, open_examples(context, "examples"));
    TRY(features, usual_features(*reader.schema(), settings.columns));
    TRY(analysis, analyse_rows(reader, std::move(features), context, false));
    TRY(fitted, analysis.fit(nullptr));
    return Shared(std::make_shared<const model::Transform>(std::move(fitted)));
  }
  return given_transform(context, settings.columns.label, settings.columns.chosen());
}

// How much the rows of each class count.
Result<std::vector<double>> weights_of(const sdk::Context& context, const LinearSettings& settings,
                                       const model::Signature& signature, const LinearRows& rows) {
  std::vector<double> weights;
  if (context.input_count("remedy") > 0) {
    if (settings.balanced) {
      return Error{ErrorCode::invalid, "class_weights = \"balanced\" and a remedy exclude each other"};
    }
    std::vector<float> labels;
    for (const auto& [label, count] : rows.classes) labels.push_back(label);
    TRY(given, remedy_weights(context.input_path("remedy"), signature, labels));
    if (given.empty()) {  // a share of the rows counts, on the average, as much as that weight
      TRY(shares, remedy_shares(context.input_path("remedy"), signature, labels));
      given = std::move(shares);
    }
    weights.assign(given.begin(), given.end());
    return weights;
  }
  if (!settings.balanced) return weights;
  if (rows.classes.empty()) {
    return Error{ErrorCode::invalid, "class_weights = \"balanced\" needs a label with classes"};
  }
  const double fair =
      static_cast<double>(rows.store.row_count()) / static_cast<double>(rows.classes.size());
  for (const auto& [label, count] : rows.classes) {
    weights.push_back(fair / static_cast<double>(count));
  }
  return weights;
}

const char* loss_name(Objective objective) {
  switch (objective) {
    case Objective::binary_logistic: return "logloss";
    case Objective::multi_softprob: return "mlogloss";
    case Objective::squared_error: return "rmse";
    case Objective::poisson: return "poisson_loss";
  }
  return "";
}

double shown(Objective objective, double loss) {
  return objective == Objective::squared_error ? std::sqrt(2 * loss) : loss;
}

Result<void> check_memory(const sdk::Context& context, std::size_t parameters, int threads) {
  constexpr std::int64_t mebibyte = 1 << 20;
  constexpr std::int64_t reading = 96 * mebibyte;
  const auto vectors = static_cast<std::int64_t>(33 + 4 * threads);
  const auto need = static_cast<std::int64_t>(parameters * sizeof(double)) * vectors + reading;
  const std::int64_t limit = context.memory_bytes();
  if (limit == 0 || need <= limit) return {};
  return Error{ErrorCode::exhausted,
               "training " + std::to_string(parameters) + " weights takes about " +
                   std::to_string(need / mebibyte) + " MiB and the step may use " +
                   std::to_string(limit / mebibyte) +
                   "; give it more with resources.memory, or fewer features (top_k, hashed)"};
}

// Weights are searched in units in which the loss and its penalty bend alike, be the numbers of a
// feature large or small.  Powers of two: multiplying by one rounds nothing.
std::vector<double> units_of(const LinearRows& rows, std::size_t groups, double l2) {
  std::vector<double> units(groups, 1);
  for (std::size_t group = 0; group < groups; ++group) {
    for (const double square : rows.squares) {
      units.push_back(std::exp2(-std::round(std::log2(square + l2) / 2)));
    }
  }
  return units;
}

// Step by step, from a checkpoint if there is one; the parameters come back themselves, in no units.
Result<DescentState> descend(const sdk::Context& context, const LinearSettings& settings,
                             const LinearRows& rows, const LinearLoss& loss,
                             const LinearLoss* validation) {
  const auto stop = [&] { return context.cancelled(); };
  const Objective objective = loss.objective();
  DescentSettings descent_settings = settings.descent;
  descent_settings.unpenalised = loss.groups();
  descent_settings.units = units_of(rows, loss.groups(), settings.descent.l2);
  const Descent descent(descent_settings,
                        [&](std::span<const double> parameters, std::span<double> gradient) {
                          return loss.measure(parameters, gradient, stop);
                        });
  const auto checkpoint = context.scratch_path() / "descent";
  DescentState state;
  if (state.load(checkpoint, loss.size())) {
    context.metric("steps_found", static_cast<double>(state.steps));
  } else {
    TRY(begun, descent.begin(loss.size()));
    state = std::move(begun);
  }
  while (!state.ended && state.steps < settings.descent.steps_max) {
    TRY_VOID(descent.step(state));
    if (state.ended) break;
    double penalty = 0;
    const std::vector<double> parameters = descent.parameters(state);
    for (std::size_t i = loss.groups(); i < parameters.size(); ++i) {
      const double weight = parameters[i];
      penalty += 0.5 * settings.descent.l2 * weight * weight +
                 settings.descent.l1 * std::abs(weight);
    }
    state.curve.push_back(shown(objective, state.value - penalty));
    if (validation) {
      TRY(value, validation->measure(parameters, {}, stop));
      state.second_curve.push_back(shown(objective, value));
    }
    TRY_VOID(state.save(checkpoint));
    context.progress(state.steps, settings.descent.steps_max);
  }
  state.parameters = descent.parameters(state);
  return state;
}

std::string training_record(const LinearSettings& settings, const DescentState& state,
                            const LinearRows& rows, const LinearRows* validation) {
  return json{{"operator", "train.linear"},
              {"parameters",
               {{"l1", settings.descent.l1},
                {"l2", settings.descent.l2},
                {"steps", settings.descent.steps_max},
                {"tolerance", settings.descent.tolerance},
                {"class_weights", settings.balanced ? "balanced" : "none"}}},
              {"steps", state.steps},
              {"converged", state.ended},
              {"rows", rows.store.row_count()},
              {"rows_without_label", rows.rows_without_label},
              {"rows_of_validation", validation ? validation->store.row_count() : 0},
              {"libraries", {{"arrow", arrow_version()}}}}
      .dump();
}

// What a training ends with.
struct Learned {
  model::Signature signature;
  std::shared_ptr<const model::Transform> transform;
  DescentState state;
};

Result<void> write_model(const sdk::Context& context, const Learned& learned,
                         const LinearRows& rows, const std::string& record) {
  const std::size_t groups = learned.signature.score_count();
  const auto& numbers = learned.state.parameters;
  const auto middle = numbers.begin() + static_cast<std::ptrdiff_t>(groups);
  const model::Linear linear({numbers.begin(), middle}, {middle, numbers.end()});
  const model::ModelFile file{learned.signature, "", "linear.json", true,
                              learned.transform->inputs(), rows.domains};
  TRY(text, model::model_json(file, record));
  const auto folder = context.output_path("model");
  TRY_VOID(write_file(folder / "model.json", text));
  TRY_VOID(write_file(folder / "linear.json", linear.text()));
  return learned.transform->save(folder);
}

Result<void> report(const sdk::Context& context, const Learned& learned, const LinearRows& rows) {
  const Objective objective = learned.signature.objective;
  const DescentState& state = learned.state;
  LearningCurve curve{loss_name(objective), {{"training", state.curve}}};
  if (!state.second_curve.empty()) curve.curves.push_back({"validation", state.second_curve});
  if (context.wants_output("log")) {
    TRY_VOID(write_learning_curve(curve, "Training on " + learned.signature.label.name,
                                  context.output_path("log")));
  }
  context.metric("rows", static_cast<double>(rows.store.row_count()));
  context.metric("features", static_cast<double>(learned.signature.features.size()));
  context.metric("steps", static_cast<double>(state.steps));
  context.metric("converged", state.ended ? 1 : 0);
  for (const Curve& one : curve.curves) {
    if (!one.losses.empty()) context.metric(curve.loss, one.losses.back(), one.name);
  }
  if (rows.rows_without_label > 0) {
    context.log(sdk::Level::warning,
                std::to_string(rows.rows_without_label) + " rows have no label and are left out");
  }
  if (!state.ended) {
    context.log(sdk::Level::warning, "stopped after " + std::to_string(state.steps) +
                                         " steps with more to gain; raise \"steps\", or the penalties");
  }
  return {};
}

Result<void> judge_rows(const LinearRows& rows, const model::Signature& signature) {
  const std::string& name = signature.label.name;
  if (rows.store.row_count() == 0) {
    return Error{ErrorCode::invalid, "no row has a label in column \"" + name + "\""};
  }
  const bool classes = signature.objective == Objective::multi_softprob ||
                       signature.objective == Objective::binary_logistic;
  if (!classes || rows.classes.size() > 1) return {};
  return Error{ErrorCode::invalid, "all rows have the same label in column \"" + name +
                                       "\": there is nothing to tell apart"};
}

}  // namespace

Result<void> train_linear(sdk::Context& context) {
  TRY(settings, read_linear_settings(context));
  TRY(reader, open_examples(context, "examples"));
  Learned learned;
  TRY(label, choose_label(*reader.schema(), settings.columns.label));
  TRY(objective, choose_objective(label, settings.objective));
  TRY(transform, transform_of(context, settings));
  learned.transform = std::move(transform);
  TRY(rows, read_linear_rows(reader, *learned.transform, label, objective, true,
                             context.scratch_path() / "rows", context));
  learned.signature.label = label;
  learned.signature.objective = objective;
  for (const model::Output& output : learned.transform->outputs()) {
    learned.signature.features.push_back({output.name, model::FeatureType::real, {}});
  }
  TRY_VOID(judge_rows(rows, learned.signature));
  TRY(weights, weights_of(context, settings, learned.signature, rows));
  const std::size_t groups = learned.signature.score_count();
  const std::size_t width = learned.signature.features.size();
  TRY_VOID(check_memory(context, groups * (width + 1), settings.threads));
  const LinearLoss loss(rows.store, objective, groups, width, weights, settings.threads);
  std::optional<LinearRows> validation;
  std::optional<LinearLoss> validation_loss;
  if (context.input_count("validation") > 0) {
    TRY(other, open_examples(context, "validation"));
    TRY(read, read_linear_rows(other, *learned.transform, label, objective, false,
                               context.scratch_path() / "validation", context));
    if (read.store.row_count() == 0) {
      return Error{ErrorCode::invalid, "no row at input \"validation\" has a label"};
    }
    validation.emplace(std::move(read));
    validation_loss.emplace(validation->store, objective, groups, width, std::vector<double>(),
                            settings.threads);
  }
  TRY(state,
      descend(context, settings, rows, loss, validation_loss ? &*validation_loss : nullptr));
  learned.state = std::move(state);
  TRY_VOID(write_model(context, learned, rows,
                       training_record(settings, learned.state, rows,
                                       validation ? &*validation : nullptr)));
  return report(context, learned, rows);
}

}  // namespace pipelined::train
