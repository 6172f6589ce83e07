#include "cli/run_request.h"

namespace pipelined::cli {

Result<ValueTable> params_of(const Session& session) {
  ValueTable params;
  for (const std::string& pair : session.arguments.list("param")) {
    const std::size_t equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error{ErrorCode::invalid, "--param takes NAME=VALUE, not '" + pair + "'"};
    }
    params[pair.substr(0, equals)] = parse_scalar(pair.substr(equals + 1));
  }
  return params;
}

Result<protocol::RunRequest> run_request_of(const Session& session) {
  protocol::RunRequest request;
  request.pipeline = session.arguments.text("PIPELINE");
  TRY(params, params_of(session));
  request.params = std::move(params);
  request.force = session.arguments.list("force");
  request.select = session.arguments.text("select");
  request.refresh = session.arguments.has("refresh");
  request.revalidate = session.arguments.has("revalidate");
  return request;
}

}  // namespace pipelined::cli
