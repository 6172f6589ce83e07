// Creating, laying out and rebuilding runs.
#include <algorithm>

#include "dag/cache_key.h"
#include "dag/engine_state.h"
#include "dag/run_layout.h"
#include "dag/selection.h"
#include "dag/span_pattern.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

// The newest version of a span that had arrived at the horizon.
const SpanRow* at_horizon(const SpanVersions& versions, std::int64_t horizon) {
  for (auto it = versions.rbegin(); it != versions.rend(); ++it) {
    const bool past_gate = it->state != SpanState::in_review && it->approved_seq >= 0;
    if (it->arrival <= horizon && past_gate) return &*it;
  }
  return nullptr;
}

std::vector<ValueTable> params_of(const Pipeline& pipeline, const ValueTable& overrides) {
  const auto with_overrides = [&](ValueTable values) {
    for (const auto& [name, value] : overrides) values[name] = value;
    return values;
  };
  const ValueTable values = with_overrides(pipeline.spec.params);
  std::vector<ValueTable> all;
  for (const PipelineStep& step : pipeline.steps) {
    const bool generated = is_generated_source(step.fan_source);
    auto params = generated
                      ? resolve_params(step.spec.params,
                                       with_overrides(pipeline.step_values(step.fan_source)),
                                       pipeline.files)
                      : resolve_params(step.spec.params, values, pipeline.files);
    // The pipeline compiled with its own values, and overrides only replace declared names.
    all.push_back(params ? *std::move(params) : ValueTable{});
  }
  return all;
}

std::vector<Digest> definitions_of(const Pipeline& pipeline, const std::vector<ValueTable>& params) {
  std::vector<Digest> all;
  for (std::size_t i = 0; i < pipeline.steps.size(); ++i) {
    std::vector<Digest> parents;
    for (const StepIndex parent : pipeline.steps[i].parents) parents.push_back(all[parent]);
    all.push_back(definition_digest(pipeline.steps[i], params[i], parents));
  }
  return all;
}

}  // namespace

std::optional<NodeIndex> Run::find(StepIndex step, SpanIndex span) const {
  const NodeIndex begin = first_node[step], end = first_node[step + 1];
  if (begin == end) return std::nullopt;
  if (nodes[begin].span == no_span) return begin;
  const auto found = std::lower_bound(
      nodes.begin() + begin, nodes.begin() + end, span,
      [](const Node& node, SpanIndex wanted) { return node.span < wanted; });
  const auto index = static_cast<NodeIndex>(found - nodes.begin());
  if (index == end || nodes[index].span != span) return std::nullopt;
  return index;
}

void Engine::State::prepare_run(Run& run) const {
  run.params = params_of(*run.pipeline, run.row.options.params);
  run.definitions = definitions_of(*run.pipeline, run.params);
  run.defined_as_filed.assign(run.definitions.size(), true);
  if (!run.row.options.select.empty()) {
    run.selected.assign(run.definitions.size(), false);
    // It was read without an error when the run was asked for.
    const auto names = select_steps(*run.pipeline, run.row.options.select);
    for (const std::string& name : names ? *names : std::vector<std::string>{}) {
      run.selected[run.pipeline->find(name)] = true;
    }
    for (StepIndex s = 0; s < run.selected.size(); ++s) {
      if (!run.selected[s] && decides_span(run.pipeline->steps[s])) {
        run.unjudged.insert(run.pipeline->steps[s].fan_source);
      }
    }
  }
  if (run.row.options.params.empty()) return;
  const std::vector<Digest> filed =
      definitions_of(*run.pipeline, params_of(*run.pipeline, ValueTable{}));
  for (std::size_t i = 0; i < filed.size(); ++i) {
    run.defined_as_filed[i] = filed[i] == run.definitions[i];
    const PipelineStep& step = run.pipeline->steps[i];
    if (!run.defined_as_filed[i] && decides_span(step)) {
      run.judges_spans = false;
    }
  }
}

std::vector<RunSpan> Engine::State::spans_for_run(const PipelineState& pipeline,
                                                  const Run& run) const {
  std::set<std::string> fanned;
  for (const PipelineStep& step : run.pipeline->steps) {
    if (!step.fan_source.empty()) fanned.insert(step.fan_source);
  }
  std::vector<RunSpan> spans;
  for (const auto& [source, by_span] : pipeline.spans) {
    if (!fanned.contains(source)) continue;
    for (const auto& [span, versions] : by_span) {
      const SpanRow* row = at_horizon(versions, run.row.horizon);
      if (row == nullptr) continue;
      RunSpan one{source, span, row->version, row->succeeded_run == 0, ""};
      if (row->state == SpanState::dropped || row->state == SpanState::rejected) {
        one.left_out = std::string(name_of(row->state)) + " by " + row->who + ": " + row->why;
      } else if (row->state == SpanState::failed) {
        const StepIndex step = run.pipeline->find(row->why);
        // A failed span is open again when what failed is defined otherwise (rule 17).
        const auto& asked = run.row.options;
        const bool named = asked.source == source &&
                           std::find(asked.spans.begin(), asked.spans.end(), span) != asked.spans.end();
        if (!named && step != no_step && run.definitions[step] == row->definition) {
          one.left_out = "failed at step " + row->why + " in run " + std::to_string(row->run);
        }
      }
      spans.push_back(std::move(one));
    }
  }
  for (const PipelineStep& step : run.pipeline->steps) {
    if (!step.spec.generates) continue;
    // As many as there may be: those that are not generated are skipped in the end.
    for (std::int64_t i = 1; i <= step.spec.generates->max; ++i) {
      spans.push_back({generated_source(step.spec.name), std::to_string(i), 1, false, ""});
    }
  }
  return spans;
}

void Engine::State::lay_out(Run& run) const {
  const auto& steps = run.pipeline->steps;
  const std::vector<std::vector<SpanIndex>> elements = run_elements(*run.pipeline, run.row);
  const std::size_t span_count = run.row.spans.size();
  run.span_dropped.assign(span_count, false);
  run.span_accepted.assign(span_count, false);
  run.span_open.assign(span_count, 0);
  run.span_death.assign(span_count, Run::SpanDeath::none);
  for (StepIndex s = 0; s < steps.size(); ++s) {
    run.first_node.push_back(static_cast<NodeIndex>(run.nodes.size()));
    const PipelineStep& step = steps[s];
    for (const SpanIndex span : elements[s]) {
      Node node;
      node.step = s;
      node.span = span;
      run.nodes.push_back(node);
      if (span != no_span && decides_span(step)) ++run.span_open[span];
    }
  }
  run.first_node.push_back(static_cast<NodeIndex>(run.nodes.size()));
}

std::size_t Engine::State::active_runs(const std::string& pipeline) const {
  std::size_t count = 0;
  for (const auto& [number, run] : runs) {
    const bool fresh = run.row.options.backfill == 0;  // a backfill has a bound of its own
    if (fresh && run.row.pipeline == pipeline && run.row.state == RunState::running) ++count;
  }
  return count;
}

RunNumber Engine::State::active_run(const std::string& pipeline) const {
  for (const auto& [number, run] : runs) {
    if (run.row.options.backfill != 0) continue;
    if (run.row.pipeline == pipeline && run.row.state == RunState::running) return number;
  }
  return 0;
}

RunNumber Engine::State::create_run(PipelineState& pipeline, const RunOptions& options,
                                    Reason reason, std::string who) {
  const RunNumber number = ++last_run;
  Run& run = runs[number];
  run.pipeline = pipeline.current;
  run.row.number = number;
  run.row.pipeline = pipeline.row.name;
  run.row.version = pipeline.current->version;
  run.row.options = options;
  run.row.reason = std::move(reason);
  run.row.who = std::move(who);
  run.row.horizon = last_arrival;
  run.row.created_at = now.wall_ms;
  run.row.created_seq = ++last_seq;
  prepare_run(run);
  run.row.spans = spans_for_run(pipeline, run);
  supersede(run);
  start_or_queue(run);
  return number;
}

void Engine::State::start_or_queue(Run& run) {
  if (dry || has_room(run)) return start_run(run);
  run.row.state = RunState::queued;
  ledger.put(run.row);
  emit(effect::RunChanged{run.row.pipeline, run.row.number, RunState::queued});
}

// Spans that a person took out while the run was queued take no part in it (rule 18).
void Engine::State::leave_out_dropped(Run& run) {
  for (RunSpan& span : run.row.spans) {
    const SpanRow* row = span_row(run.row.pipeline, span.source, span.span, span.version);
    if (row == nullptr || !span.left_out.empty()) continue;
    if (row->state != SpanState::dropped && row->state != SpanState::rejected) continue;
    span.left_out = std::string(name_of(row->state)) + " by " + row->who + ": " + row->why;
  }
}

void Engine::State::start_run(Run& run) {
  if (run.row.started_at != 0) return reopen(run);  // it was at rest and waited for its turn
  leave_out_dropped(run);
  run.row.state = RunState::running;
  run.row.started_at = now.wall_ms;
  ledger.put(run.row);
  emit(effect::RunChanged{run.row.pipeline, run.row.number, RunState::running});
  lay_out(run);
  measure_paths(run);
  settle_unselected(run);
  for (NodeIndex i = 0; i < run.nodes.size(); ++i) work.emplace_back(run.row.number, i);
  touched.insert(run.row.number);
  arm_deadline(run);
}

void Engine::State::start_queued(const std::string& pipeline) {
  const auto state = pipelines.find(pipeline);
  if (state == pipelines.end()) return;
  for (auto& [number, run] : runs) {
    if (run.row.pipeline != pipeline || run.row.state != RunState::queued) continue;
    if (!has_room(run)) return;
    start_run(run);
  }
}

void Engine::State::supersede(const Run& created) {
  if (created.row.options.partial()) return;  // it does not do what the halted one would
  std::map<std::pair<std::string, std::string>, std::int64_t> versions;
  for (const RunSpan& span : created.row.spans) versions[{span.source, span.span}] = span.version;
  for (auto& [number, run] : runs) {
    if (number == created.row.number || run.row.pipeline != created.row.pipeline ||
        run.row.state != RunState::halted) {
      continue;
    }
    for (NodeIndex i = 0; i < run.nodes.size(); ++i) {
      const Node& node = run.nodes[i];
      if (node.state != StepState::halted || node.span == no_span) continue;
      const RunSpan& span = run.row.spans[node.span];
      const auto newer = versions.find({span.source, span.span});
      if (newer == versions.end() || newer->second <= span.version) continue;
      cancel_run(run, {"superseded", "superseded by run " + std::to_string(created.row.number) +
                                         ", which has version " + std::to_string(newer->second) +
                                         " of " + span.span, {}});
      break;
    }
  }
}

// The newest run of the pipeline after `number`, open or over; it has seen every arrival that any
// run has seen.
std::optional<RunRow> Engine::State::newest_run_after(const std::string& pipeline,
                                                      RunNumber number) const {
  for (RunNumber n = last_run; n > number; --n) {
    const auto open = runs.find(n);
    auto row = open != runs.end() ? std::optional(open->second.row) : ledger.find_run(n);
    if (row && row->pipeline == pipeline && !row->options.partial()) return row;
  }
  return std::nullopt;
}

// A run that halts only after its span was replaced and a newer run has the new version: it would
// wait for an answer about data that nobody uses any more (rule 19).
bool Engine::State::superseded_late(Run& run) {
  const auto newest = newest_run_after(run.row.pipeline, run.row.number);
  if (!newest) return false;
  for (const Node& node : run.nodes) {
    if (node.state != StepState::halted || node.span == no_span) continue;
    const RunSpan& span = run.row.spans[node.span];
    for (const RunSpan& seen : newest->spans) {
      if (seen.source != span.source || seen.span != span.span || seen.version <= span.version) {
        continue;
      }
      cancel_run(run, {"superseded", "superseded by run " + std::to_string(newest->number) +
                                         ", which has version " + std::to_string(seen.version) +
                                         " of " + span.span, {}});
      return true;
    }
  }
  return false;
}

Run& Engine::State::load_run(const RunRow& row, std::shared_ptr<const Pipeline> pipeline,
                             const std::vector<StepRow>& steps) {
  Run& run = runs[row.number];
  run = Run{};
  run.row = row;
  run.pipeline = std::move(pipeline);
  prepare_run(run);
  if (row.state == RunState::queued && row.started_at == 0) return run;
  lay_out(run);
  measure_paths(run);
  // Only a run that is being cancelled has the reason for its end before it has ended.
  run.cancelling = row.state == RunState::running && !row.end_reason.code.empty();
  for (SpanIndex i = 0; i < row.spans.size(); ++i) {
    const RunSpan& span = row.spans[i];
    const SpanRow* known = span_row(row.pipeline, span.source, span.span, span.version);
    run.span_dropped[i] = known != nullptr && known->state == SpanState::dropped;
  }
  take_up_steps(run, steps);
  for (SpanIndex i = 0; i < row.spans.size(); ++i) {
    run.span_accepted[i] = run.span_open[i] == 0 && run.span_death[i] == Run::SpanDeath::none &&
                           !run.span_dropped[i] && row.spans[i].left_out.empty();
  }
  return run;
}

void Engine::State::take_up_steps(Run& run, const std::vector<StepRow>& steps) const {
  std::map<std::pair<std::string, std::string>, SpanIndex> index;
  for (SpanIndex i = 0; i < run.row.spans.size(); ++i) {
    index[{run.row.spans[i].source, run.row.spans[i].span}] = i;
  }
  for (const StepRow& step : steps) {
    const StepIndex s = run.pipeline->find(step.step);
    if (s == no_step) continue;
    SpanIndex span = no_span;
    if (!step.element.empty()) {
      const auto found = index.find({run.pipeline->steps[s].fan_source, step.element});
      if (found == index.end()) continue;
      span = found->second;
    }
    const auto n = run.find(s, span);
    if (!n) continue;
    if (step.reason.code == "span_dropped") run.span_dropped[span] = true;
    take_up_step(run, *n, step);
  }
}

void Engine::State::take_up_step(Run& run, NodeIndex index, const StepRow& row) const {
  Node& node = run.nodes[index];
  const PipelineStep& step = run.step_of(index);
  node.state = row.state == StepState::running ? StepState::waiting : row.state;
  node.key = row.key;
  node.result = row.result;
  node.tries = static_cast<std::uint16_t>(row.tries);
  node.faults = static_cast<std::uint16_t>(row.faults);
  node.attempts = static_cast<std::uint32_t>(row.attempts);
  node.started_at = row.started_at;
  node.next_try_at = row.next_try_at;
  node.first_try_at = row.first_try_at;
  node.first_call_at = row.first_call_at;
  node.pass_over = row.pass_over;
  if (node.state == StepState::in_review) {
    const std::int64_t expires = step.spec.review.expires_ms;
    node.next_try_at = expires > 0 ? row.ended_at + expires : 0;
    run.reviews[index].at = row.ended_at;
  }
  if (row.result != 0) {
    if (auto result = ledger.find_result_by_id(row.result)) {
      if (step.spec.generates) take_elements(node, *result);
      node.outputs = outputs_given(*result, row.reason);
    }
  }
  if (node.span == no_span || !decides_span(step)) return;
  if (is_done(node.state) || node.state == StepState::skipped) --run.span_open[node.span];
  if (node.state == StepState::failed || node.state == StepState::rejected) {
    run.span_death[node.span] = Run::SpanDeath::inside;
  } else if (is_dead(node.state) && run.span_death[node.span] == Run::SpanDeath::none) {
    run.span_death[node.span] = Run::SpanDeath::outside;
  }
}

}  // namespace pipelined
