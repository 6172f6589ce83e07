#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_approve(Session& session) { return decide_gate(session, "approve"); }

}  // namespace pipelined::cli
