// Verbs that start long work on the store and stay with it until it has ended.
//
// The daemon answers when the work is done or a minute has passed; then it is asked anew.  One
// thread.
#pragma once

#include <string>

#include "cli/session.h"

namespace pipelined::cli {

/// Starts the job behind a route and shows its rows when it has ended: 0 when all is well, 1 when
/// the job failed or a row is violated.
int run_job(Session& session, const std::string& route, const protocol::JobRequest& request);

/// Puts an end to a name: "1.5 GiB".
std::string size_text(std::int64_t bytes);

}  // namespace pipelined::cli
