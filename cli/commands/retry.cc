#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_retry(Session& session) { return decide_run(session, "retry"); }

}  // namespace pipelined::cli
