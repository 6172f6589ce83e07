// What a step asks of `train.trees`, checked.
//
// Reads the parameters once and gives them the types and limits that training relies on.  It knows
// nothing of tables or of XGBoost's calls.  A plain value.
#pragma once

#include <cstdint>
#include <map>
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
  std::int64_t early_stopping = 0;               ///< rounds without a better validation; 0: never
  std::map<std::string, std::int64_t> monotone;  ///< feature → 1: rises, -1: falls with it
  bool balanced = false;                         ///< the rows of all classes together count alike
  bool undersample = false;                      ///< keep the share of rows that the remedy names
  std::int64_t seed = 0;
  bool chose_columns() const { return !features.empty() || !exclude.empty(); }
  /// Whether rows or columns are drawn: then a round hangs on more than the trees before it.
  bool samples() const { return subsample < 1 || colsample < 1; }
  bool pages = false;        ///< grow from pages in a file instead of a matrix in memory
  std::int64_t threads = 1;  ///< decides how long it takes, never a byte of the model
};

/// Reads and checks them; an error names the parameter.
Result<Settings> read_settings(const sdk::Context& context);

/// Name and value of each setting that decides the trees, in XGBoost's words and sorted: what goes
/// to the library and into the model's training record.
std::vector<std::pair<std::string, std::string>> booster_parameters(
    const Settings& settings, const model::Signature& signature);

/// An error if a monotone constraint names no feature, or one that has no order.
Result<void> check_monotone(const Settings& settings, const model::Signature& signature);

}  // namespace pipelined::train
