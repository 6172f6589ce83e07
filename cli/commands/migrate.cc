#include "cli/commands/commands.h"
#include "cli/decisions.h"
#include "cli/plan_table.h"

namespace pipelined::cli {

int run_migrate(Session& session) {
  if (session.arguments.has("yes")) return decide_run(session, "migrate");
  const auto plan =
      session.ask<protocol::PlanReply>("POST", run_target(session, "/migrate/plan"));
  if (!plan) return session.fail(plan.error());
  return session.show([&] {
    session.say(print_plan(session, *plan) + "; nothing has changed, --yes does it");
  });
}

}  // namespace pipelined::cli
