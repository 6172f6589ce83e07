// How the loss fell, round by round: the evidence that a training leaves.
//
// Writes `learning_curve.json` for programs and `report.html` for people into the folder of the
// `log` output.  It knows nothing of XGBoost.  A plain value.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "dag/result.h"

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
};

/// Writes both files.
Result<void> write_learning_curve(const LearningCurve& curve, const std::string& title,
                                  const std::filesystem::path& folder);

}  // namespace pipelined::train
