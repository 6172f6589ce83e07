#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_span_restore(Session& session) { return decide_span(session, "restore"); }

}  // namespace pipelined::cli
