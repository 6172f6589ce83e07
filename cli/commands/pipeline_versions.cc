// pipeline versions, show, diff: the definitions that were in force, and what differs between two.
#include <ostream>

#include "cli/commands/commands.h"
#include "daemon/api/protocol_versions.h"

namespace pipelined::cli {
namespace {

constexpr std::size_t brief_digits = 12;

std::string version_target(const std::string& pipeline, const std::string& version,
                           const std::string& rest) {
  return "/api/v1/pipelines/" + protocol::percent_encode(pipeline) + "/versions/" +
         protocol::percent_encode(version) + rest;
}

std::string brief(const protocol::PipelineVersion& version) {
  return version.version.substr(0, brief_digits);
}

std::string safe_line(const Session& session, const std::string& text) {
  return session.terminal.is_terminal ? escaped(text, true) : text;
}

}  // namespace

int run_pipeline_versions(Session& session) {
  const auto list = session.get<protocol::PipelineVersionList>(
      "/api/v1/pipelines/" + protocol::percent_encode(session.arguments.text("PIPELINE")) +
      "/versions" + query_of({{"limit", session.arguments.text("limit")}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"VERSION"}, {"IN FORCE"}, {"APPLIED"}, {"FOLDER", true}});
    for (const protocol::PipelineVersion& one : list->versions) {
      table.add({brief(one), one.current ? "yes" : "no", short_time(one.applied_at), one.folder});
    }
    session.print(table);
  });
}

int run_pipeline_show(Session& session) {
  const std::string what = session.arguments.text("PIPELINE[@VERSION]");
  const std::size_t at = what.find('@');
  const std::string version = at == std::string::npos ? "current" : what.substr(at + 1);
  const std::string file = session.arguments.text("file");
  const auto shown = session.get<protocol::PipelineDefinition>(
      version_target(what.substr(0, at), version, query_of({{"file", file}})));
  if (!shown) return session.fail(shown.error());
  if (shown->binary) {
    return session.fail({ErrorCode::invalid, "'" + shown->file + "' is no text; `pipectl artifact "
                                             "export " + shown->version.version + " FOLDER` writes it"});
  }
  return session.show([&] {
    std::ostream& out = session.terminal.out;
    if (file.empty()) {
      out << "# " << safe_line(session, shown->pipeline) << " version " << brief(shown->version)
          << (shown->version.current ? ", in force" : "") << ", applied "
          << short_time(shown->version.applied_at) << " UTC\n";
      for (const protocol::FileInfo& one : shown->files) {
        if (one.path != shown->file) out << "# with " << safe_line(session, one.path) << "\n";
      }
    }
    out << session.safe(shown->text);
  });
}

int run_pipeline_diff(Session& session) {
  const auto diff = session.get<protocol::PipelineDiff>(
      version_target(session.arguments.text("PIPELINE"), session.arguments.text("A"),
                     "/diff" + query_of({{"with", session.arguments.text("B")}})));
  if (!diff) return session.fail(diff.error());
  return session.show([&] {
    Table table = session.table({{"WHAT"}, {"STEP"}, {"NAME"}, {brief(diff->first)},
                                 {brief(diff->second)}});
    for (const protocol::DiffLine& line : diff->lines) {
      table.add({line.topic, line.step.empty() ? "-" : line.step, line.name,
                 line.before.empty() ? "-" : line.before, line.after.empty() ? "-" : line.after});
    }
    if (!diff->lines.empty()) session.print(table);
    session.say(diff->note);
    if (diff->files.empty()) session.say("the two versions do not differ");
    for (const protocol::FileDiff& file : diff->files) {
      const std::string name = safe_line(session, file.name);
      session.terminal.out << "--- " << (file.change == "added" ? "/dev/null" : "a/" + name) << "\n+++ "
                           << (file.change == "removed" ? "/dev/null" : "b/" + name) << "\n"
                           << (file.text.empty() ? "differs, and is no text\n"
                                                 : session.safe(file.text));
    }
  });
}

}  // namespace pipelined::cli
