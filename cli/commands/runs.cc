#include "cli/commands/commands.h"

namespace pipelined::cli {

int run_runs(Session& session) {
  const auto list = session.get<protocol::RunList>(
      "/api/v1/runs" + query_of({{"pipeline", session.arguments.text("pipeline")},
                                 {"state", session.arguments.text("state")},
                                 {"limit", session.arguments.text("limit")}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"RUN", false, true}, {"PIPELINE"}, {"STATE"}, {"STARTED"},
                                 {"TOOK", false, true}, {"STEPS"}, {"WHO", true}, {"VERSION", true},
                                 {"WHY"}});
    for (const protocol::RunSummary& run : list->runs) {
      std::vector<std::string> parts;
      for (const auto& [state, count] : run.steps) {
        parts.push_back(std::to_string(count) + " " + state);
      }
      const bool ended = run.ended_at.ms != 0 && run.started_at.ms != 0;
      table.add({std::to_string(run.number), run.pipeline, run.state, short_time(run.created_at),
                 ended ? spoken_duration(run.ended_at.ms - run.started_at.ms) : "-",
                 spoken_list(parts), run.who, run.version.substr(0, 12), run.reason.sentence});
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
