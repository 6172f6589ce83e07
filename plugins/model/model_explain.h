// The operator `model.explain`: what a model's scores hang on.
//
// Reads examples, explains the model on a sample of them and writes explanation/1; where it is wanted,
// the Shapley values of every row too.  What it knows of the world is its Context.
#pragma once

#include "operators/sdk.h"

namespace pipelined::evaluation {

/// Reads ports `model` and `examples`; writes `explanation` and `contributions`.
Result<void> model_explain(sdk::Context& context);

}  // namespace pipelined::evaluation
