#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_reload(Session& session) {
  const auto reply = session.ask<protocol::ReloadReply>("POST", "/api/v1/reload");
  if (!reply) return session.fail(reply.error());
  session.show([&] {
    const auto tell = [&session](const char* what, const std::vector<std::string>& items) {
      for (const std::string& item : items) {
        session.terminal.out << what << session.safe(item) << "\n";
      }
    };
    tell("refused: ", reply->problems);
    tell("changed: ", reply->changed);
    tell("changes at the next start: ", reply->needs_restart);
    tell("plugin: ", reply->plugins);
    const bool nothing = reply->problems.empty() && reply->changed.empty() &&
                         reply->needs_restart.empty() && reply->plugins.empty();
    if (nothing) session.terminal.out << "Nothing has changed.\n";
  });
  return reply->problems.empty() ? exit_done : exit_failed;
}

}  // namespace pipelined::cli
