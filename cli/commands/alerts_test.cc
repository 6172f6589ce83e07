#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_alerts_test(Session& session) {
  const std::string name = protocol::percent_encode(session.arguments.text("SINK"));
  return tell_done(session, session.ask<protocol::Done>("POST", "/api/v1/sinks/" + name + "/test"));
}

}  // namespace pipelined::cli
