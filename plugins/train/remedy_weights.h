// What a remedy says about how much the rows of each class count.
//
// Reads `remedy.json` of a remedy/1 artifact and gives each training row its weight.  Knows nothing
// of where the remedy came from.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

#include "dag/result.h"
#include "model/signature.h"

namespace pipelined::train {

/// A weight a row, by the class of its label; empty if the remedy proposes no weights.  A remedy for
/// another label, or one that leaves out a class that occurs, is an error.
Result<std::vector<float>> remedy_weights(const std::filesystem::path& folder,
                                          const model::Signature& signature,
                                          std::span<const float> labels);

/// The share of its class's rows to keep, a number a row; empty if the remedy proposes none.
Result<std::vector<float>> remedy_shares(const std::filesystem::path& folder,
                                         const model::Signature& signature,
                                         std::span<const float> labels);

}  // namespace pipelined::train
