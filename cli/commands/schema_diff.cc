#include <ostream>

#include "cli/commands/commands.h"
#include "cli/schema_files.h"

namespace pipelined::cli {

int run_schema_diff(Session& session) {
  const std::string schema = session.arguments.text("schema");
  if (schema.empty()) {
    return session.fail({ErrorCode::invalid, "schema diff: --schema names the schema's file"});
  }
  auto local = LocalRun::begin(session.environment);
  if (!local) return session.fail(local.error());
  const auto proposal = propose_schema(*local, session.arguments.text("FILE"), schema,
                                       session.arguments.text("label"), {"all"});
  if (!proposal) return session.fail(proposal.error());
  if (session.arguments.has("json") || session.format == Format::json) {
    session.terminal.out << proposal->changes;
    return exit_done;
  }
  const ValueTable& read = *proposal->read_changes.as_table();
  const ValueList& changes = *read.at("changes").as_list();
  for (const Value& one : changes) {
    const ValueTable& change = *one.as_table();
    session.terminal.out << session.safe("# " + *change.at("id").as_text() + ": " +
                                         *change.at("why").as_text()) << "\n";
  }
  session.terminal.out << session.safe(*read.at("patch").as_text());
  session.say(changes.empty() ? "the data follows the schema"
                              : "take parts with pipectl schema amend --apply NAME");
  return exit_done;
}

}  // namespace pipelined::cli
