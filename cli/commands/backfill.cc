#include <algorithm>
#include <charconv>
#include <ostream>

#include "cli/commands/commands.h"
#include "cli/decisions.h"
#include "cli/run_request.h"
#include "daemon/api/protocol_redo.h"

namespace pipelined::cli {
namespace {

Result<std::int64_t> number_of(const Session& session, const char* flag) {
  const std::string text = session.arguments.text(flag, "1");
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc{} && read.ptr == text.data() + text.size() && number > 0) return number;
  return Error{ErrorCode::invalid, std::string("--") + flag + " takes a number from 1 on, not '" +
                                       text + "'"};
}

Result<protocol::BackfillRequest> backfill_request_of(const Session& session) {
  const Arguments& given = session.arguments;
  protocol::BackfillRequest request;
  request.pipeline = given.text("PIPELINE"), request.spans = given.text("spans");
  if (request.pipeline.empty() || request.spans.empty()) {
    return Error{ErrorCode::invalid, "backfill needs a pipeline and spans: pipectl backfill "
                                     "PIPELINE --spans 2013-01..2013-06"};
  }
  request.source = given.text("source"), request.reprocess = given.text("reprocess", "none");
  request.order = given.text("order", "oldest");
  TRY(chunk, number_of(session, "chunk"));
  TRY(max_active, number_of(session, "max-active"));
  request.chunk = chunk, request.max_active = max_active;
  TRY(params, params_of(session));
  request.params = std::move(params), request.force = given.list("force");
  request.select = given.text("select"), request.why = given.text("why");
  return request;
}

int tell_plan(Session& session, const protocol::BackfillRequest& request) {
  const auto plan = session.ask<protocol::BackfillPlan>("POST", "/api/v1/backfills/plan",
                                                        protocol::to_json(request));
  if (!plan) return session.fail(plan.error());
  return session.show([&] {
    Table table = session.table({{"SPAN"}, {"STATE"}, {"PLAN"}, {"STEPS", false, true},
                                 {"REUSED", false, true}, {"WHY"}});
    for (const protocol::PlannedSpan& span : plan->spans) {
      const bool counted = span.steps_to_run + span.steps_to_reuse > 0;
      table.add({span.span, span.state, span.runs ? "run" : "leave",
                 counted ? std::to_string(span.steps_to_run) : "-",
                 counted ? std::to_string(span.steps_to_reuse) : "-", span.why});
    }
    session.print(table);
    const auto runs = std::count_if(plan->spans.begin(), plan->spans.end(),
                                    [](const protocol::PlannedSpan& s) { return s.runs; });
    session.say(std::to_string(runs) + " of " + std::to_string(plan->spans.size()) +
                " spans would run; nothing was started");
  });
}

}  // namespace

int run_backfill(Session& session) {
  const auto request = backfill_request_of(session);
  if (!request) return session.fail(request.error());
  if (session.arguments.has("dry-run")) return tell_plan(session, *request);
  return tell_done(session, session.ask<protocol::Done>("POST", "/api/v1/backfills",
                                                        protocol::to_json(*request)));
}

int run_backfill_list(Session& session) {
  const auto list = session.get<protocol::BackfillList>(
      "/api/v1/backfills" + query_of({{"pipeline", session.arguments.text("pipeline")},
                                      {"limit", session.arguments.text("limit")}}));
  if (!list) return session.fail(list.error());
  return session.show([&] {
    Table table = session.table({{"ID", false, true}, {"PIPELINE"}, {"SPANS"}, {"STATE"},
                                 {"BEGUN", false, true}, {"REPROCESS", true}, {"ORDER", true},
                                 {"WHO", true}, {"CREATED"}, {"WHY"}});
    for (const protocol::Backfill& one : list->backfills) {
      table.add({std::to_string(one.id), one.pipeline, one.source + "/" + one.asked, one.state,
                 std::to_string(one.begun) + "/" + std::to_string(one.spans), one.reprocess,
                 one.order, one.who, short_time(one.created_at), one.why});
    }
    session.print(table);
  });
}

int run_backfill_cancel(Session& session) {
  protocol::Decision decision;
  decision.why = session.arguments.text("why");
  const std::string target = "/api/v1/backfills/" +
                             protocol::percent_encode(session.arguments.text("ID")) + "/cancel";
  return tell_done(session,
                   session.ask<protocol::Done>("POST", target, protocol::to_json(decision)));
}

}  // namespace pipelined::cli
