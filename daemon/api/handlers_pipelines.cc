// Handlers that concern pipelines and spans.
#include <algorithm>

#include "daemon/api/asking.h"
#include "daemon/api/definitions.h"
#include "daemon/api/handlers.h"
#include "daemon/api/translate.h"
#include "dag/bundle.h"

namespace pipelined::api {
namespace {

/// Of an Upload, or of anything else that has the same fields.
template <class Body>
Result<PipelineUpload> upload_of(Body body, const Request& request) {
  PipelineUpload upload;
  upload.folder = body.folder, upload.file = body.file.empty() ? bundle_pipeline_file : body.file;
  upload.who = request.caller.who;
  if (upload.folder.empty() || upload.folder.front() != '/') {
    return Error{ErrorCode::invalid, "the upload's folder '" + upload.folder +
                                         "' is no absolute path; relative source paths start there"};
  }
  for (auto& [name, text] : body.files) upload.files[name] = std::move(text);
  for (const auto& [name, text] : body.binary) {
    const std::optional<std::string> bytes = protocol::base64_decode(text);
    if (!bytes) return Error{ErrorCode::invalid, "the upload's file '" + name + "' is no base64"};
    upload.files[name] = *bytes;
  }
  TRY_VOID(check_bundle(upload.files));
  return upload;
}

Result<PipelineUpload> read_upload(const Request& request) {
  TRY(body, read_body<protocol::Upload>(request));
  return upload_of(std::move(body), request);
}

protocol::TryReply reply_of(const TrialOutcome& outcome, const std::string& step) {
  protocol::TryReply reply;
  for (const Diagnostic& one : outcome.diagnostics) {
    reply.findings.push_back(finding_of(one));
  }
  reply.step = step, reply.element = outcome.element;
  reply.outcome = name_of(outcome.outcome), reply.error = outcome.error;
  reply.from_run = outcome.from_run, reply.took_ms = outcome.took_ms;
  reply.cpu_ms = outcome.cpu_ms, reply.memory_peak_bytes = outcome.memory_peak_bytes;
  for (const Binding& input : outcome.inputs) {
    reply.inputs.push_back({input.port, input.position, input.artifact.digest.hex(),
                            input.artifact.type, input.artifact.size});
  }
  for (const TrialFile& file : outcome.outputs) {
    reply.outputs.push_back({file.port, file.path, file.size, file.text});
  }
  for (const MetricFact& fact : outcome.metrics) {
    reply.metrics.push_back({fact.name, fact.slice, fact.value});
  }
  reply.notes = outcome.notes, reply.log = outcome.log;
  return reply;
}

bool has_error(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) {
    if (!diagnostic.warning) return true;
  }
  return false;
}

RunOptions read_options(const protocol::RunRequest& body) {
  RunOptions options;
  options.params = body.params, options.force = body.force, options.select = body.select;
  options.refresh = body.refresh, options.revalidate = body.revalidate;
  return options;
}

void set_paused(Backend& backend, const Request& request, const Respond& respond, bool paused) {
  const auto pipeline = find_pipeline(backend, request.part("pipeline"));
  if (!pipeline) return refuse(respond, pipeline.error());
  const auto body = read_body<protocol::PauseWish>(request);
  if (!body) return refuse(respond, body.error());
  event::PauseRequested wish;
  wish.pipeline = request.part("pipeline"), wish.who = request.caller.who, wish.paused = paused;
  wish.hold_steps = paused && body->hold_steps, wish.why = body->why;
  submit(backend, std::move(wish), respond);
}

void change_span(Backend& backend, const Request& request, const Respond& respond, bool restore) {
  const auto body = read_body<protocol::Decision>(request);
  if (!body) return refuse(respond, body.error());
  const auto pipeline = find_pipeline(backend, body->pipeline);
  if (!pipeline) return refuse(respond, pipeline.error());
  event::SpanRequested wish;
  wish.pipeline = body->pipeline, wish.source = body->source, wish.span = body->span;
  wish.who = request.caller.who, wish.why = body->why, wish.restore = restore;
  submit(backend, std::move(wish), respond);
}

}  // namespace

void get_pipelines(Backend& backend, const Request&, const Respond& respond) {
  protocol::PipelineList reply;
  for (const PipelineRow& row : list_pipelines(backend.store())) {
    reply.pipelines.push_back(pipeline_of(backend, row));
  }
  answer(respond, reply);
}

void get_pipeline(Backend& backend, const Request& request, const Respond& respond) {
  const auto found = find_pipeline(backend, request.part("pipeline"));
  if (!found) return refuse(respond, found.error());
  for (const PipelineRow& row : list_pipelines(backend.store())) {
    if (row.name == request.part("pipeline")) return answer(respond, pipeline_of(backend, row));
  }
  refuse(respond, {ErrorCode::not_found, "there is no pipeline '" + request.part("pipeline") + "'"});
}

void get_versions(Backend& backend, const Request& request, const Respond& respond) {
  const auto limit = asked_number(request, "limit", 50, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  const std::string& name = request.part("pipeline");
  protocol::PipelineVersionList reply;
  reply.pipeline = name;
  for (const PipelineRow& row :
       list_versions(backend.store(), name, static_cast<int>(*limit))) {
    reply.versions.push_back(version_of(row));
  }
  if (!reply.versions.empty()) return answer(respond, reply);
  const auto found = find_pipeline(backend, name);  // names the nearest
  refuse(respond, found ? Error{ErrorCode::not_found, "pipeline " + name + " has no version"}
                        : found.error());
}

void get_version(Backend& backend, const Request& request, const Respond& respond) {
  const auto row = find_version(backend, request.part("pipeline"), request.part("version"));
  if (!row) return refuse(respond, row.error());
  const auto files = bundle_of(backend, row->version);
  if (!files) return refuse(respond, files.error());
  protocol::PipelineDefinition reply;
  reply.pipeline = row->name, reply.version = version_of(*row);
  for (const auto& [path, content] : *files) {
    reply.files.push_back({path, sha256(content).hex(), static_cast<std::int64_t>(content.size())});
  }
  const std::string file = request.asked("file");
  reply.file = file.empty() ? bundle_pipeline_file : file;
  const auto wanted = files->find(reply.file);
  if (wanted == files->end()) {
    return refuse(respond, {ErrorCode::not_found, "version " + row->version.brief() +
                                                      " has no file '" + reply.file + "'"});
  }
  reply.binary = !protocol::is_utf8(wanted->second);
  if (!reply.binary) reply.text = wanted->second;
  answer(respond, reply);
}

void get_version_diff(Backend& backend, const Request& request, const Respond& respond) {
  const std::string& name = request.part("pipeline");
  const auto first = find_version(backend, name, request.part("version"));
  if (!first) return refuse(respond, first.error());
  const std::string with = request.asked("with");
  const auto second = find_version(backend, name, with.empty() ? "current" : with);
  if (!second) return refuse(respond, second.error());
  const auto diff = compare_versions(backend, *first, *second);
  if (!diff) return refuse(respond, diff.error());
  answer(respond, *diff);
}

void get_freshness(Backend& backend, const Request& request, const Respond& respond) {
  const auto found = find_pipeline(backend, request.part("pipeline"));
  if (!found) return refuse(respond, found.error());
  const auto steps = backend.freshness(request.part("pipeline"));
  if (!steps) return refuse(respond, steps.error());
  protocol::FreshnessReply reply;
  reply.pipeline = request.part("pipeline");
  for (const StepFreshness& one : *steps) {
    reply.steps.push_back({one.step, one.behind, one.first_behind, {one.since}, one.run,
                           {one.made_at}});
  }
  answer(respond, reply);
}

void post_check(Backend& backend, const Request& request, const Respond& respond) {
  const auto upload = read_upload(request);
  if (!upload) return refuse(respond, upload.error());
  const std::vector<Diagnostic> found = backend.check(*upload);
  protocol::CheckReply reply;
  reply.ok = !has_error(found);
  for (const Diagnostic& diagnostic : found) reply.findings.push_back(finding_of(diagnostic));
  answer(respond, reply);
}

void post_apply(Backend& backend, const Request& request, const Respond& respond) {
  auto upload = read_upload(request);
  if (!upload) return refuse(respond, upload.error());
  backend.apply_pipeline(*std::move(upload), [respond](Result<ApplyOutcome> outcome) {
    if (!outcome) return refuse(respond, outcome.error());
    protocol::ApplyReply reply;
    reply.ok = !has_error(outcome->diagnostics), reply.changed = outcome->changed;
    reply.pipeline = outcome->pipeline;
    if (outcome->version) reply.version = outcome->version.hex();
    for (const Diagnostic& diagnostic : outcome->diagnostics) {
      reply.findings.push_back(finding_of(diagnostic));
    }
    if (reply.ok) {
      reply.sentence = "pipeline " + reply.pipeline + " version " + outcome->version.brief() +
                       (reply.changed ? " is in force" : " was in force already");
    }
    answer(respond, reply);
  });
}

void post_try(Backend& backend, const Request& request, const Respond& respond) {
  auto body = read_body<protocol::TryRequest>(request);
  if (!body) return refuse(respond, body.error());
  if (body->sample < 0 || body->sample > 1) {
    return refuse(respond, {ErrorCode::invalid, "'sample' must be a share from 0 to 1"});
  }
  auto upload = upload_of(*body, request);
  if (!upload) return refuse(respond, upload.error());
  Trial trial{*std::move(upload), body->step, body->element, body->sample, body->params};
  backend.try_step(std::move(trial), [respond, step = body->step](Result<TrialOutcome> outcome) {
    if (!outcome) return refuse(respond, outcome.error());
    protocol::TryReply reply = reply_of(*outcome, step);
    reply.ok = !has_error(outcome->diagnostics);
    answer(respond, reply);
  });
}

void post_plan(Backend& backend, const Request& request, const Respond& respond) {
  const std::string& name = request.part("pipeline");
  const auto body = read_body<protocol::RunRequest>(request);
  if (!body) return refuse(respond, body.error());
  const auto pipeline = find_pipeline(backend, name);
  if (!pipeline) return refuse(respond, pipeline.error());
  const RunOptions options = read_options(*body);
  const auto plan = backend.plan(name, options);
  if (!plan) return refuse(respond, plan.error());
  protocol::PlanReply reply;
  reply.pipeline = name;
  for (const PlannedStep& step : *plan) reply.steps.push_back(planned_of(step));
  answer(respond, reply);
}

void get_use(Backend& backend, const Request& request, const Respond& respond) {
  static constexpr int runs_looked_at = 50;
  const std::string& name = request.part("pipeline");
  const auto pipeline = find_pipeline(backend, name);
  if (!pipeline) return refuse(respond, pipeline.error());
  const std::vector<PipelineStep>& steps = (*pipeline)->steps;
  protocol::UseList reply;
  reply.pipeline = name;
  for (const StepUse& use : list_uses(backend.store(), name, runs_looked_at)) {
    const auto step = std::find_if(steps.begin(), steps.end(), [&use](const PipelineStep& known) {
      return known.spec.name == use.step;
    });
    if (step == steps.end()) continue;  // of an older version
    reply.steps.push_back({use.step, use.attempts, use.memory_peak_bytes, use.scratch_peak_bytes,
                           use.out_of_memory, use.out_of_scratch, use.cpus_most,
                           suggest_resources(use, step->spec.resources)});
  }
  answer(respond, reply);
}

void post_run(Backend& backend, const Request& request, const Respond& respond) {
  const auto body = read_body<protocol::RunRequest>(request);
  if (!body) return refuse(respond, body.error());
  const auto pipeline = find_pipeline(backend, request.part("pipeline"));
  if (!pipeline) return refuse(respond, pipeline.error());
  const RunOptions options = read_options(*body);
  event::RunRequested wish;
  wish.pipeline = request.part("pipeline"), wish.options = options;
  wish.who = request.caller.who;
  submit(backend, std::move(wish), respond);
}

void post_pause(Backend& backend, const Request& request, const Respond& respond) {
  set_paused(backend, request, respond, true);
}
void post_unpause(Backend& backend, const Request& request, const Respond& respond) {
  set_paused(backend, request, respond, false);
}

void get_spans(Backend& backend, const Request& request, const Respond& respond) {
  const auto versions = asked_flag(request, "versions");
  if (!versions) return refuse(respond, versions.error());
  const auto limit = asked_number(request, "limit", view_limit_max, 1, view_limit_max);
  if (!limit) return refuse(respond, limit.error());
  const auto offset = asked_number(request, "offset", 0, 0, 1'000'000'000);
  if (!offset) return refuse(respond, offset.error());
  SpanFilter filter;
  filter.pipeline = request.asked("pipeline"), filter.source = request.asked("source");
  filter.span = request.asked("span"), filter.newest_only = !*versions;
  filter.limit = static_cast<int>(*limit), filter.offset = static_cast<int>(*offset);
  protocol::SpanList reply;
  for (const SpanRow& row : list_spans(backend.store(), filter)) {
    reply.spans.push_back(span_of(row));
  }
  answer(respond, reply);
}

void post_span_drop(Backend& backend, const Request& request, const Respond& respond) {
  change_span(backend, request, respond, false);
}
void post_span_restore(Backend& backend, const Request& request, const Respond& respond) {
  change_span(backend, request, respond, true);
}

}  // namespace pipelined::api
