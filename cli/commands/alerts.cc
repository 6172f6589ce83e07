#include <ostream>

#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_alerts(Session& session) {
  const auto list = session.get<protocol::AlertList>(
      "/api/v1/alerts" + query_of({{"pipeline", session.arguments.text("pipeline")},
                                   {"open", session.arguments.has("open") ? "true" : ""},
                                   {"limit", session.arguments.text("limit")}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"TIME"}, {"SEVERITY"}, {"RUN", false, true}, {"SUBJECT"},
                                 {"ID", true}, {"WHAT"}});
    for (const protocol::Alert& alert : list->alerts) {
      table.add({short_time(alert.at), alert.severity,
                 alert.run == 0 ? "-" : std::to_string(alert.run), alert.subject, alert.id,
                 alert.sentence});
    }
    session.print(table);
    if (list->alerts.empty()) session.say("There are no alerts.");
  });
}

}  // namespace pipelined::cli
