// tune.search as a function.
//
// Called round by round: reads what came of the elements so far, names the next ones, and at the end
// writes what came of it all.  Remembers nothing between calls.  One thread.
#pragma once

#include "operators/sdk.h"

namespace pipelined::tune {

/// Names elements, or writes outputs "tuning" and "report".
Result<void> tune_search(sdk::Context& context);

}  // namespace pipelined::tune
