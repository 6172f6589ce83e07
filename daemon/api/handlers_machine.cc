// Handlers that concern the daemon itself: health, figures, operators, sources, alerts, events.
#include <array>

#include "daemon/api/asking.h"
#include "daemon/api/handlers.h"
#include "daemon/api/metrics_text.h"
#include "daemon/api/routes.h"
#include "daemon/api/translate.h"

namespace pipelined::api {

void get_health(Backend&, const Request&, const Respond& respond) {
  Answer answer;
  answer.content_type = "text/plain; charset=utf-8";
  answer.body = std::string("alive\n");
  respond(std::move(answer));
}

void get_ready(Backend& backend, const Request&, const Respond& respond) {
  const DaemonFigures figures = backend.figures();
  Answer answer;
  answer.content_type = "text/plain; charset=utf-8";
  const bool ready = figures.ready && figures.read_only.empty();
  answer.status = ready ? 200 : 503;
  answer.body = ready ? std::string("ready\n")
                      : "not ready: " + (figures.read_only.empty() ? "starting" : figures.read_only) + "\n";
  respond(std::move(answer));
}

void get_metrics(Backend& backend, const Request&, const Respond& respond) {
  Answer answer;
  answer.content_type = "text/plain; version=0.0.4; charset=utf-8";
  answer.body = metrics_text(backend.figures());
  respond(std::move(answer));
}

void get_openapi(Backend&, const Request&, const Respond& respond) {
  respond(json_answer(openapi(make_routes())));
}

void get_status(Backend& backend, const Request&, const Respond& respond) {
  const DaemonFigures figures = backend.figures();
  protocol::Status status;
  status.daemon = figures.version, status.started_at = {figures.started_at};
  status.ready = figures.ready, status.read_only = figures.read_only;
  status.live_attempts = figures.live_attempts, status.outbox_waiting = figures.outbox_waiting;
  for (const auto& [state, count] : figures.open_runs) {
    if (count > 0) status.open_runs[name_of(state)] = count;
  }
  AlertFilter open;
  open.open_only = true, open.limit = view_limit_max;
  status.alerts = static_cast<std::int64_t>(list_alerts(backend.store(), open).size());
  for (const PipelineRow& row : list_pipelines(backend.store())) {
    status.pipelines.push_back(pipeline_of(backend, row));
  }
  answer(respond, status);
}

void get_doctor(Backend& backend, const Request&, const Respond& respond) {
  protocol::DoctorReply reply;
  for (const DoctorLine& line : backend.doctor()) {
    reply.facts.push_back({line.name, line.level, line.value, line.advice});
  }
  answer(respond, reply);
}

void get_operators(Backend& backend, const Request&, const Respond& respond) {
  const OperatorListing listing = backend.operators();
  protocol::OperatorList reply;
  reply.problems = listing.problems;
  if (listing.operators != nullptr) {
    for (const auto& [id, info] : *listing.operators) reply.operators.push_back(operator_of(info));
  }
  answer(respond, reply);
}

void get_sources(Backend& backend, const Request& request, const Respond& respond) {
  const std::string pipeline = request.asked("pipeline");
  protocol::SourceList reply;
  for (const SourceState& state : backend.sources()) {
    if (!pipeline.empty() && state.pipeline != pipeline) continue;
    reply.sources.push_back({state.pipeline, state.source, state.kind, state.folder, state.pattern,
                             state.trouble, state.settling, state.arrivals, state.newest_span,
                             {state.newest_at}});
  }
  answer(respond, reply);
}

void get_alerts(Backend& backend, const Request& request, const Respond& respond) {
  const auto limit = asked_number(request, "limit", 50, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  const auto open = asked_flag(request, "open");
  if (!open) return refuse(respond, open.error());
  AlertFilter filter;
  filter.pipeline = request.asked("pipeline");
  filter.limit = static_cast<int>(*limit), filter.open_only = *open;
  protocol::AlertList reply;
  for (const AlertView& view : list_alerts(backend.store(), filter)) {
    reply.alerts.push_back(alert_of(view));
  }
  answer(respond, reply);
}

void get_events(Backend&, const Request& request, const Respond& respond) {
  Answer answer;
  answer.content_type = "text/event-stream";
  answer.body = EventsBody{request.asked("pipeline")};
  respond(std::move(answer));
}

}  // namespace pipelined::api
