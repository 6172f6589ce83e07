#include "cli/commands/commands.h"
#include "cli/jobs.h"

namespace pipelined::cli {

int run_scrub(Session& session) { return run_job(session, "/api/v1/store/scrub", {}); }

}  // namespace pipelined::cli
