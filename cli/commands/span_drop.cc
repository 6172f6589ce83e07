#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_span_drop(Session& session) { return decide_span(session, "drop"); }

}  // namespace pipelined::cli
