// The operator `train.linear`: a weighted sum of features for each score.
//
// Features come from a transform: one that is given, or one fitted on the examples for this model.
// Rows are written once to the scratch folder as numbers and passed over from there, so memory does
// not grow with them.  The same examples, parameters and transform give the same bytes for any number
// of threads; a lost attempt's next one goes on after its last step.
#pragma once

#include "operators/sdk.h"

namespace pipelined::train {

/// Reads ports `examples`, `validation`, `transform` and `remedy`; writes `model` and `log`.
Result<void> train_linear(sdk::Context& context);

}  // namespace pipelined::train
