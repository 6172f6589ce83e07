#include "daemon/api/explaining.h"

#include <algorithm>

#include "dag/nearest_name.h"
#include "dag/run_layout.h"
#include "dag/run_state.h"
#include "dag/step_ports.h"

namespace pipelined::api {
namespace {

/// More steps or elements than this are counted rather than told.
constexpr int told_max = 100;

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

/// Names of the steps that read this one and have not got anywhere yet.  Those that only follow
/// other waiting ones would make the sentence long and say nothing new.
std::vector<std::string> waiting_for(Backend& backend, const Pipeline& pipeline, RunNumber run,
                                     const std::string& name) {
  const StepIndex start = pipeline.find(name);
  if (start == no_step) return {};
  std::vector<std::string> names;
  for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
    const PipelineStep& step = pipeline.steps[i];
    const auto& parents = step.parents;
    if (!step.fan_source.empty() ||
        std::find(parents.begin(), parents.end(), start) == parents.end()) {
      continue;
    }
    const auto view = find_step(backend.store(), run, {step.spec.name, ""});
    if (!view || view->row.state == StepState::waiting) names.push_back(step.spec.name);
  }
  return names;
}

/// The step before this one whose end let it begin: the last that had ended by then.
std::string last_parent(Backend& backend, const RunRow& run, const Pipeline& pipeline,
                        const StepRow& row, TimeMs begun_at) {
  const StepIndex index = pipeline.find(row.step);
  if (index == no_step) return {};
  std::string last;
  TimeMs last_at = 0;
  for (const StepIndex parent : pipeline.steps[index].parents) {
    StepFilter filter;
    filter.run = run.number, filter.step = pipeline.steps[parent].spec.name;
    for (const StepRow& one : list_step_rows(backend.store(), filter)) {
      if (one.ended_at < last_at || one.ended_at > begun_at || one.ended_at == 0) continue;
      last = step_path(one.step, one.element), last_at = one.ended_at;
    }
  }
  return last;
}

TimeMs first_begun(const StepView& view) {
  if (!view.attempts.empty()) {
    const AttemptRow& first = view.attempts.front();
    return first.queued_at > 0 ? first.queued_at : first.started_at;
  }
  return view.past.empty() ? view.row.at : view.past.front().at;
}

protocol::StepExplanation explain_one(Backend& backend, const RunRow& run, const StepView& view,
                                      bool with_history) {
  protocol::StepExplanation told;
  told.step = view.row.step, told.element = view.row.element;
  told.state = name_of(view.row.state);
  const auto waits = view.row.state == StepState::waiting
                         ? backend.why_waiting(run.number, {view.row.step, view.row.element})
                         : std::nullopt;
  if (is_held(view.row.state)) {
    const HeldStep held = held_of(backend, run, view);
    told.sentences.push_back(explain_held(held));
    told.ways_on = ways_on(held);
  } else {
    if (waits) told.sentences.push_back(waits->sentence + ".");
    told.sentences.push_back(explain_step(view.row));
  }
  for (const AttemptRow& attempt : view.attempts) {
    std::string sentence = explain_attempt(attempt);
    if (!sentence.empty()) told.sentences.push_back(std::move(sentence));
  }
  if (with_history) told.history = history_of(backend, run, view);
  told.changes = view.row.reason.details;
  if (!view.result) return told;
  if (const ValueTable* notes = view.result->notes.as_table()) {
    const auto found = notes->find("comparisons");
    if (found != notes->end()) told.comparisons = found->second;
  }
  return told;
}

/// A step without a row: it waits, or the run ended before it.
Result<protocol::StepExplanation> explain_unrecorded(Backend& backend, const RunRow& run,
                                                     const StepName& name) {
  const auto pipeline = backend.pipeline_version(run.version);
  const StepIndex index = pipeline ? pipeline->find(name.step) : no_step;
  if (index == no_step) {
    std::vector<std::string> known;
    for (const PipelineStep& step : pipeline ? pipeline->steps : std::vector<PipelineStep>()) {
      known.push_back(step.spec.name);
    }
    return Error{ErrorCode::not_found, "run " + std::to_string(run.number) + " of " + run.pipeline +
                                           " has no step '" + name.step + "'" +
                                           did_you_mean(name.step, known)};
  }
  std::vector<std::string> elements;
  const auto laid_out = run_elements(*pipeline, run);
  for (const SpanIndex span : laid_out[index]) elements.push_back(element_name(run, span));
  if (!name.element.empty() &&
      std::find(elements.begin(), elements.end(), name.element) == elements.end()) {
    return Error{ErrorCode::not_found,
                 "step '" + name.step + "' has no element '" + name.element + "' in run " +
                     std::to_string(run.number) + did_you_mean(name.element, elements)};
  }
  protocol::StepExplanation told;
  told.step = name.step, told.element = name.element, told.state = name_of(StepState::waiting);
  StepName one = name;
  if (one.element.empty() && !elements.empty()) one.element = elements.front();
  const auto waits = backend.why_waiting(run.number, one);
  if (elements.empty()) {
    told.sentences.push_back("has no elements in this run.");
  } else if (waits) {
    told.sentences.push_back(waits->sentence + ".");
  } else if (is_open(run.state)) {
    told.sentences.push_back("waiting: its turn has not come yet.");
  } else {
    told.sentences.push_back("was never begun: the run ended before it.");
  }
  return told;
}

/// A step with elements: each of them, or the counts and those in the way if there are many.
void explain_elements(Backend& backend, const RunRow& run, const StepName& name,
                      protocol::Explanation& told) {
  StepFilter filter;
  filter.run = run.number, filter.step = name.step, filter.limit = view_limit_max;
  const std::vector<StepRow> rows = list_step_rows(backend.store(), filter);
  const bool many = rows.size() > static_cast<std::size_t>(told_max);
  for (const StepRow& row : rows) {
    if (many && (is_done(row.state) || told.steps.size() >= std::size_t{told_max})) continue;
    const auto view = find_step(backend.store(), run.number, {row.step, row.element});
    if (view) told.steps.push_back(explain_one(backend, run, *view, rows.size() == 1));
  }
  if (many) {
    told.sentences.push_back(name.step + " has " +
                             with_thousands(static_cast<std::int64_t>(rows.size())) +
                             (rows.size() == view_limit_max ? " or more" : "") +
                             " elements; those that are not done are told, at most " +
                             std::to_string(told_max) + ".");
  }
}

/// What is not simply done: first what is in the way, then what ran because something changed.
void explain_whole(Backend& backend, const RunView& run, protocol::Explanation& told) {
  StepFilter filter;
  filter.run = run.row.number, filter.limit = view_limit_max;
  filter.stuck_only = run.counts.total() > view_limit_max;
  for (const StepRow& row : list_step_rows(backend.store(), filter)) {
    if (is_done(row.state) && row.reason.details.empty()) continue;
    if (told.steps.size() >= std::size_t{told_max}) break;
    const auto view = find_step(backend.store(), row.run, {row.step, row.element});
    if (view) told.steps.push_back(explain_one(backend, run.row, *view, false));
  }
  std::stable_sort(told.steps.begin(), told.steps.end(), [](const auto& a, const auto& b) {
    return !a.ways_on.empty() && b.ways_on.empty();
  });
}

}  // namespace

HeldStep held_of(Backend& backend, const RunRow& run, const StepView& step) {
  HeldStep held;
  held.run = run.number, held.pipeline = run.pipeline;
  held.step = step.row.step, held.element = step.row.element, held.state = step.row.state;
  held.verdict = step.row.reason.sentence;
  if (step.result && !step.result->verdict.empty() && held.state == StepState::halted) {
    held.verdict = step.result->verdict;
  }
  if (step.result) held.notes = step.result->notes;
  const auto pipeline = backend.pipeline_version(run.version);
  if (!pipeline) return held;
  held.waiting = waiting_for(backend, *pipeline, run.number, step.row.step);
  const StepIndex index = pipeline->find(step.row.step);
  if (index == no_step) return held;
  const std::string& fan = pipeline->steps[index].fan_source;
  held.source = is_generated_source(fan) ? "" : fan;
  if (!step.result) return held;
  for (const PipelineInput& input : pipeline->steps[index].inputs) {
    if (input.spec.kind != InputSpec::Kind::span) continue;
    for (const Binding& binding : step.result->inputs) {
      if (binding.port != input.spec.port) continue;
      held.previous = origin_of(backend, run.pipeline, input.spec.step, binding.artifact.digest,
                                step.row.element);
    }
  }
  return held;
}

std::vector<protocol::StateTold> history_of(Backend& backend, const RunRow& run,
                                            const StepView& view) {
  std::string waited_for;
  if (const auto pipeline = backend.pipeline_version(run.version)) {
    waited_for = last_parent(backend, run, *pipeline, view.row, first_begun(view));
  }
  std::vector<protocol::StateTold> history;
  for (const StateChange& change :
       step_history(view.row, view.past, view.attempts, run.started_at, waited_for)) {
    history.push_back({{change.at}, name_of(change.state), change.reason.code,
                       change.reason.sentence});
  }
  return history;
}

Result<protocol::Explanation> explanation_of(Backend& backend, const RunView& run,
                                             const StepName& name) {
  protocol::Explanation told;
  told.run = run.row.number, told.pipeline = run.row.pipeline, told.state = name_of(run.row.state);
  told.sentences.push_back(explain_run(run.row));
  if (name.step.empty()) {
    explain_whole(backend, run, told);
    return told;
  }
  if (const auto view = find_step(backend.store(), run.row.number, name)) {
    told.steps.push_back(explain_one(backend, run.row, *view, true));
  } else if (name.element.empty()) {
    explain_elements(backend, run.row, name, told);
  }
  if (told.steps.empty()) {
    TRY(waiting, explain_unrecorded(backend, run.row, name));
    told.steps.push_back(std::move(waiting));
  }
  return told;
}

}  // namespace pipelined::api
