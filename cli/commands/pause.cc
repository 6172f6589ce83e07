#include <ostream>

#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_pause(Session& session) {
  const std::string pipeline = session.arguments.text("PIPELINE");
  protocol::PauseWish wish;
  wish.hold_steps = session.arguments.has("hold-steps");
  wish.why = session.arguments.text("why");
  return tell_done(session, session.ask<protocol::Done>(
                                "POST", "/api/v1/pipelines/" +
                                            protocol::percent_encode(pipeline) + "/pause",
                                protocol::to_json(wish)));
}

}  // namespace pipelined::cli
