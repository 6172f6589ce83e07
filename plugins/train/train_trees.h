// The operator `train.trees`: gradient-boosted trees from examples.
//
// Reads examples once, trains with XGBoost's histogram method and writes model/1 and the learning
// curve.  The same examples, parameters and seed give the same bytes whatever the number of
// threads.  What it knows of the world is its Context.
#pragma once

#include "operators/sdk.h"

namespace pipelined::train {

/// Reads ports `examples`, `validation` and `remedy`; writes `model` and `log`.
Result<void> train_trees(sdk::Context& context);

}  // namespace pipelined::train
