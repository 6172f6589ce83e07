#include <fstream>

#include "cli/commands/commands.h"
#include "cli/jobs.h"

namespace pipelined::cli {

int run_fsck(Session& session) {
  protocol::JobRequest request;
  request.deep = session.arguments.has("deep");
  if (const std::string path = session.arguments.text("secrets"); !path.empty()) {
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) request.secrets.push_back(line);
    if (request.secrets.empty()) {
      return session.fail({ErrorCode::invalid, "cannot read secrets from " + path});
    }
  }
  return run_job(session, "/api/v1/store/fsck", request);
}

}  // namespace pipelined::cli
