#include "cli/commands/commands.h"
#include "dag/run_state.h"

namespace pipelined::cli {

int run_runs_diff(Session& session) {
  const std::string first = session.arguments.text("A"), second = session.arguments.text("B");
  const auto diff = session.get<protocol::RunDiff>(
      "/api/v1/runs/" + protocol::percent_encode(first) + "/diff" +
      query_of({{"with", second}, {"all", session.arguments.has("all") ? "true" : ""}}));
  if (!diff) return session.fail(diff.error());
  return session.show([&] {
    Table table = session.table({{"WHAT"}, {"STEP"}, {"NAME"},
                                 {"RUN " + std::to_string(diff->first.number)},
                                 {"RUN " + std::to_string(diff->second.number)}});
    for (const protocol::DiffLine& line : diff->lines) {
      table.add({line.topic, line.step.empty() ? "-" : step_path(line.step, line.element), line.name,
                 line.before.empty() ? "-" : line.before, line.after.empty() ? "-" : line.after});
    }
    if (diff->lines.empty()) session.say("the two runs do not differ");
    session.print(table);
  });
}

}  // namespace pipelined::cli
