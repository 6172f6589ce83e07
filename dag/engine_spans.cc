// Arrivals, triggers and the states of spans.
#include <algorithm>

#include "dag/engine_state.h"

namespace pipelined {
namespace {

constexpr int coalesce_cap = 10;  // a stream of arrivals is held back at most this many quiet periods

std::string arrivals_sentence(const std::vector<ArrivalRow>& arrivals) {
  const ArrivalRow& first = arrivals.front();
  std::string text = "arrival " + first.source + " " + first.span;
  if (first.version > 1) text += " version " + std::to_string(first.version);
  if (arrivals.size() == 1) return text;
  const ArrivalRow& last = arrivals.back();
  return std::to_string(arrivals.size()) + " arrivals, " + first.source + " " + first.span +
         " to " + last.source + " " + last.span;
}

}  // namespace

SpanRow* Engine::State::span_row(const std::string& pipeline, const std::string& source,
                                 const std::string& span, std::int64_t version) {
  const auto state = pipelines.find(pipeline);
  if (state == pipelines.end()) return nullptr;
  const auto by_source = state->second.spans.find(source);
  if (by_source == state->second.spans.end()) return nullptr;
  const auto versions = by_source->second.find(span);
  if (versions == by_source->second.end()) return nullptr;
  for (SpanRow& row : versions->second) {
    if (row.version == version) return &row;
  }
  return nullptr;
}

void Engine::State::on(const event::Arrived& event) {
  const auto found = pipelines.find(event.pipeline);
  if (found == pipelines.end()) return;  // removed between the delivery and now
  PipelineState& pipeline = found->second;
  SpanVersions& versions = pipeline.spans[event.source][event.span];
  // Compared with the newest version only: A, B, A again is version 3 (rule 15).
  if (!versions.empty() && versions.back().artifact.digest == event.artifact.digest) return;
  ArrivalRow arrival;
  arrival.number = ++last_arrival;
  arrival.pipeline = event.pipeline;
  arrival.source = event.source;
  arrival.span = event.span;
  arrival.version = versions.empty() ? 1 : versions.back().version + 1;
  arrival.artifact = event.artifact;
  arrival.path = event.path;
  arrival.at = now.wall_ms;
  put(arrival);
  SpanRow span;
  span.pipeline = event.pipeline;
  span.source = event.source;
  span.span = event.span;
  span.version = arrival.version;
  span.arrival = arrival.number;
  span.artifact = event.artifact;
  span.at = now.wall_ms;
  const bool gated = span_needs_review(pipeline, span);
  put(span);
  versions.push_back(span);
  if (gated) {
    look_at_span_reviews(pipeline);
    return;
  }
  arm(pipeline, arrival);
  for (auto& [number, run] : runs) {
    if (run.row.pipeline != event.pipeline) continue;
    for (const NodeIndex index : std::exchange(run.source_waiters, {})) {
      work.emplace_back(number, index);
    }
  }
}

void Engine::State::arm(PipelineState& pipeline, const ArrivalRow& arrival) {
  const auto& triggers = pipeline.current->spec.triggers;
  for (std::size_t i = 0; i < triggers.size(); ++i) {
    const TriggerSpec& trigger = triggers[i];
    if (std::find(trigger.arrival.begin(), trigger.arrival.end(), arrival.source) ==
        trigger.arrival.end()) {
      continue;
    }
    PipelineState::Pending& pending = pipeline.pending[i];
    if (pending.arrivals.empty()) pending.first_ms = now.steady_ms;
    pending.arrivals.push_back(arrival);
    pending.due_ms = std::min(now.steady_ms + trigger.coalesce_ms,
                              pending.first_ms + coalesce_cap * trigger.coalesce_ms);
    if (pipeline.row.paused) continue;
    if (pending.due_ms <= now.steady_ms) {
      fire(pipeline, i);
    } else {
      timers.emplace(pending.due_ms,
                     Timer{Timer::Kind::coalesce, pipeline.row.name, i, 0, 0, "", 0});
    }
  }
}

void Engine::State::fire(PipelineState& pipeline, std::size_t trigger) {
  const auto found = pipeline.pending.find(trigger);
  if (found == pipeline.pending.end() || trigger >= pipeline.current->spec.triggers.size()) return;
  const TriggerSpec& spec = pipeline.current->spec.triggers[trigger];
  const auto& waiting = found->second.arrivals;
  if (spec.all_of) {
    for (const std::string& source : spec.arrival) {
      const bool there = std::any_of(waiting.begin(), waiting.end(),
                                     [&](const ArrivalRow& a) { return a.source == source; });
      if (!there) return;
    }
  }
  std::vector<ArrivalRow> arrivals = std::move(found->second.arrivals);
  pipeline.pending.erase(found);
  std::stable_sort(arrivals.begin(), arrivals.end(), [](const ArrivalRow& a, const ArrivalRow& b) {
    return a.source == b.source && span_before(a.span, b.span);
  });
  const std::string name = pipeline.row.name;
  Reason reason{"arrival", arrivals_sentence(arrivals), {}};
  std::vector<std::int64_t> numbers;
  for (const ArrivalRow& arrival : arrivals) numbers.push_back(arrival.number);
  std::string skipped;
  const RunNumber run =
      start_triggered(pipeline, spec.params, std::move(reason), "arrival", skipped);
  if (run == 0) {
    take_arrivals(pipeline, numbers, active_run(name));
    return;
  }
  if (planted != PlantedBug::double_fire) take_arrivals(pipeline, numbers, run);
}

void Engine::State::make_room(PipelineState& pipeline) {
  const std::string& overlap = pipeline.current->spec.run.overlap;
  const bool coalesce = overlap == "coalesce";
  if (!coalesce && overlap != "cancel_previous") return;
  const Reason reason = coalesce ? Reason{"coalesced", "its arrivals are taken by a later run", {}}
                                 : Reason{"overlap", "cancelled for a newer run", {}};
  std::vector<RunNumber> older;
  for (const auto& [number, run] : runs) {
    if (run.row.pipeline != pipeline.row.name || run.cancelling) continue;
    if (run.row.options.backfill != 0) continue;
    const RunState state = run.row.state;
    // Those in the queue first, so that none of them starts when a running one ends.
    if (state == RunState::queued) older.insert(older.begin(), number);
    if (state == RunState::running && !coalesce) older.push_back(number);
  }
  for (const RunNumber number : older) {
    const auto run = runs.find(number);
    if (run == runs.end()) continue;
    const RunRow& row = run->second.row;
    if (coalesce && (row.reason.code == "requested" || row.started_at != 0)) continue;
    cancel_run(run->second, reason);
  }
}

// An arrival starts one run, whichever trigger is the first to fire.
void Engine::State::take_arrivals(PipelineState& pipeline,
                                  const std::vector<std::int64_t>& numbers, RunNumber run) {
  ledger.mark_fired(numbers, run);
  const std::set<std::int64_t> taken(numbers.begin(), numbers.end());
  for (auto& [trigger, pending] : pipeline.pending) {
    std::erase_if(pending.arrivals, [&](const ArrivalRow& a) { return taken.contains(a.number); });
  }
  std::erase_if(pipeline.pending, [](const auto& entry) { return entry.second.arrivals.empty(); });
}

void Engine::State::rearm(PipelineState& pipeline) {
  std::map<std::int64_t, ArrivalRow> waiting;
  for (auto& [trigger, pending] : std::exchange(pipeline.pending, {})) {
    for (ArrivalRow& arrival : pending.arrivals) waiting.emplace(arrival.number, arrival);
  }
  for (const auto& [number, arrival] : waiting) arm(pipeline, arrival);
}

void Engine::State::set_span(Run& run, SpanIndex index, SpanState state, const std::string& why,
                             const std::string& who, StepIndex step) {
  // A failure says something about the step that failed alone, anything else about all (rule 17).
  const bool judges = state == SpanState::failed ? run.defined_as_filed[step] : run.judges_spans;
  const RunSpan& span = run.row.spans[index];
  const bool partly = state != SpanState::failed && run.unjudged.contains(span.source);
  if (!judges || partly) return;
  SpanRow* row = span_row(run.row.pipeline, span.source, span.span, span.version);
  if (row == nullptr) return;
  const bool decided_by_person =
      row->state == SpanState::dropped || row->state == SpanState::rejected;
  if (row->state == state || (decided_by_person && who.empty())) return;
  row->state = state;
  row->why = why;
  row->who = who;
  row->run = run.row.number;
  row->at = now.wall_ms;
  row->definition = step == no_step ? Digest{} : run.definitions[step];
  put(*row);
}

void Engine::State::span_element_ended(Run& run, NodeIndex index) {
  const Node& node = run.nodes[index];
  const SpanIndex span = node.span;
  const std::string& name = run.step_of(index).spec.name;
  const auto death = run.span_death[span];
  if (is_done(node.state) || node.state == StepState::skipped) {
    if (--run.span_open[span] == 0 && death == Run::SpanDeath::none && !run.span_dropped[span]) {
      run.span_accepted[span] = true;
      set_span(run, span, SpanState::accepted, "", "", no_step);
    }
  } else if (node.state == StepState::halted) {
    set_span(run, span, SpanState::halted, name, "", node.step);
  } else if (node.state == StepState::failed || node.state == StepState::rejected) {
    run.span_death[span] = Run::SpanDeath::inside;
    if (node.state == StepState::failed) {
      set_span(run, span, SpanState::failed, name, "", node.step);
    }
  } else if (node.state == StepState::blocked && death == Run::SpanDeath::none) {
    run.span_death[span] = Run::SpanDeath::outside;
  }
  const bool settled = run.span_accepted[span] || run.span_death[span] != Run::SpanDeath::none ||
                       run.span_dropped[span];
  const auto watchers = run.span_watchers.find(span);
  if (!settled || watchers == run.span_watchers.end()) return;
  for (const NodeIndex waiting : std::exchange(watchers->second, {})) {
    work.emplace_back(run.row.number, waiting);
  }
}

}  // namespace pipelined
