// Handlers that concern the store's upkeep: long work told by job, and pins.
#include "daemon/api/asking.h"
#include "daemon/api/handlers.h"

namespace pipelined::api {
namespace {

protocol::JobInfo info_of(const Job& job) {
  protocol::JobInfo info;
  info.job = job.number, info.kind = job.kind, info.state = name_of(job.state);
  info.error = job.error, info.progress = job.progress;
  info.started_at = {job.started_at}, info.ended_at = {job.ended_at};
  info.ok = job.done() && !has_violation(job.report);
  for (const ReportRow& row : job.report) {
    info.rows.push_back({row.name, row.about, name_of(row.verdict), row.sentence, row.checked,
                         row.found, row.bytes, row.findings, {row.runs.begin(), row.runs.end()}});
  }
  return info;
}

void answer_with_job(Backend& backend, std::int64_t number, const Respond& respond) {
  const std::optional<Job> job = backend.keeping().find_job(number);
  if (!job) {
    return refuse(respond, {ErrorCode::not_found, "there is no job " + std::to_string(number) +
                                                      " since the daemon started"});
  }
  answer(respond, info_of(*job));
}

/// Starts a job and answers with it as it stands.
void start_job(Backend& backend, const Request& request, const Respond& respond,
               const char* kind) {
  auto asked = read_body<protocol::JobRequest>(request);
  if (!asked) return refuse(respond, asked.error());
  JobOrder order;
  order.kind = kind, order.who = request.caller.who;
  order.deep = asked->deep, order.dry_run = asked->dry_run;
  order.folder = std::move(asked->folder), order.secrets = std::move(asked->secrets);
  const auto started = backend.keeping().start(std::move(order));
  if (!started) return refuse(respond, started.error());
  answer_with_job(backend, *started, respond);
}

/// The number in the path; 0: none.
std::int64_t job_number(const Request& request) {
  const std::string& text = request.part("job");
  const bool digits = !text.empty() && text.size() < 18 &&
                      text.find_first_not_of("0123456789") == std::string::npos;
  return digits ? std::stoll(text) : 0;
}

/// The pin that a request means; an artifact's digest may be shortened.
Result<Pin> asked_pin(Backend& backend, const Request& request) {
  TRY(asked, read_body<protocol::PinRequest>(request));
  Pin pin{asked.kind, asked.subject, request.caller.who, asked.why, 0};
  if (pin.kind != "artifact") return pin;
  TRY(digest, find_digest(backend, asked.subject));
  pin.subject = digest.hex();
  return pin;
}

}  // namespace

void post_fsck(Backend& backend, const Request& request, const Respond& respond) {
  start_job(backend, request, respond, "fsck");
}

void post_backup(Backend& backend, const Request& request, const Respond& respond) {
  start_job(backend, request, respond, "backup");
}

void post_gc(Backend& backend, const Request& request, const Respond& respond) {
  start_job(backend, request, respond, "gc");
}

void post_scrub(Backend& backend, const Request& request, const Respond& respond) {
  start_job(backend, request, respond, "scrub");
}

void get_job(Backend& backend, const Request& request, const Respond& respond) {
  answer_with_job(backend, job_number(request), respond);
}

void get_job_wait(Backend& backend, const Request& request, const Respond& respond) {
  const auto timeout_ms = asked_number(request, "timeout_ms", 30'000, 0, 60'000);
  if (!timeout_ms) return refuse(respond, timeout_ms.error());
  const std::int64_t number = job_number(request);
  const std::optional<Job> job = backend.keeping().find_job(number);
  if (!job || job->ended() || *timeout_ms == 0) return answer_with_job(backend, number, respond);
  auto waits = std::make_shared<bool>(true);
  const auto finish = [&backend, number, respond, waits] {
    if (std::exchange(*waits, false)) answer_with_job(backend, number, respond);
  };
  backend.keeping().when_ended(number, finish);
  request.later(*timeout_ms, finish);
}

void get_pins(Backend& backend, const Request&, const Respond& respond) {
  protocol::PinList reply;
  for (const Pin& pin : backend.keeping().pins()) {
    reply.pins.push_back({pin.kind, pin.subject, pin.who, pin.why, {pin.at}});
  }
  answer(respond, reply);
}

void post_pin(Backend& backend, const Request& request, const Respond& respond) {
  const auto pin = asked_pin(backend, request);
  if (!pin) return refuse(respond, pin.error());
  if (auto kept = backend.keeping().pin(*pin); !kept) return refuse(respond, kept.error());
  answer(respond, protocol::Done{0, pin->kind + " " + pin->subject + " is kept"});
}

void post_unpin(Backend& backend, const Request& request, const Respond& respond) {
  const auto pin = asked_pin(backend, request);
  if (!pin) return refuse(respond, pin.error());
  const auto ended = backend.keeping().unpin(pin->kind, pin->subject);
  if (!ended) return refuse(respond, ended.error());
  answer(respond, protocol::Done{0, pin->kind + " " + pin->subject + " is kept no longer"});
}

}  // namespace pipelined::api
