#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_reject(Session& session) { return decide_gate(session, "reject"); }

}  // namespace pipelined::cli
