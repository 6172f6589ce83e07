#include <ostream>

#include "cli/commands/commands.h"
#include "cli/decisions.h"
#include "daemon/api/protocol_redo.h"
#include "dag/digest.h"
#include "dag/explain.h"
#include "dag/run_state.h"

namespace pipelined::cli {
namespace {

int tell_dependents(Session& session, const protocol::InvalidateRequest& request) {
  const auto list = session.ask<protocol::DependentList>("POST", "/api/v1/invalidations/plan",
                                                         protocol::to_json(request));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"RESULT", false, true}, {"HANGS ON"}, {"STEP"}, {"RUN", false, true},
                                 {"TYPE"}, {"ARTIFACT"}, {"PIPELINE", true}});
    for (const protocol::Dependent& one : list->results) {
      table.add({std::to_string(one.result), one.cause == 0 ? "-" : std::to_string(one.cause),
                 step_path(one.step, one.element), std::to_string(one.run), one.type,
                 one.artifact.substr(0, 12), one.pipeline});
    }
    session.print(table);
  });
}

}  // namespace

int run_invalidate(Session& session) {
  const std::string what = session.arguments.text("WHAT");
  protocol::InvalidateRequest request;
  request.pipeline = session.arguments.text("pipeline");
  if (parse_digest(what)) {
    request.key = what;
  } else {
    const StepName name = parse_step_name(what);
    request.step = name.step, request.element = name.element;
    if (request.pipeline.empty()) {
      return session.fail({ErrorCode::invalid, "step " + what + " needs --pipeline NAME; a key is 64 "
                                               "hexadecimal digits, as `show -o json` has them"});
    }
  }
  request.below = session.arguments.has("below");
  request.why = session.arguments.text("why");
  if (session.arguments.has("dry-run")) return tell_dependents(session, request);
  if (request.why.empty()) {
    return session.fail({ErrorCode::invalid, "invalidate needs a reason, which is recorded beside "
                                             "your name: --why \"…\""});
  }
  return tell_done(session, session.ask<protocol::Done>("POST", "/api/v1/invalidations",
                                                        protocol::to_json(request)));
}

}  // namespace pipelined::cli
