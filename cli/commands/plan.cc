#include "cli/commands/commands.h"
#include "cli/plan_table.h"
#include "cli/run_request.h"

namespace pipelined::cli {

int run_plan(Session& session) {
  const auto request = run_request_of(session);
  if (!request) return session.fail(request.error());
  const auto plan = session.ask<protocol::PlanReply>(
      "POST", "/api/v1/pipelines/" + protocol::percent_encode(request->pipeline) + "/plan",
      protocol::to_json(*request));
  if (!plan) return session.fail(plan.error());
  return session.show([&] { session.say(print_plan(session, *plan)); });
}

}  // namespace pipelined::cli
