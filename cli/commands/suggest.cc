#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_suggest(Session& session) {
  const auto list = session.get<protocol::UseList>(
      "/api/v1/pipelines/" + protocol::percent_encode(session.arguments.text("PIPELINE")) + "/use");
  if (!list) return session.fail(list.error());
  return session.show([&] {
    if (list->steps.empty()) session.terminal.out << "No attempt of it has ended yet.\n";
    bool said = list->steps.empty();
    for (const protocol::StepUse& step : list->steps) {
      for (const std::string& sentence : step.suggestions) {
        said = true;
        session.terminal.out << session.safe(step.step + ": " + sentence) << "\n";
      }
    }
    if (!said) session.terminal.out << "Nothing: what its steps ask for fits what they used.\n";
  });
}

}  // namespace pipelined::cli
