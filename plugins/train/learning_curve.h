// How the loss fell, round by round: the evidence that a training leaves.
//
// Writes `learning_curve.json` for programs and `report.html` for people into the folder of the
// `log` output.  It knows nothing of XGBoost.  A plain value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "dag/result.h"
#include "model/signature.h"

namespace pipelined::train {

/// The loss on one set of rows after each round.
struct Curve {
  std::string name;  ///< "training" or "validation"
  std::vector<double> losses;
};

/// All curves of a training.
struct LearningCurve {
  std::string loss;  ///< "logloss", "mlogloss" or "rmse"
  std::vector<Curve> curves;

  /// The round with the least loss of the last curve, counted from 1; the first of several.
  std::int64_t best_round() const;
  /// Whether that round lies so many rounds back; never for 0.
  bool is_enough(std::int64_t patience) const;
};

/// XGBoost's word for the loss of an objective.
const char* loss_of(model::Objective objective);

/// Writes both files.
Result<void> write_learning_curve(const LearningCurve& curve, const std::string& title,
                                  const std::filesystem::path& folder);

}  // namespace pipelined::train
