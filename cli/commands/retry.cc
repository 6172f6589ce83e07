#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_retry(Session& session) {
  protocol::Decision decision;
  decision.why = session.arguments.text("why");
  decision.steps = session.arguments.list("STEP");
  decision.select = session.arguments.text("select");
  return tell_done(session, session.ask<protocol::Done>("POST", run_target(session, "/retry"),
                                                        protocol::to_json(decision)));
}

}  // namespace pipelined::cli
