// Growing trees round by round: losses, early stopping, checkpoints.
//
// What is kept after some rounds is trees and losses; a later attempt takes them over and goes on as
// if nothing had happened, because a round hangs on the trees before it alone.  Where rows or columns
// are drawn it hangs on more, and nothing is kept.  Knows nothing of tables or columns.
#pragma once

#include <filesystem>
#include <string>

#include "operators/sdk.h"
#include "plugins/train/booster.h"
#include "plugins/train/learning_curve.h"
#include "plugins/train/settings.h"

namespace pipelined::train {

/// What growing ends with.
struct Grown {
  std::string trees;
  LearningCurve curve;
  std::int64_t rounds = 0;       ///< grown here and kept in `trees`
  bool stopped_early = false;
};

/// Grows `settings.rounds` rounds behind the trees of `base` (empty: none).  `validation` may be null.
Result<Grown> grow(const sdk::Context& context, const Settings& settings,
                   const model::Signature& signature, const Matrix& training,
                   const Matrix* validation, const std::string& base, std::int64_t base_rounds);

}  // namespace pipelined::train
