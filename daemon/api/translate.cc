#include "daemon/api/translate.h"

#include <algorithm>

#include "dag/nearest_name.h"
#include "dag/run_state.h"

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

/// The elements that a step has in this run, in span order; one empty one if it is not fanned out.
std::vector<std::string> elements_of(const PipelineStep& step, const RunRow& run) {
  if (step.fan_source.empty()) return {""};
  std::vector<std::string> elements;
  for (const RunSpan& span : run.spans) {
    if (span.source == step.fan_source && span.left_out.empty()) elements.push_back(span.span);
  }
  return elements;
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

protocol::RunDetail detail_of(Backend& backend, const RunDetail& run) {
  protocol::RunDetail detail;
  detail.run = summary_of({run.row, run.counts});
  detail.force = run.row.options.force;
  for (const RunSpan& span : run.row.spans) {
    detail.spans.push_back({span.source, span.span, span.version, span.left_out});
  }
  std::map<std::pair<std::string, std::string>, const StepView*> recorded;
  for (const StepView& view : run.steps) recorded[{view.row.step, view.row.element}] = &view;
  const auto pipeline = backend.pipeline_version(run.row.version);
  const std::size_t steps = pipeline ? pipeline->steps.size() : 0;
  for (std::size_t i = 0; i < steps; ++i) {
    const PipelineStep& step = pipeline->steps[i];
    for (const std::string& element : elements_of(step, run.row)) {
      const auto found = recorded.find({step.spec.name, element});
      protocol::Step row;
      if (found != recorded.end()) {
        row = step_of(*found->second);
        recorded.erase(found);
      } else if (is_open(run.row.state)) {
        row.step = step.spec.name, row.element = element;
        row.state = name_of(StepState::waiting);
        ++detail.run.steps[row.state];
      } else {
        continue;
      }
      row.operator_id = step.info.id;
      detail.steps.push_back(std::move(row));
    }
  }
  for (const StepView& view : run.steps) {  // what the pipeline does not tell of, as recorded
    if (recorded.count({view.row.step, view.row.element}) > 0) {
      detail.steps.push_back(step_of(view));
    }
    if (!is_held(view.row.state)) continue;
    const HeldStep held = held_of(backend, run, view);
    detail.explanation.push_back(step_path(view.row.step, view.row.element) + " " +
                                 explain_held(held));
    for (std::string& way : ways_on(held)) detail.ways_on.push_back(std::move(way));
  }
  return detail;
}

namespace {

/// The element at whose output the artifact stood, nearest before `element` if there are several.
std::string origin_of(Backend& backend, const std::string& pipeline, const std::string& step,
                      const Digest& artifact, const std::string& element) {
  const auto detail = show_artifact(backend.store(), artifact, 100);
  if (!detail) return {};
  std::string best;
  for (const BindingView& binding : detail->producers) {
    const bool fits = binding.pipeline == pipeline && binding.step == step &&
                      binding.element != element;
    if (fits && binding.element > best) best = binding.element;
  }
  return best;
}

/// Names of the steps that read this one, directly or not, and have not got anywhere yet.
std::vector<std::string> waiting_for(const Pipeline& pipeline, const RunDetail& run,
                                     const std::string& name) {
  std::vector<bool> below(pipeline.steps.size(), false);
  const StepIndex start = pipeline.find(name);
  if (start == no_step) return {};
  std::vector<StepIndex> queue = {start};
  while (!queue.empty()) {
    const StepIndex at = queue.back();
    queue.pop_back();
    for (const StepIndex next : pipeline.steps[at].consumers) {
      if (!below[next]) below[next] = true, queue.push_back(next);
    }
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
    if (!below[i] || !pipeline.steps[i].fan_source.empty()) continue;
    const bool settled = std::any_of(run.steps.begin(), run.steps.end(), [&](const StepView& s) {
      return s.row.step == pipeline.steps[i].spec.name && s.row.state != StepState::waiting;
    });
    // Steps that only follow other waiting ones would make the sentence long and say nothing new.
    const auto& parents = pipeline.steps[i].parents;
    const bool direct = std::find(parents.begin(), parents.end(), start) != parents.end();
    if (!settled && direct) names.push_back(pipeline.steps[i].spec.name);
  }
  return names;
}

}  // namespace

HeldStep held_of(Backend& backend, const RunDetail& run, const StepView& step) {
  HeldStep held;
  held.run = run.row.number, held.pipeline = run.row.pipeline;
  held.step = step.row.step, held.element = step.row.element, held.state = step.row.state;
  held.verdict = step.row.reason.sentence;
  if (step.result && !step.result->verdict.empty() && held.state == StepState::halted) {
    held.verdict = step.result->verdict;
  }
  if (step.result) held.notes = step.result->notes;
  const auto pipeline = backend.pipeline_version(run.row.version);
  if (!pipeline) return held;
  held.waiting = waiting_for(*pipeline, run, step.row.step);
  const StepIndex index = pipeline->find(step.row.step);
  if (index == no_step) return held;
  held.source = pipeline->steps[index].fan_source;
  if (!step.result) return held;
  for (const PipelineInput& input : pipeline->steps[index].inputs) {
    if (input.spec.kind != InputSpec::Kind::span) continue;
    for (const Binding& binding : step.result->inputs) {
      if (binding.port != input.spec.port) continue;
      held.previous = origin_of(backend, run.row.pipeline, input.spec.step,
                                binding.artifact.digest, step.row.element);
    }
  }
  return held;
}

namespace {

protocol::StepExplanation explain_one(Backend& backend, const RunDetail& run,
                                      const StepView& view) {
  protocol::StepExplanation told;
  told.step = view.row.step, told.element = view.row.element;
  told.state = name_of(view.row.state);
  if (is_held(view.row.state)) {
    const HeldStep held = held_of(backend, run, view);
    told.sentences.push_back(explain_held(held));
    told.ways_on = ways_on(held);
  } else {
    told.sentences.push_back(explain_step(view.row));
  }
  for (const AttemptRow& attempt : view.attempts) {
    if (attempt.running || attempt.error.empty()) continue;
    told.sentences.push_back("Attempt " + std::to_string(attempt.number) + " ended " +
                             name_of(attempt.outcome) + ": " + attempt.error);
  }
  told.changes = view.row.reason.details;
  if (!view.result) return told;
  if (const ValueTable* notes = view.result->notes.as_table()) {
    const auto found = notes->find("comparisons");
    if (found != notes->end()) told.comparisons = found->second;
  }
  return told;
}

/// A step without a row: it waits, or the run ended before it.
Result<protocol::StepExplanation> explain_unrecorded(Backend& backend, const RunDetail& run,
                                                     const StepName& name,
                                                     const std::vector<std::string>& known) {
  const auto pipeline = backend.pipeline_version(run.row.version);
  const StepIndex index = pipeline ? pipeline->find(name.step) : no_step;
  if (index == no_step) {
    return Error{ErrorCode::not_found, "run " + std::to_string(run.row.number) + " of " +
                                           run.row.pipeline + " has no step '" + name.step + "'" +
                                           did_you_mean(name.step, known)};
  }
  const PipelineStep& step = pipeline->steps[index];
  const std::vector<std::string> elements = elements_of(step, run.row);
  if (!name.element.empty() &&
      std::find(elements.begin(), elements.end(), name.element) == elements.end()) {
    return Error{ErrorCode::not_found,
                 "step '" + name.step + "' has no element '" + name.element + "' in run " +
                     std::to_string(run.row.number) + did_you_mean(name.element, elements)};
  }
  protocol::StepExplanation told;
  told.step = name.step, told.element = name.element, told.state = "waiting";
  std::vector<std::string> open;
  for (const StepIndex parent : step.parents) {
    const std::string& parent_name = pipeline->steps[parent].spec.name;
    bool held = false, recorded = false;
    for (const StepView& view : run.steps) {
      if (view.row.step != parent_name) continue;
      recorded = true;
      held = held || !is_terminal(view.row.state);
    }
    if (held || !recorded) open.push_back(parent_name);
  }
  told.sentences.push_back(open.empty() ? "waiting: its turn has not come yet."
                                        : "waiting for " + spoken_list(open) + ".");
  return told;
}

}  // namespace

Result<protocol::Explanation> explanation_of(Backend& backend, const RunDetail& run,
                                             const StepName& name) {
  protocol::Explanation told;
  told.run = run.row.number, told.pipeline = run.row.pipeline, told.state = name_of(run.row.state);
  told.sentences.push_back(explain_run(run.row));
  std::vector<std::string> known;
  if (const auto pipeline = backend.pipeline_version(run.row.version)) {
    for (const PipelineStep& step : pipeline->steps) known.push_back(step.spec.name);
  }
  for (const StepView& view : run.steps) {
    const bool plain = is_done(view.row.state) && view.row.reason.details.empty();
    const bool wanted =
        name.step.empty()
            ? !plain
            : view.row.step == name.step &&
                  (name.element.empty() || view.row.element == name.element);
    if (wanted) told.steps.push_back(explain_one(backend, run, view));
  }
  if (!name.step.empty() && told.steps.empty()) {
    TRY(waiting, explain_unrecorded(backend, run, name, known));
    told.steps.push_back(std::move(waiting));
  }
  return told;
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

namespace {

/// The result that made the artifact; one that only passed it on is not meant.
std::optional<ResultRow> maker_of(Backend& backend, const ArtifactDetail& detail) {
  for (const BindingView& binding : detail.producers) {
    std::optional<ResultRow> result = backend.store().find_result_by_id(binding.result);
    if (!result) continue;
    const bool passed = std::any_of(
        result->inputs.begin(), result->inputs.end(),
        [&](const Binding& input) { return input.artifact.digest == detail.view.ref.digest; });
    if (!passed) return result;
  }
  return std::nullopt;
}

}  // namespace

protocol::Lineage lineage_of(Backend& backend, const Digest& artifact, std::size_t limit) {
  protocol::Lineage lineage;
  lineage.digest = text_of(artifact);
  std::vector<Digest> queue = {artifact};
  for (std::size_t at = 0; at < queue.size() && lineage.nodes.size() < limit; ++at) {
    const auto detail = show_artifact(backend.store(), queue[at], 10);
    protocol::LineageNode node;
    node.digest = text_of(queue[at]);
    if (detail) node.type = detail->view.ref.type;
    if (const auto made = detail ? maker_of(backend, *detail) : std::nullopt) {
      node.step = made->step, node.element = made->element, node.run = made->run;
      for (const Binding& output : made->outputs) {
        if (output.artifact.digest == queue[at]) node.port = output.port;
      }
      for (const Binding& input : made->inputs) {
        const Digest& from = input.artifact.digest;
        node.from.push_back(text_of(from));
        if (std::find(queue.begin(), queue.end(), from) == queue.end()) queue.push_back(from);
      }
    } else if (detail && !detail->arrivals.empty()) {
      node.step = "source " + detail->arrivals.front().source;
      node.element = detail->arrivals.front().span;
    }
    lineage.nodes.push_back(std::move(node));
  }
  return lineage;
}

}  // namespace pipelined::api
