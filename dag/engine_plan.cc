// What a run would do now: the same engine over a ledger that forgets.
//
// There is no second copy of the rules, so a plan cannot contradict the run that follows it at once.
// What cannot be known before something has run "depends", and on what is said.
#include "dag/dry_ledger.h"
#include "dag/engine_state.h"

namespace pipelined {
namespace {

/// The word for a state in which a planned node was left.
const char* verdict_of(StepState state) {
  switch (state) {
    case StepState::cached: return "reuse";
    case StepState::ready: return "run";
    case StepState::waiting: return "depends";
    case StepState::halted: return "halt";
    case StepState::skipped: return "skip";
    case StepState::blocked:
    case StepState::failed:
    case StepState::rejected: return "block";
    case StepState::in_review: return "wait";
    case StepState::running:
    case StepState::succeeded:
    case StepState::cancelled: break;
  }
  return name_of(state);
}

}  // namespace

// Looked up once for all nodes: who waits for whom, and which node is to do the work of a key.
struct Engine::State::PlanFacts {
  std::unordered_map<NodeIndex, NodeIndex> watched;
  std::unordered_map<Digest, NodeIndex> workers;
};

Engine::State::PlanFacts Engine::State::plan_facts(const Run& run) const {
  PlanFacts facts;
  for (const auto& [watched, watchers] : run.node_watchers) {
    for (const NodeIndex watcher : watchers) facts.watched.emplace(watcher, watched);
  }
  for (const auto& [place, item] : ready) {
    const Node& node = run.nodes[place.second];
    if (node.key) facts.workers.emplace(*node.key, place.second);
  }
  return facts;
}

PlannedStep Engine::State::planned_step(const Run& run, NodeIndex index,
                                        const PlanFacts& facts) const {
  const Node& node = run.nodes[index];
  PlannedStep step{run.step_of(index).spec.name, run.element_of(index), verdict_of(node.state), {}};
  if (const auto reason = dry_reasons.find({run.row.number, index}); reason != dry_reasons.end()) {
    step.reason = reason->second;
  }
  // Work that is done elsewhere, or by another step of the run, is taken from there when it is
  // good: whether this node runs depends on that.
  if (node.state == StepState::ready && !ready.contains({run.row.number, index})) {
    const auto worker = facts.workers.find(*node.key);
    step.verdict = "depends";
    step.reason = {"same_work", worker == facts.workers.end()
                                    ? "the same work is running"
                                    : "the same work as " + node_path(run, worker->second), {}};
  } else if (node.state == StepState::waiting) {
    const auto watched = facts.watched.find(index);
    if (watched != facts.watched.end() && !is_held(run.nodes[watched->second].state)) {
      step.reason = {"depends", "depends on the output of " + node_path(run, watched->second), {}};
    } else if (step.reason.sentence.empty()) {
      step.reason = why_node_waits(run, index);
    }
  }
  return step;
}

// What a run came to over a ledger that forgets.
std::vector<PlannedStep> Engine::State::planned(RunNumber number) const {
  std::vector<PlannedStep> steps;
  const Run& run = runs.at(number);
  const PlanFacts facts = plan_facts(run);
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) steps.push_back(planned_step(run, n, facts));
  return steps;
}

Result<std::vector<PlannedStep>> Engine::plan(const std::string& pipeline,
                                              const RunOptions& options, Instant now) const {
  const auto found = state_->pipelines.find(pipeline);
  if (found == state_->pipelines.end() || !found->second.current) {
    return Error{ErrorCode::not_found, "plan: there is no pipeline " + pipeline};
  }
  if (auto error = state_->options_error(*found->second.current, options)) return *std::move(error);
  if (auto error = state_->missing_error(found->second, options)) return *std::move(error);
  DryLedger ledger(state_->ledger);
  State dry(ledger, 0);
  std::vector<Effect> effects;
  dry.dry = true;
  dry.now = now;
  dry.effects = &effects;
  dry.last_seq = state_->last_seq;
  dry.last_run = state_->last_run;
  dry.last_arrival = state_->last_arrival;
  dry.last_result = state_->last_result;
  dry.key_holders = state_->key_holders;  // what runs now elsewhere is not begun a second time
  dry.pipelines[pipeline] = found->second;
  const RunNumber number = dry.create_run(dry.pipelines[pipeline], options, {}, "plan");
  dry.keep = number;
  dry.settle();
  return dry.planned(number);
}

}  // namespace pipelined
