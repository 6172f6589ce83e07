// The curves of an evaluation: what a picture of it needs.
//
// ROC and precision-recall of the whole and of each data set, of each class, and of the baseline;
// calibration; how scores are spread.  Knows nothing of intervals or JSON.
#pragma once

#include <vector>

#include "plugins/model/evaluation.h"

namespace pipelined::evaluation {

/// Appends curves and, of classes, the table of confusions.
void add_curves(const ScoredRows& rows, const model::Signature& signature,
                const std::vector<Slice>& slices, Evaluation& evaluation);

}  // namespace pipelined::evaluation
