#include "plugins/train/settings.h"

#include <algorithm>
#include <array>
#include <charconv>

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
  settings.features = context.list("features");
  settings.exclude = context.list("exclude");
  settings.rounds = context.integer("rounds", 100);
  settings.max_depth = context.integer("max_depth", 6);
  settings.max_bin = context.integer("max_bin", 256);
  settings.learning_rate = context.number("learning_rate", 0.1);
  settings.min_child_weight = context.number("min_child_weight", 1);
  settings.min_split_loss = context.number("min_split_loss", 0);
  settings.subsample = context.number("subsample", 1);
  settings.colsample = context.number("colsample", 1);
  settings.lambda = context.number("lambda", 1);
  settings.alpha = context.number("alpha", 0);
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

std::vector<std::pair<std::string, std::string>> booster_parameters(const Settings& settings,
                                                                    model::Objective objective,
                                                                    std::size_t classes) {
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
      {"objective", name_of(objective)},
      {"seed", std::to_string(settings.seed)},
      {"subsample", text_of(settings.subsample)},
      {"tree_method", "hist"},
  };
  if (objective == model::Objective::multi_softprob) {
    parameters.emplace_back("num_class", std::to_string(classes));
  }
  std::sort(parameters.begin(), parameters.end());
  return parameters;
}

}  // namespace pipelined::train
