#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/schema_files.h"

namespace pipelined::cli {

int run_schema_infer(Session& session) {
  auto local = LocalRun::begin(session.environment);
  if (!local) return session.fail(local.error());
  const auto proposal = propose_schema(*local, session.arguments.text("FILE"), "",
                                       session.arguments.text("label"), {});
  if (!proposal) return session.fail(proposal.error());
  if (session.arguments.has("json") || session.format == Format::json) {
    session.terminal.out << nlohmann::json{{"schema", proposal->schema}}.dump() << "\n";
  } else {
    session.terminal.out << session.safe(proposal->schema);
  }
  return exit_done;
}

}  // namespace pipelined::cli
