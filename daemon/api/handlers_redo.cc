// Handlers that concern what is done again and what must not be used.
#include <charconv>

#include "daemon/api/asking.h"
#include "daemon/api/handlers.h"
#include "daemon/api/protocol_redo.h"
#include "daemon/api/translate.h"

namespace pipelined::api {
namespace {

Result<BackfillRow> read_backfill(Backend& backend, const Request& request) {
  TRY(body, read_body<protocol::BackfillRequest>(request));
  TRY_VOID(find_pipeline(backend, body.pipeline));
  BackfillRow wish;
  wish.pipeline = body.pipeline, wish.source = body.source, wish.asked = body.spans;
  wish.reprocess = body.reprocess, wish.order = body.order;
  wish.chunk = body.chunk, wish.max_active = body.max_active;
  wish.options.params = body.params, wish.options.force = body.force;
  wish.options.select = body.select;
  wish.who = request.caller.who, wish.why = body.why;
  return wish;
}

Result<event::InvalidateRequested> read_invalidation(Backend& backend, const Request& request) {
  TRY(body, read_body<protocol::InvalidateRequest>(request));
  event::InvalidateRequested wish;
  if (!body.key.empty()) {
    wish.key = parse_digest(body.key);
    if (!wish.key) {
      return Error{ErrorCode::invalid, "'" + body.key + "' is no key: 64 hexadecimal digits"};
    }
  } else {
    TRY_VOID(find_pipeline(backend, body.pipeline));
    if (body.step.empty()) return Error{ErrorCode::invalid, "name a key, or a step of a pipeline"};
  }
  wish.pipeline = body.pipeline, wish.step = body.step, wish.element = body.element;
  wish.below = body.below, wish.who = request.caller.who, wish.why = body.why;
  return wish;
}

}  // namespace

void post_migrate_plan(Backend& backend, const Request& request, const Respond& respond) {
  const auto run = find_run_named(backend, request);
  if (!run) return refuse(respond, run.error());
  const auto plan = backend.plan_migration(run->row.number);
  if (!plan) return refuse(respond, plan.error());
  protocol::PlanReply reply;
  reply.pipeline = run->row.pipeline;
  for (const PlannedStep& step : *plan) reply.steps.push_back(planned_of(step));
  answer(respond, reply);
}

void get_backfills(Backend& backend, const Request& request, const Respond& respond) {
  const auto limit = asked_number(request, "limit", 50, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  protocol::BackfillList reply;
  for (const BackfillRow& row :
       list_backfills(backend.store(), request.asked("pipeline"), static_cast<int>(*limit))) {
    reply.backfills.push_back({row.id, row.pipeline, row.source, row.asked, row.reprocess, row.order,
                               row.state, row.chunk, row.max_active,
                               static_cast<std::int64_t>(row.spans.size()), row.begun, row.who,
                               row.why, {row.created_at}, {row.ended_at}});
  }
  answer(respond, reply);
}

void post_backfill(Backend& backend, const Request& request, const Respond& respond) {
  auto wish = read_backfill(backend, request);
  if (!wish) return refuse(respond, wish.error());
  event::BackfillRequested event;
  event.wish = *std::move(wish);
  submit(backend, std::move(event), respond);
}

void post_backfill_plan(Backend& backend, const Request& request, const Respond& respond) {
  const auto wish = read_backfill(backend, request);
  if (!wish) return refuse(respond, wish.error());
  const auto plan = backend.plan_backfill(*wish);
  if (!plan) return refuse(respond, plan.error());
  protocol::BackfillPlan reply;
  reply.pipeline = wish->pipeline;
  for (const PlannedSpan& span : *plan) {
    reply.spans.push_back({span.span, span.state, span.runs, span.why, span.steps_to_run,
                           span.steps_to_reuse});
  }
  answer(respond, reply);
}

void post_backfill_cancel(Backend& backend, const Request& request, const Respond& respond) {
  const auto body = read_body<protocol::Decision>(request);
  if (!body) return refuse(respond, body.error());
  const std::string& word = request.part("backfill");
  event::BackfillCancelRequested wish;
  const auto read = std::from_chars(word.data(), word.data() + word.size(), wish.backfill);
  if (read.ec != std::errc{} || read.ptr != word.data() + word.size()) {
    return refuse(respond, {ErrorCode::invalid, "'" + word + "' is no number of a backfill"});
  }
  wish.who = request.caller.who, wish.why = body->why;
  submit(backend, std::move(wish), respond);
}

void post_invalidate(Backend& backend, const Request& request, const Respond& respond) {
  auto wish = read_invalidation(backend, request);
  if (!wish) return refuse(respond, wish.error());
  if (wish->why.find_first_not_of(" \t\n") == std::string::npos) {
    return refuse(respond, {ErrorCode::invalid, "to declare results bad needs a reason: it is "
                                                "recorded beside your name"});
  }
  submit(backend, *std::move(wish), respond);
}

void post_invalidate_plan(Backend& backend, const Request& request, const Respond& respond) {
  const auto wish = read_invalidation(backend, request);
  if (!wish) return refuse(respond, wish.error());
  const auto found = backend.dependents(*wish);
  if (!found) return refuse(respond, found.error());
  protocol::DependentList reply;
  for (const Dependent& one : *found) {
    reply.results.push_back({one.result, one.cause, one.pipeline, one.step, one.element, one.run,
                             one.artifact, one.type});
  }
  answer(respond, reply);
}

}  // namespace pipelined::api
