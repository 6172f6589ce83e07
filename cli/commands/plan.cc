#include <map>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/run_request.h"
#include "dag/run_state.h"

namespace pipelined::cli {

int run_plan(Session& session) {
  const auto request = run_request_of(session);
  if (!request) return session.fail(request.error());
  const auto plan = session.ask<protocol::PlanReply>(
      "POST", "/api/v1/pipelines/" + protocol::percent_encode(request->pipeline) + "/plan",
      protocol::to_json(*request));
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
    session.say(spoken_list(parts));
  });
}

}  // namespace pipelined::cli
