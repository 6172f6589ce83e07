// Trees and losses after some rounds, kept for an attempt that follows a lost one.
//
// One file in the scratch folder that is whole or not there; what cannot be read counts as not there.
// What the bytes of the trees mean is the caller's affair.  One attempt at a time.
#pragma once

#include <filesystem>
#include <string>

#include "dag/result.h"
#include "plugins/train/learning_curve.h"

namespace pipelined::train {

/// The file.
class TreesCheckpoint {
 public:
  explicit TreesCheckpoint(std::filesystem::path path) : path_(std::move(path)) {}

  /// Puts these in the place of what was kept before.
  Result<void> save(const std::string& trees, const LearningCurve& curve) const;
  /// The trees, and their losses into `curve`, whose curves are named already; empty if there is
  /// nothing that can be read.
  std::string load(LearningCurve& curve) const;

 private:
  std::filesystem::path path_;
};

}  // namespace pipelined::train
