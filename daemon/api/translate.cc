#include "daemon/api/translate.h"

#include <algorithm>

#include "daemon/api/explaining.h"
#include "dag/run_layout.h"
#include "dag/run_state.h"
#include "dag/step_ports.h"

namespace pipelined::api {
namespace {

std::string text_of(const Digest& digest) { return digest ? digest.hex() : std::string(); }

std::map<std::string, std::int64_t> counts_of(const StepCounts& counts) {
  const std::pair<StepState, std::int64_t> all[] = {
      {StepState::running, counts.running},     {StepState::succeeded, counts.succeeded},
      {StepState::cached, counts.cached},       {StepState::failed, counts.failed},
      {StepState::halted, counts.halted},       {StepState::in_review, counts.in_review},
      {StepState::rejected, counts.rejected},   {StepState::cancelled, counts.cancelled},
      {StepState::skipped, counts.skipped},     {StepState::blocked, counts.blocked}};
  std::map<std::string, std::int64_t> table;
  for (const auto& [state, count] : all) {
    if (count > 0) table[name_of(state)] = count;
  }
  return table;
}

std::vector<protocol::PortArtifact> ports_of(const std::vector<Binding>& bindings) {
  std::vector<protocol::PortArtifact> ports;
  for (const Binding& binding : bindings) {
    ports.push_back({binding.port, binding.position, text_of(binding.artifact.digest),
                     binding.artifact.type, binding.artifact.size});
  }
  return ports;
}

protocol::Attempt attempt_of(const AttemptRow& row) {
  protocol::Attempt attempt;
  attempt.id = row.id, attempt.number = row.number, attempt.running = row.running;
  if (!row.running) attempt.outcome = name_of(row.outcome);
  attempt.error = row.error, attempt.machine_fault = row.machine_fault;
  attempt.started_at = {row.started_at}, attempt.ended_at = {row.ended_at};
  attempt.cpu_ms = row.cpu_ms, attempt.memory_peak_bytes = row.memory_peak_bytes;
  attempt.scratch_bytes = row.scratch_bytes, attempt.failure_class = row.failure_class;
  return attempt;
}

}  // namespace

protocol::Why why_of(const Reason& reason) {
  return {reason.code, reason.sentence, reason.details};
}

protocol::RunSummary summary_of(const RunView& view) {
  protocol::RunSummary run;
  run.number = view.row.number, run.pipeline = view.row.pipeline;
  run.version = text_of(view.row.version), run.state = name_of(view.row.state);
  run.who = view.row.who, run.reason = why_of(view.row.reason);
  run.end_reason = why_of(view.row.end_reason), run.params = view.row.options.params;
  run.created_at = {view.row.created_at}, run.started_at = {view.row.started_at};
  run.ended_at = {view.row.ended_at}, run.steps = counts_of(view.counts);
  return run;
}

protocol::Step step_of(const StepView& view) {
  protocol::Step step;
  step.step = view.row.step, step.element = view.row.element, step.state = name_of(view.row.state);
  step.reason = why_of(view.row.reason), step.tries = view.row.tries;
  if (view.row.key) step.key = text_of(*view.row.key);
  step.started_at = {view.row.started_at}, step.ended_at = {view.row.ended_at};
  for (const AttemptRow& attempt : view.attempts) step.attempts.push_back(attempt_of(attempt));
  if (!view.result) return step;
  step.from_run = view.result->run;
  step.inputs = ports_of(view.result->inputs), step.outputs = ports_of(view.result->outputs);
  for (const MetricFact& fact : view.result->metrics) {
    step.metrics.push_back({fact.name, fact.slice, fact.value});
  }
  step.notes = view.result->notes, step.verdict = view.result->verdict;
  return step;
}

namespace {

/// One step or element as it is recorded; nothing if it has no row and the run is over.
std::optional<protocol::Step> listed_step(Backend& backend, const RunRow& run,
                                          const PipelineStep& step, const std::string& element) {
  protocol::Step listed;
  if (const auto view = find_step(backend.store(), run.number, {step.spec.name, element})) {
    listed = step_of(*view);
  } else if (is_open(run.state)) {
    listed.step = step.spec.name, listed.element = element;
    listed.state = name_of(StepState::waiting);
  } else {
    return std::nullopt;
  }
  listed.operator_id = step.info->id;
  return listed;
}

/// Rows that no compiled pipeline orders, as they are recorded.
void list_as_recorded(Backend& backend, const StepFilter& filter, protocol::RunDetail& detail) {
  for (const StepView& view : list_steps(backend.store(), filter)) {
    detail.steps.push_back(step_of(view));
  }
  detail.steps_total = static_cast<std::int64_t>(detail.steps.size());
}

/// The steps of the page in topological order, elements in span order.
void list_page(Backend& backend, const RunRow& run, const Pipeline& pipeline, const StepPage& page,
               protocol::RunDetail& detail) {
  const std::vector<std::vector<SpanIndex>> elements = run_elements(pipeline, run);
  for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
    for (const SpanIndex span : elements[i]) {
      const std::int64_t at = detail.steps_total++;
      if (at < page.offset || at >= page.offset + page.limit) continue;
      auto step = listed_step(backend, run, pipeline.steps[i], element_name(run, span));
      if (step) detail.steps.push_back(*std::move(step));
    }
  }
}

/// What stands in the way of the run, and what a person can do about it.
void tell_stuck(Backend& backend, const RunView& run, protocol::RunDetail& detail) {
  static constexpr int told_max = 20;
  if (run.counts.halted + run.counts.in_review == 0) return;
  StepFilter filter;
  filter.run = run.row.number, filter.stuck_only = true;
  int told = 0;
  for (const StepRow& row : list_step_rows(backend.store(), filter)) {
    if (!is_held(row.state) || ++told > told_max) continue;
    const auto view = find_step(backend.store(), row.run, {row.step, row.element});
    const HeldStep held = held_of(backend, run.row, *view);
    detail.explanation.push_back(step_path(row.step, row.element) + " " + explain_held(held));
    for (std::string& way : ways_on(held)) detail.ways_on.push_back(std::move(way));
  }
  if (told > told_max) {
    detail.explanation.push_back("and " + std::to_string(told - told_max) +
                                 " more, which `pipectl reviews` lists.");
  }
}

}  // namespace

protocol::RunDetail detail_of(Backend& backend, const RunView& run, const StepPage& page) {
  static constexpr std::size_t spans_told_max = 1000;
  protocol::RunDetail detail;
  detail.run = summary_of(run);
  detail.force = run.row.options.force, detail.select = run.row.options.select;
  detail.backfill = run.row.options.backfill, detail.offset = page.offset;
  for (const StepRequestRow& row : list_step_requests(backend.store(), run.row.number, 1000)) {
    detail.requests.push_back({row.step, row.element, row.kind, row.arguments, row.state,
                               row.sentence, {row.at}});
  }
  for (const RunSpan& span : run.row.spans) {
    if (detail.spans.size() == spans_told_max) break;
    if (is_generated_source(span.source)) continue;
    detail.spans.push_back({span.source, span.span, span.version, span.left_out});
  }
  const auto pipeline = backend.pipeline_version(run.row.version);
  StepFilter recorded;
  recorded.run = run.row.number, recorded.limit = static_cast<int>(page.limit);
  recorded.stuck_only = page.stuck_only;
  if (!pipeline || page.stuck_only) {
    list_as_recorded(backend, recorded, detail);
  } else {
    list_page(backend, run.row, *pipeline, page, detail);
    const std::int64_t waiting = detail.steps_total - run.counts.total();
    if (is_open(run.row.state) && waiting > 0) detail.run.steps["waiting"] = waiting;
    if (!is_open(run.row.state)) detail.steps_total = run.counts.total();
  }
  tell_stuck(backend, run, detail);
  return detail;
}

protocol::Span span_of(const SpanRow& row) {
  return {row.pipeline, row.source, row.span, row.version, name_of(row.state), row.why, row.who,
          text_of(row.artifact.digest), row.run, {row.at}};
}

protocol::Alert alert_of(const AlertView& view) {
  const AlertRow& row = view.row;
  return {row.id, row.pipeline, row.subject, row.severity, row.sentence,
          row.run, row.step, row.element, row.evidence, {row.at}};
}

namespace {

std::vector<protocol::Port> declared_ports(const std::vector<PortInfo>& ports) {
  std::vector<protocol::Port> listed;
  for (const PortInfo& port : ports) {
    listed.push_back({port.name, port.type, port.many, port.optional, port.evidence, port.pass,
                      port.doc});
  }
  return listed;
}

}  // namespace

protocol::Operator operator_of(const OperatorInfo& info) {
  protocol::Operator listed;
  listed.id = info.id, listed.behaviour = info.behaviour;
  listed.summary = info.summary, listed.doc = info.doc, listed.plugin = info.plugin;
  listed.inputs = declared_ports(info.inputs), listed.outputs = declared_ports(info.outputs);
  for (const ParamInfo& param : info.params) {
    listed.params.push_back({param.name, param.kind, param.default_value, param.required,
                             param.choices, param.min, param.max, param.doc});
  }
  for (const LibraryInfo& library : info.libraries) listed.libraries[library.name] = library.version;
  listed.effect = info.effect, listed.network = info.network;
  listed.open_inputs = info.open_inputs, listed.open_outputs = info.open_outputs;
  listed.cacheable = info.cacheable, listed.build = info.build, listed.cpus = info.cpus;
  return listed;
}

protocol::Finding finding_of(const Diagnostic& diagnostic) {
  return {diagnostic.file, diagnostic.at.line, diagnostic.at.column, diagnostic.message,
          diagnostic.warning};
}

protocol::Planned planned_of(const PlannedStep& step) {
  return {step.step, step.element, step.verdict, why_of(step.reason)};
}

protocol::PipelineInfo pipeline_of(Backend& backend, const PipelineRow& row) {
  protocol::PipelineInfo info;
  info.name = row.name, info.version = text_of(row.version), info.folder = row.folder;
  info.applied_at = {row.applied_at}, info.paused = row.paused;
  if (const auto pipeline = backend.pipeline(row.name)) {
    info.description = pipeline->spec.description, info.owner = pipeline->spec.owner;
  }
  info.last_run = newest_run(backend.store(), row.name);
  if (const auto run = backend.store().find_run(info.last_run); info.last_run != 0 && run) {
    info.last_state = name_of(run->state);
  }
  SpanFilter filter;
  filter.pipeline = row.name;
  for (const SpanRow& span : list_spans(backend.store(), filter)) ++info.spans[name_of(span.state)];
  return info;
}

protocol::Change change_of(const BackendEvent& event) {
  static constexpr const char* kinds[] = {"run", "alert", "pipeline", "source"};
  return {kinds[static_cast<std::size_t>(event.kind)], event.pipeline, event.run, event.state,
          event.sentence};
}

protocol::ArtifactDetail artifact_of(const ArtifactDetail& detail) {
  protocol::ArtifactDetail told;
  told.digest = text_of(detail.view.ref.digest);
  told.type = detail.view.ref.type, told.size = detail.view.ref.size;
  if (detail.manifest) {
    for (const ManifestFile& file : detail.manifest->files) {
      told.files.push_back({file.path, text_of(file.digest), file.size, file.exec});
    }
  }
  for (const BindingView& at : detail.producers) {
    told.bindings.push_back({told.digest, told.type, told.size, at.pipeline, at.step, at.element,
                             at.port, at.run, {at.at}});
  }
  for (const ArrivalRow& arrival : detail.arrivals) {
    told.bindings.push_back({told.digest, told.type, told.size, arrival.pipeline,
                             "source " + arrival.source, arrival.span, "", 0, {arrival.at}});
  }
  return told;
}

}  // namespace pipelined::api
