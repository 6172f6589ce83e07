#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_accept(Session& session) { return decide_step(session, "accept"); }

}  // namespace pipelined::cli
