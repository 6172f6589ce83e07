// What a step of an open run waits for, told from what the engine holds in memory.
//
// The answers are read off the same lists from which the step will be taken up again (watchers,
// the queue for slots, holders of keys, timers), so that what is said is what it waits for.
#include <algorithm>

#include "dag/engine_state.h"
#include "dag/explain.h"

namespace pipelined {
namespace {

/// Beyond so many steps that wait for one another only the last is named.
constexpr int chain_told_max = 3;

std::string counted(std::int64_t count, const std::string& one, const std::string& many) {
  return with_thousands(count) + " " + (count == 1 ? one : many);
}

}  // namespace

std::string Engine::State::node_path(const Run& run, NodeIndex index) const {
  return step_path(run.step_of(index).spec.name, run.element_of(index));
}

std::optional<NodeIndex> Engine::State::watched_by(const Run& run, NodeIndex index) const {
  for (const auto& [watched, watchers] : run.node_watchers) {
    if (std::find(watchers.begin(), watchers.end(), index) != watchers.end()) return watched;
  }
  return std::nullopt;
}

// "waits for evaluate, which waits for train, which has been running for 3.0 s"
std::string Engine::State::told_chain(const Run& run, NodeIndex first) const {
  std::string sentence = "waits for " + node_path(run, first);
  NodeIndex at = first;
  for (int told = 1;; ++told) {
    const Node& node = run.nodes[at];
    if (node.state == StepState::running) {
      return sentence + ", which has been running for " +
             spoken_duration(now.wall_ms - node.started_at);
    }
    if (node.state == StepState::in_review) return sentence + ", which is in review";
    if (node.state != StepState::waiting && node.state != StepState::ready) {
      return sentence + ", which is " + name_of(node.state);
    }
    const auto next = watched_by(run, at);
    if (!next) {
      const Reason reason = why_node_waits(run, at);
      return sentence + (reason.sentence.empty() ? "" : ", which " + reason.sentence);
    }
    if (told < chain_told_max) sentence += ", which waits for " + node_path(run, *next);
    if (told == chain_told_max) {
      NodeIndex last = *next;
      std::size_t steps = 0;
      for (auto further = watched_by(run, last); further && ++steps < run.nodes.size();
           further = watched_by(run, last)) {
        last = *further;
      }
      sentence += ", and so on up to " + node_path(run, last);
      at = last;
      continue;
    }
    at = *next;
  }
}

Reason Engine::State::why_ready_waits(const Run& run, NodeIndex index) const {
  const Node& node = run.nodes[index];
  if (ready.contains({run.row.number, index})) {
    return {"waits_for_slot", "waits for a slot: " + why_no_slot(run, index), {}};
  }
  const auto holder = node.key ? key_holders.find(*node.key) : key_holders.end();
  if (holder == key_holders.end()) return {};
  const auto attempt = attempts.find(holder->second);
  if (attempt == attempts.end()) {
    return {"same_work", "waits for the same work, which another step is about to do", {}};
  }
  const Run& other = runs.at(attempt->second.run);
  std::string where = node_path(other, attempt->second.node);
  if (other.row.number != run.row.number) where += " of run " + std::to_string(other.row.number);
  return {"same_work", "waits for the same work, which " + where + " is doing", {}};
}

Reason Engine::State::why_node_waits(const Run& run, NodeIndex index) const {
  const Node& node = run.nodes[index];
  const PipelineStep& step = run.step_of(index);
  if (const HoldRow* hold = run.held.contains(index) ? hold_on(run, index) : nullptr) {
    return {"held", held_sentence(*hold), {}};
  }
  if (node.state == StepState::ready) return why_ready_waits(run, index);
  if (node.backing_off) {
    return {"retry", "waits before its next try, which begins in " +
                         spoken_duration(node.next_try_at - now.wall_ms), {}};
  }
  if (const auto watched = watched_by(run, index)) {
    return {"waits_for_step", told_chain(run, *watched), {}};
  }
  for (const auto& [span, watchers] : run.span_watchers) {
    if (std::find(watchers.begin(), watchers.end(), index) == watchers.end()) continue;
    const RunSpan& one = run.row.spans[span];
    return {"waits_for_span", "waits until span " + one.source + "/" + one.span +
                                  " is accepted or dropped", {}};
  }
  if (run.source_waiters.contains(index)) {
    for (const PipelineInput& input : step.inputs) {
      if (input.spec.kind != InputSpec::Kind::source) continue;
      return {"waits_for_source", "waits for the first delivery of source " + input.spec.source,
              {}};
    }
    return {"waits_for_source", "waits for a first delivery", {}};
  }
  if (step.spec.run_on != "success") {
    return {"run_on", "runs on " + step.spec.run_on + ": waits until every step before it has ended",
            {}};
  }
  return {};
}

// A queued run has no nodes yet: all its steps wait for the same thing.
Reason Engine::State::why_run_waits(const Run& run) const {
  std::vector<std::string> others;
  for (const auto& [number, other] : runs) {
    if (other.row.pipeline == run.row.pipeline && other.row.state == RunState::running) {
      others.push_back("run " + std::to_string(number));
    }
  }
  if (others.empty()) return {"run_queued", "waits for its run to begin", {}};
  return {"run_queued",
          "waits for " + spoken_list(others) + ": pipeline " + run.row.pipeline + " allows " +
              counted(run.pipeline->spec.run.max_active, "run", "runs") + " at a time",
          {}};
}

std::optional<Reason> Engine::why_waiting(RunNumber number, const std::string& step,
                                          const std::string& element, Instant now) const {
  State& state = *state_;
  state.now = now;
  const auto found = state.runs.find(number);
  if (found == state.runs.end()) return std::nullopt;
  const Run& run = found->second;
  const StepIndex index = run.pipeline->find(step);
  if (index == no_step) return std::nullopt;
  if (run.row.state == RunState::queued) return state.why_run_waits(run);
  for (NodeIndex n = run.first_node[index]; n < run.first_node[index + 1]; ++n) {
    if (run.element_of(n) != element) continue;
    const StepState at = run.nodes[n].state;
    if (at != StepState::waiting && at != StepState::ready) return std::nullopt;
    Reason reason = state.why_node_waits(run, n);
    if (reason.sentence.empty()) return std::nullopt;
    return reason;
  }
  return std::nullopt;
}

}  // namespace pipelined
