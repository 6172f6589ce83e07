#include <filesystem>
#include <fstream>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/schema_files.h"

namespace pipelined::cli {
namespace {

/// Replaces the file in one step, so that a reader sees the old text or the new one.
Result<void> replace_file(const std::string& path, const std::string& text) {
  const std::string beside = path + ".new";
  std::ofstream file(beside, std::ios::binary);
  file << text;
  file.close();
  std::error_code error;
  if (file) std::filesystem::rename(beside, path, error);
  if (!file || error) {
    std::filesystem::remove(beside, error);
    return Error{ErrorCode::io, "write " + path + ": the system refused"};
  }
  return {};
}

}  // namespace

int run_schema_amend(Session& session) {
  const std::string schema = session.arguments.text("schema");
  const auto apply = session.arguments.list("apply");
  if (schema.empty() || apply.empty()) {
    return session.fail({ErrorCode::invalid,
                         "schema amend: --schema names the schema's file, --apply a change that "
                         "`pipectl schema diff` shows, or all"});
  }
  auto local = LocalRun::begin(session.environment);
  if (!local) return session.fail(local.error());
  const auto proposal = propose_schema(*local, session.arguments.text("FILE"), schema,
                                       session.arguments.text("label"), apply);
  if (!proposal) return session.fail(proposal.error());
  const std::string& patch = *proposal->read_changes.as_table()->at("patch").as_text();
  if (!patch.empty()) {
    const auto written = replace_file(schema, proposal->schema);
    if (!written) return session.fail(written.error());
  }
  if (session.arguments.has("json") || session.format == Format::json) {
    session.terminal.out << proposal->changes;
  } else {
    session.terminal.out << session.safe(patch);
  }
  session.say(patch.empty() ? "nothing is to be changed" : schema + " is changed");
  return exit_done;
}

}  // namespace pipelined::cli
