#include <map>

#include "cli/commands/commands.h"
#include "cli/decisions.h"
#include "dag/explain.h"
#include "dag/run_state.h"

namespace pipelined::cli {

int run_migrate(Session& session) {
  if (session.arguments.has("yes")) return decide_run(session, "migrate");
  const auto plan =
      session.ask<protocol::PlanReply>("POST", run_target(session, "/migrate/plan"));
  if (!plan) return session.fail(plan.error());
  return session.show([&] {
    Table table = session.table({{"STEP"}, {"PLAN"}, {"WHY"}});
    std::map<std::string, int> counts;
    for (const protocol::Planned& step : plan->steps) {
      table.add({step_path(step.step, step.element), step.verdict, step.reason.sentence});
      ++counts[step.verdict];
    }
    session.print(table);
    std::vector<std::string> parts;
    for (const auto& [verdict, count] : counts) parts.push_back(std::to_string(count) + " " + verdict);
    session.say(spoken_list(parts) + "; nothing has changed, --yes does it");
  });
}

}  // namespace pipelined::cli
