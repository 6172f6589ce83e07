#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {
namespace {

int tell_verdict(Session& session) {
  const auto verdict = session.get<protocol::AuditVerdict>("/api/v1/audit/check");
  if (!verdict) return session.fail(verdict.error());
  session.show([&] {
    for (const std::string& problem : verdict->problems) {
      session.terminal.out << session.safe(problem) << "\n";
    }
    if (!verdict->whole) return;
    session.terminal.out << "The audit log is whole: " << verdict->lines << " lines";
    if (!verdict->head.empty()) session.terminal.out << ", the last has digest " << verdict->head;
    session.terminal.out << ".\n";
  });
  return verdict->whole ? exit_done : exit_failed;
}

}  // namespace

int run_audit(Session& session) {
  if (session.arguments.has("verify")) return tell_verdict(session);
  const auto log = session.get<protocol::AuditLog>(
      "/api/v1/audit" + query_of({{"who", session.arguments.text("who")},
                                  {"limit", session.arguments.text("limit")}}));
  if (!log) return session.fail(log.error());
  return session.show([&] {
    Table table = session.table({{"NUMBER", false, true}, {"TIME"}, {"WHO"}, {"ROLE"}, {"FROM", true},
                                 {"WHAT"}, {"OUTCOME"}, {"DIGEST", true}});
    for (const protocol::AuditLine& line : log->lines) {
      const std::string method = line.action.substr(0, line.action.find(' '));
      table.add({std::to_string(line.number), short_time(line.at), line.who, line.role, line.from,
                 method + " " + line.subject, line.outcome, line.digest});
    }
    session.print(table);
    if (log->lines.empty()) session.say("The audit log is empty.");
  });
}

}  // namespace pipelined::cli
