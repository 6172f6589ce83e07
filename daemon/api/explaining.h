// Why runs and steps are as they are: facts from the records put together for dag/explain.
//
// Looks up what the sentences need (the spans behind a halt's inputs, who waits for it, what a step
// waits for) and says it in the structs of the protocol.  A named step is told with its whole past.
// Changes nothing.  Loop thread only.
#pragma once

#include "daemon/api/backend.h"
#include "daemon/api/protocol.h"
#include "dag/explain.h"

namespace pipelined::api {

/// Why the run is as it is; `name.step` empty: every step that is not simply done.  An unknown step
/// is an error that names the nearest.
Result<protocol::Explanation> explanation_of(Backend& backend, const RunView& run,
                                             const StepName& name);
/// What is known of a halted or reviewed step, for sentences.
HeldStep held_of(Backend& backend, const RunRow& run, const StepView& step);
/// Every state that a recorded step was in, oldest first.
std::vector<protocol::StateTold> history_of(Backend& backend, const RunRow& run,
                                            const StepView& step);

}  // namespace pipelined::api
