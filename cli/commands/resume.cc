#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_resume(Session& session) { return decide_run(session, "resume"); }

}  // namespace pipelined::cli
