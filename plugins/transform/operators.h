// The operators of the plugin transform: analyse rows, fit a transform, apply it.
//
// Each reads examples batch by batch, so memory does not grow with the rows.  What is done to a row
// is the room model/'s business.  What they know of the world is their Context.
#pragma once

#include "operators/sdk.h"

namespace pipelined::transform {

/// `examples` and the declaration → `analysis`, which can be merged with others.
Result<void> transform_analyse(sdk::Context& context);

/// `examples` or `analyses`, and the declaration → `transform`.
Result<void> transform_fit(sdk::Context& context);

/// `examples` and a `transform` → `examples` of numbers.
Result<void> transform_apply(sdk::Context& context);

}  // namespace pipelined::transform
