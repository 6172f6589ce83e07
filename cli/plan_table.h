// A plan as people read it: every step with its verdict and why, then how many of each.
//
// Says nothing of what follows from it; that is the verb's.
#pragma once

#include <string>

#include "cli/session.h"

namespace pipelined::cli {

/// Prints the steps and returns "3 run, 5 reused".
std::string print_plan(Session& session, const protocol::PlanReply& plan);

}  // namespace pipelined::cli
