// The request that `plan` and `run` send, read from --param, --force and --refresh.
//
// Shared by both verbs, so that a plan is made of exactly the words that a run takes.
#pragma once

#include "cli/session.h"

namespace pipelined::cli {

/// The values that --param gives; an error for one without `=`.
Result<ValueTable> params_of(const Session& session);
/// All that --select, --param, --force and the other options of `run` and `plan` say.
Result<protocol::RunRequest> run_request_of(const Session& session);

}  // namespace pipelined::cli
