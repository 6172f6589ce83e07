#include "plugins/train/settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "plugins/common/chosen_params.h"

namespace pipelined::train {
namespace {

// Shortest decimal that reads back as the same number: what the model records is what was used.
std::string text_of(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  return error == std::errc() ? std::string(buffer.data(), end) : std::string();
}

}  // namespace

Result<Settings> read_settings(const sdk::Context& context) {
  Settings settings;
  settings.label = context.text("label");
  if (settings.label.empty()) {
    return Error{ErrorCode::invalid, "parameter \"label\" is missing: it names the column to learn"};
  }
  if (const std::string word = context.text("objective"); !word.empty() && word != "auto") {
    settings.objective = model::objective_of(word);
    if (!settings.objective) {
      return Error{ErrorCode::invalid, "parameter \"objective\" is \"" + word +
                                           "\"; it may be auto, binary:logistic, multi:softprob "
                                           "or reg:squarederror"};
    }
  }
  TRY(chosen, ChosenParams::read(context, {"rounds", "max_depth", "max_bin", "learning_rate",
                                           "min_child_weight", "min_split_loss", "subsample",
                                           "colsample", "lambda", "alpha", "early_stopping",
                                           "class_weights", "sampling"}));
  settings.features = context.list("features");
  settings.exclude = context.list("exclude");
  settings.rounds = chosen.integer("rounds", 100);
  settings.max_depth = chosen.integer("max_depth", 6);
  settings.max_bin = chosen.integer("max_bin", 256);
  settings.learning_rate = chosen.number("learning_rate", 0.1);
  settings.min_child_weight = chosen.number("min_child_weight", 1);
  settings.min_split_loss = chosen.number("min_split_loss", 0);
  settings.subsample = chosen.number("subsample", 1);
  settings.colsample = chosen.number("colsample", 1);
  settings.lambda = chosen.number("lambda", 1);
  settings.alpha = chosen.number("alpha", 0);
  settings.early_stopping = chosen.integer("early_stopping", 0);
  settings.balanced = chosen.text("class_weights", "none") == "balanced";
  settings.pages = context.text("method", "memory") == "pages";
  settings.undersample = chosen.text("sampling", "none") == "undersample";
  for (const std::string& name : context.keys("monotone")) {
    const std::int64_t way = context.integer("monotone." + name, 0);
    if (way < -1 || way > 1) {
      return Error{ErrorCode::invalid, "parameter \"monotone." + name +
                                           "\" must be 1 (rises), -1 (falls) or 0"};
    }
    settings.monotone[name] = way;
  }
  settings.seed = context.seed();
  const std::int64_t threads = context.integer("threads", 0);
  settings.threads = threads > 0 ? threads : context.threads();
  for (const double share : {settings.subsample, settings.colsample}) {
    if (share > 0 && share <= 1) continue;
    return Error{ErrorCode::invalid,
                 "parameters \"subsample\" and \"colsample\" must be above 0 and at most 1"};
  }
  return settings;
}

std::vector<std::pair<std::string, std::string>> booster_parameters(
    const Settings& settings, const model::Signature& signature) {
  std::vector<std::pair<std::string, std::string>> parameters{
      {"alpha", text_of(settings.alpha)},
      {"base_score", "0.5"},
      {"booster", "gbtree"},
      {"colsample_bytree", text_of(settings.colsample)},
      {"gamma", text_of(settings.min_split_loss)},
      {"lambda", text_of(settings.lambda)},
      {"learning_rate", text_of(settings.learning_rate)},
      {"max_bin", std::to_string(settings.max_bin)},
      {"max_depth", std::to_string(settings.max_depth)},
      {"min_child_weight", text_of(settings.min_child_weight)},
      {"objective", name_of(signature.objective)},
      {"seed", std::to_string(settings.seed)},
      {"subsample", text_of(settings.subsample)},
      {"tree_method", "hist"},
  };
  if (signature.objective == model::Objective::multi_softprob) {
    parameters.emplace_back("num_class", std::to_string(signature.label.classes.size()));
  }
  if (!settings.monotone.empty()) {
    std::string ways;
    for (const model::Feature& feature : signature.features) {
      const auto way = settings.monotone.find(feature.name);
      ways += (ways.empty() ? "(" : ",") +
              std::to_string(way == settings.monotone.end() ? 0 : way->second);
    }
    parameters.emplace_back("monotone_constraints", ways + ")");
  }
  std::sort(parameters.begin(), parameters.end());
  return parameters;
}

Result<void> check_monotone(const Settings& settings, const model::Signature& signature) {
  for (const auto& [name, way] : settings.monotone) {
    const auto named = [&](const model::Feature& feature) { return feature.name == name; };
    const auto feature =
        std::find_if(signature.features.begin(), signature.features.end(), named);
    if (feature == signature.features.end()) {
      return Error{ErrorCode::invalid, "parameter \"monotone\" names \"" + name +
                                           "\", which is no feature of the model"};
    }
    if (feature->type == model::FeatureType::text && way != 0) {
      return Error{ErrorCode::invalid, "parameter \"monotone\" names \"" + name +
                                           "\", whose categories have no order; make it a number "
                                           "first (a transform with \"ordinal\")"};
    }
  }
  return {};
}

}  // namespace pipelined::train
