// The operator `model.register`: asks the daemon to register a model.
//
// Reads the signature from the model and the blessing from the evaluation; the request is all that it
// does, the daemon gives the number.  What it knows of the world is its Context.
#pragma once

#include "operators/sdk.h"

namespace pipelined::evaluation {

/// Reads ports `model` and `evaluation`; asks for `register_model`.
Result<void> model_register(sdk::Context& context);

}  // namespace pipelined::evaluation
