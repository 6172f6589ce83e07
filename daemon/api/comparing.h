// What differs between two runs: definition, parameters, inputs, metrics, durations.
//
// Definitions are compared through their key texts, as the engine compares them; a step that both
// took from the same result does not differ.  Reads through the backend.  Loop thread only.
#pragma once

#include "daemon/api/backend.h"
#include "daemon/api/protocol.h"

namespace pipelined::api {

/// `all`: also what is alike.
protocol::RunDiff compare_runs(Backend& backend, const RunView& first, const RunView& second,
                               bool all);

}  // namespace pipelined::api
