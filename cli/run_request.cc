#include "cli/run_request.h"

namespace pipelined::cli {

Result<protocol::RunRequest> run_request_of(const Session& session) {
  protocol::RunRequest request;
  request.pipeline = session.arguments.text("PIPELINE");
  for (const std::string& pair : session.arguments.list("param")) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorCode::invalid, "--param takes NAME=VALUE, not '" + pair + "'"};
    }
    request.params[pair.substr(0, equals)] = parse_scalar(pair.substr(equals + 1));
  }
  request.force = session.arguments.list("force");
  request.refresh = session.arguments.has("refresh");
  return request;
}

}  // namespace pipelined::cli
