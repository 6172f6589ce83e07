#include <ostream>

#include "cli/commands/commands.h"
#include "cli/decisions.h"

namespace pipelined::cli {

int run_unpause(Session& session) {
  const std::string pipeline = session.arguments.text("PIPELINE");
  return tell_done(session, session.ask<protocol::Done>(
                                "POST", "/api/v1/pipelines/" +
                                            protocol::percent_encode(pipeline) + "/unpause"));
}

}  // namespace pipelined::cli
