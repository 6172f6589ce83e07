#include <ostream>

#include "cli/commands/commands.h"
#include "cli/completions.h"

namespace pipelined::cli {

int run_completions(Session& session) {
  const std::string shell = session.arguments.text("SHELL");
  const std::string script = completion_script(shell);
  if (script.empty()) {
    return session.fail({ErrorCode::invalid, "there are completions for bash, zsh and fish, not for '" +
                                                 shell + "'"});
  }
  session.terminal.out << script;
  return exit_done;
}

}  // namespace pipelined::cli
