// What a step asks of `train.trees`, checked.
//
// Reads the parameters once and gives them the types and limits that training relies on.  It knows
// nothing of tables or of XGBoost's calls.  A plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/signature.h"
#include "operators/sdk.h"

namespace pipelined::train {

/// The parameters of one training.
struct Settings {
  std::string label;
  std::optional<model::Objective> objective;  ///< nothing: by the label's type
  std::vector<std::string> features;          ///< empty: every column that is not excluded
  std::vector<std::string> exclude;
  std::int64_t rounds = 0;
  std::int64_t max_depth = 0;
  std::int64_t max_bin = 0;
  double learning_rate = 0;
  double min_child_weight = 0;
  double min_split_loss = 0;
  double subsample = 0;
  double colsample = 0;
  double lambda = 0;
  double alpha = 0;
  std::int64_t seed = 0;
  std::int64_t threads = 1;  ///< decides how long it takes, never a byte of the model
};

/// Reads and checks them; an error names the parameter.
Result<Settings> read_settings(const sdk::Context& context);

/// Name and value of each setting that decides the trees, in XGBoost's words and sorted: what goes
/// to the library and into the model's training record.
std::vector<std::pair<std::string, std::string>> booster_parameters(const Settings& settings,
                                                                    model::Objective objective,
                                                                    std::size_t classes);

}  // namespace pipelined::train
