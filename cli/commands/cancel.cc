#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_cancel(Session& session) { return decide_run(session, "cancel"); }

}  // namespace pipelined::cli
