// Handlers of holds, and of reviews of arrivals.
#include "daemon/api/asking.h"
#include "daemon/api/handlers.h"

namespace pipelined::api {
namespace {

void change_hold(Backend& backend, const Request& request, const Respond& respond, bool release) {
  const auto body = read_body<protocol::HoldWish>(request);
  if (!body) return refuse(respond, body.error());
  if (!release && body->why.find_first_not_of(" \t\n") == std::string::npos) {
    return refuse(respond, {ErrorCode::invalid,
                            "to hold needs a reason: it is shown to everybody who waits"});
  }
  event::HoldRequested wish;
  wish.pipeline = body->pipeline, wish.run = body->run;
  wish.step = body->step, wish.element = body->element;
  wish.who = request.caller.who, wish.why = body->why;
  wish.until = body->until.ms, wish.release = release;
  submit(backend, std::move(wish), respond);
}

void answer_arrival(Backend& backend, const Request& request, const Respond& respond,
                    bool approved) {
  const auto body = read_body<protocol::Decision>(request);
  if (!body) return refuse(respond, body.error());
  if (body->why.find_first_not_of(" \t\n") == std::string::npos) {
    return refuse(respond, {ErrorCode::invalid, "an answer to a review needs a reason: it is "
                                                "recorded beside your name"});
  }
  event::SpanReviewed wish;
  wish.pipeline = body->pipeline, wish.source = body->source, wish.span = body->span;
  wish.who = request.caller.who, wish.why = body->why, wish.approved = approved;
  wish.groups = request.caller.groups;
  submit(backend, std::move(wish), respond);
}

}  // namespace

void get_holds(Backend& backend, const Request& request, const Respond& respond) {
  protocol::HoldList reply;
  for (const HoldRow& row : list_holds(backend.store(), request.asked("pipeline"))) {
    reply.holds.push_back({row.kind, row.pipeline, row.run, row.step, row.element, row.who, row.why,
                           {row.at}, {row.until}});
  }
  answer(respond, reply);
}
void post_hold(Backend& backend, const Request& request, const Respond& respond) {
  change_hold(backend, request, respond, false);
}
void post_release(Backend& backend, const Request& request, const Respond& respond) {
  change_hold(backend, request, respond, true);
}
void post_span_approve(Backend& backend, const Request& request, const Respond& respond) {
  answer_arrival(backend, request, respond, true);
}
void post_span_reject(Backend& backend, const Request& request, const Respond& respond) {
  answer_arrival(backend, request, respond, false);
}

}  // namespace pipelined::api
