#include <filesystem>

#include "cli/commands/commands.h"
#include "cli/jobs.h"

namespace pipelined::cli {

int run_backup(Session& session) {
  protocol::JobRequest request;
  std::error_code error;
  request.folder =
      std::filesystem::absolute(session.arguments.text("FOLDER"), error).lexically_normal().string();
  return run_job(session, "/api/v1/store/backup", request);
}

}  // namespace pipelined::cli
