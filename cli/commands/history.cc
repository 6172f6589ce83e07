#include <algorithm>
#include <ostream>

#include "cli/commands/commands.h"
#include "dag/run_state.h"

namespace pipelined::cli {
namespace {

/// All pages, sorted by time.
Result<protocol::RunHistory> read_history(Session& session) {
  TRY(history, session.get<protocol::RunHistory>(run_target(session, "/history")));
  const std::string target = "/api/v1/runs/" + std::to_string(history.run.number) + "/history";
  for (std::string next = history.next; !next.empty();) {
    TRY(page, session.get<protocol::RunHistory>(target + query_of({{"after", next}})));
    for (protocol::HistoryLine& line : page.lines) history.lines.push_back(std::move(line));
    next = page.next;
  }
  history.next.clear();
  std::stable_sort(history.lines.begin(), history.lines.end(), [](const auto& a, const auto& b) {
    return a.at.ms != b.at.ms ? a.at.ms < b.at.ms : a.rank < b.rank;
  });
  session.replace_reply(history);
  return history;
}

int print_events(Session& session) {
  const auto events = session.client().ask("GET", run_target(session, "/replay"), "");
  if (!events) return session.fail(events.error());
  session.terminal.out << *events << "\n";
  return exit_done;
}

}  // namespace

int run_history(Session& session) {
  if (session.arguments.has("events")) return print_events(session);
  const auto history = read_history(session);
  if (!history) return session.fail(history.error());
  return session.show([&] {
    Table table = session.table({{"AT"}, {"STEP"}, {"STATE"}, {"CODE", true}, {"WHY"}});
    for (const protocol::HistoryLine& line : history->lines) {
      table.add({exact_time(line.at),
                 line.step.empty() ? "run " + std::to_string(history->run.number)
                                   : step_path(line.step, line.element),
                 line.state, line.code, line.sentence});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
