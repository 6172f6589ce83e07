#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_token_revoke(Session& session) {
  const std::string name = protocol::percent_encode(session.arguments.text("NAME"));
  return tell_done(session, session.ask<protocol::Done>("POST", "/api/v1/tokens/" + name +
                                                                    "/revoke"));
}

}  // namespace pipelined::cli
