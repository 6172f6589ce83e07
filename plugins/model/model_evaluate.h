// The operator `model.evaluate`: how good a model is on some rows.
//
// Scores examples with a model and writes evaluation/1 and, where it is wanted, predictions/1.
// What it knows of the world is its Context.
#pragma once

#include "operators/sdk.h"

namespace pipelined::evaluation {

/// Reads ports `model` and `examples`; writes `evaluation` and `predictions`.
Result<void> model_evaluate(sdk::Context& context);

}  // namespace pipelined::evaluation
