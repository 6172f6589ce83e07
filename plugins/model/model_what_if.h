// The operators `model.whatif` and `model.verify`: a model asked about single rows.
//
// The one asks what becomes of a row if values change, the other whether golden rows score as they
// did.  What they know of the world is their Context.
#pragma once

#include "operators/sdk.h"

namespace pipelined::evaluation {

/// Reads `model` and the row of the parameters, of `examples` or of `golden`; writes `whatif`.
Result<void> model_what_if(sdk::Context& context);

/// Reads `model` and `golden`; writes `verification`, and halts if a row scores otherwise.
Result<void> model_verify(sdk::Context& context);

}  // namespace pipelined::evaluation
