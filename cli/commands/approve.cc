#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_approve(Session& session) { return decide_step(session, "approve"); }

}  // namespace pipelined::cli
