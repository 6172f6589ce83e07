// Answers a request when a run has come to rest: long polling behind `--wait`.
//
// The run's state is looked at when the request comes and at every change of it; nothing is asked
// again and again.  When the time is over the answer tells the state as it is, and the client asks
// anew.  Loop thread only.
#pragma once

#include "daemon/api/backend.h"
#include "daemon/api/exchange.h"

namespace pipelined::api {

/// What is waited for.
struct RunWait {
  RunNumber run = 0;
  bool until_final = false;        ///< else a halt or a review ends it too
  std::int64_t timeout_ms = 0;
};

/// Answers once, with the run's summary.  REQUIRES: the run exists.
void wait_for_run(Backend& backend, const Request& request, RunWait wait, const Respond& respond);

/// Whether a run in this state has got where the wait wants it.
bool is_over(RunState state, bool until_final);

}  // namespace pipelined::api
