#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_logs(Session& session) {
  const StepName name = parse_step_name(session.arguments.text("STEP"));
  const std::string target =
      run_target(session, "/log" + query_of({{"step", name.step},
                                             {"element", name.element},
                                             {"attempt", session.arguments.text("attempt")},
                                             {"follow", session.arguments.has("follow") ? "true" : ""}}));
  bool printed = false;
  const auto done = session.client().stream(target, [&](std::string_view piece) {
    printed = printed || !piece.empty();
    session.terminal.out << session.safe(std::string(piece)) << std::flush;
    return static_cast<bool>(session.terminal.out);
  });
  if (!done) return session.fail(done.error());
  if (!printed) session.say("nothing was printed");
  return exit_done;
}

}  // namespace pipelined::cli
