#include "cli/plan_table.h"

#include <map>

#include "dag/explain.h"
#include "dag/run_state.h"

namespace pipelined::cli {

std::string print_plan(Session& session, const protocol::PlanReply& plan) {
  Table table = session.table({{"STEP"}, {"PLAN"}, {"WHY"}});
  std::map<std::string, int> counts;
  for (const protocol::Planned& step : plan.steps) {
    table.add({step_path(step.step, step.element), step.verdict, step.reason.sentence});
    ++counts[step.verdict];
  }
  session.print(table);
  std::vector<std::string> parts;
  for (const auto& [verdict, count] : counts) parts.push_back(std::to_string(count) + " " + verdict);
  return spoken_list(parts);
}

}  // namespace pipelined::cli
