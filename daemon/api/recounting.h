// What happened in a run: its history for people, and the facts from which an engine can replay it.
//
// Both are put together from what the records keep anyway: states with their past, attempts, results,
// decisions, arrivals.  Nothing is written for them while a run goes on.  Loop thread only.
#pragma once

#include "daemon/api/backend.h"
#include "daemon/api/protocol.h"
#include "dag/explain.h"

namespace pipelined::api {

/// One page, steps in the order of their names behind `after`; the first page has what happened to
/// the run as a whole.
protocol::RunHistory recount(Backend& backend, const RunView& run, const StepName& after, int limit);

/// Everything that the engine was told.  Error `exhausted`: a run with more steps than
/// `replay_steps_max`; `not_found`: the version of its pipeline is lost.
Result<protocol::RunEvents> replay_of(Backend& backend, const RunView& run);

inline constexpr std::int64_t replay_steps_max = 20'000;

}  // namespace pipelined::api
