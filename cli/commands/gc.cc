#include "cli/commands/commands.h"
#include "cli/jobs.h"

namespace pipelined::cli {

int run_gc(Session& session) {
  protocol::JobRequest request;
  request.dry_run = session.arguments.has("dry-run");
  return run_job(session, "/api/v1/store/gc", request);
}

}  // namespace pipelined::cli
