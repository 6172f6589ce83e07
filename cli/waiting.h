// `--wait`: stays with a run until it has ended or needs a person.
//
// Asks the daemon to answer when the run has come to rest; nothing is polled in between.  A halt (3)
// or review (4) ends the wait at once unless it waits for the final state.  One thread.
#pragma once

#include "cli/session.h"

namespace pipelined::cli {

/// What follows an action that made or touched a run: with --wait the wait and the code of the run's
/// state, else 0.
int finish_with_run(Session& session, std::int64_t run);

/// Waits as --wait and --timeout say; the run's state as an exit code, 124 when the time was over.
int wait_for_run(Session& session, const std::string& run);

}  // namespace pipelined::cli
