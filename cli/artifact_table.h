// A query over an artifact, and its answer as a table.
//
// The rows are read by a worker of the daemon; here they are printed as they come.  One thread.
#pragma once

#include "cli/session.h"

namespace pipelined::cli {

/// Runs a SELECT over the artifact in a worker of the daemon and prints at most so many rows.
int print_query(Session& session, const std::string& digest, const std::string& query,
                std::int64_t rows);

}  // namespace pipelined::cli
