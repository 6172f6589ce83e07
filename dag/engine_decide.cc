// From settled inputs to reuse, halt, review or an attempt.
#include <algorithm>

#include "dag/cache_key.h"
#include "dag/condition.h"
#include "dag/engine_state.h"

namespace pipelined {
namespace {

constexpr std::size_t admission_scan_max = 256;

// Results made by this step may be reused, and it may reuse others'.
bool uses_cache(const PipelineStep& step) {
  return step.spec.cache && step.info.cacheable && !step.info.effect &&
         step.spec.run_on == "success";
}

Digest review_scope(const Run& run, const PipelineStep& step, const ResolvedInputs& inputs) {
  std::string text = "review\n" + run.row.pipeline + "\n" + step.spec.name + "\n";
  for (const PortInputs& port : inputs.ports) {
    text += port.port;
    for (const ArtifactRef& artifact : port.artifacts) text += " " + artifact.digest.hex();
    text += "\n";
  }
  return sha256(text);
}

std::string short_input(const PortInputs& port) {
  if (port.artifacts.size() == 1) return port.port + " " + port.artifacts[0].digest.brief();
  return std::to_string(port.artifacts.size()) + " artifacts at " + port.port;
}

}  // namespace

void Engine::State::evaluate_node(Run& run, NodeIndex index) {
  Node& node = run.nodes[index];
  if (run.row.state != RunState::running || node.state != StepState::waiting || node.backing_off) {
    return;
  }
  const PipelineStep& step = run.step_of(index);
  if (run.cancelling && step.spec.run_on != "always") {
    set_state(run, index, StepState::cancelled, run.row.end_reason);
    return;
  }
  if (node.span != no_span && run.span_dropped[node.span]) {
    set_state(run, index, StepState::skipped, {"span_dropped", "its span was dropped", {}});
    return;
  }
  if (step.spec.run_on != "success") return;  // considered when the run comes to rest
  Evaluation found = evaluate(run, index);
  if (dry) dry_reasons[{run.row.number, index}] = found.reason;
  switch (found.kind) {
    case Evaluation::Kind::wait_node: run.node_watchers[found.node].push_back(index); break;
    case Evaluation::Kind::wait_span: run.span_watchers[found.span].push_back(index); break;
    case Evaluation::Kind::wait_source: run.source_waiters.insert(index); break;
    case Evaluation::Kind::skip: set_state(run, index, StepState::skipped, found.reason); break;
    case Evaluation::Kind::block: set_state(run, index, StepState::blocked, found.reason); break;
    case Evaluation::Kind::ready:
      if (condition_holds(run, index)) decide_ready(run, index, std::move(found.inputs));
      break;
  }
}

bool Engine::State::condition_holds(Run& run, NodeIndex index) {
  const PipelineStep& step = run.step_of(index);
  if (step.spec.when.empty()) return true;
  auto condition = Condition::parse(step.spec.when);
  if (!condition) {
    fail_node(run, index, "condition", "when: " + condition.error().message);
    return false;
  }
  auto lookup = [&](const ConditionName& name) -> ConditionValue {
    const StepIndex from = run.pipeline->find(name.step);
    if (from == no_step) return {};
    const SpanIndex span =
        run.pipeline->steps[from].fan_source.empty() ? no_span : run.nodes[index].span;
    const auto n = run.find(from, span);
    if (!n || run.nodes[*n].result == 0) return {};
    const auto result = ledger.find_result_by_id(run.nodes[*n].result);
    if (!result) return {};
    for (const MetricFact& fact : result->metrics) {
      if (fact.name == name.name && fact.slice == name.slice) return fact.value;
    }
    const ValueTable* notes = result->notes.as_table();
    const auto note = notes == nullptr ? ValueTable::const_iterator{} : notes->find(name.name);
    if (notes == nullptr || note == notes->end()) return {};
    if (const std::string* text = note->second.as_text()) return *text;
    if (const double* number = note->second.as_double()) return *number;
    if (const std::int64_t* number = note->second.as_int()) return static_cast<double>(*number);
    return canonical(note->second);
  };
  const auto outcome = condition->evaluate(lookup);
  if (!outcome) {
    fail_node(run, index, "condition", "when: " + outcome.error().message);
    return false;
  }
  if (outcome->holds) return true;
  set_state(run, index, StepState::skipped,
            {"condition_false", "when " + step.spec.when + " does not hold: " + outcome->values, {}});
  return false;
}

// A review gates the step after its inputs exist and before it runs; its evidence is the inputs.
bool Engine::State::review_passed(Run& run, NodeIndex index, const ResolvedInputs& inputs) {
  const PipelineStep& step = run.step_of(index);
  if (!step.spec.review.required) return true;
  const Digest scope = review_scope(run, step, inputs);
  Node& node = run.nodes[index];
  if (const auto answer = ledger.find_acceptance(scope)) {
    if (!answer->rejected) return true;
    set_state(run, index, StepState::rejected,
              {"review_rejected", "rejected by " + answer->who + ": " + answer->why, {}});
    return false;
  }
  node.key = scope;
  const std::string path = step_path(step.spec.name, run.element_of(index));
  set_state(run, index, StepState::in_review,
            {"in_review", "waits for a person: pipectl approve " + std::to_string(run.row.number) +
                              " " + path + " --why …, or reject", {}});
  alert({run.row.pipeline + "/" + path + "/review/" + scope.hex(), run.row.pipeline, path, "info",
         path + " of run " + std::to_string(run.row.number) + " waits for review",
         run.row.number, step.spec.name, run.element_of(index), {}, 0, 0});
  const std::int64_t expires = step.spec.review.expires_ms;
  node.next_try_at = expires > 0 ? now.wall_ms + expires : 0;
  arm_review(run, index);
  return false;
}

void Engine::State::arm_review(const Run& run, NodeIndex index) {
  const Node& node = run.nodes[index];
  if (node.state != StepState::in_review || node.next_try_at == 0) return;
  // The wall clock may have been set meanwhile: never longer than the whole time.
  const TimeMs left = std::clamp<TimeMs>(node.next_try_at - now.wall_ms, 0,
                                         run.step_of(index).spec.review.expires_ms);
  timers.emplace(now.steady_ms + left,
                 Timer{Timer::Kind::review, "", 0, run.row.number, index, "", node.next_try_at});
}

void Engine::State::decide_ready(Run& run, NodeIndex index, ResolvedInputs inputs) {
  const PipelineStep& step = run.step_of(index);
  Node& node = run.nodes[index];
  if (!review_passed(run, index, inputs)) return;
  for (ResolutionRow& row : inputs.to_record) put(std::move(row));
  ReadyWork item{std::move(inputs.ports), "", {}};
  if (step.spec.run_on != "success") {  // rule 29: no key
    item.reason = {"run_on", "runs on " + step.spec.run_on, {}};
    queue_ready(run, index, std::move(item));
    return;
  }
  item.key_text = key_text(step, run.params[node.step], item.inputs);
  node.key = sha256(item.key_text);
  if (!uses_cache(step)) {
    item.reason = {"not_cached", step.info.effect ? "has an effect outside, so it runs every time"
                                                  : "cache = false, so it runs every time", {}};
    queue_ready(run, index, std::move(item));
    return;
  }
  if (const auto holder = key_holders.find(*node.key); holder != key_holders.end()) {
    key_waiters[*node.key].emplace_back(run.row.number, index);
    node.state = StepState::ready;
    ++run.ready;
    if (dry) dry_reasons[{run.row.number, index}] = {"same_work", "the same work is running", {}};
    return;
  }
  const auto& force = run.row.options.force;
  const bool forced = std::find(force.begin(), force.end(), step.spec.name) != force.end();
  auto result = ledger.find_result(*node.key, last_seq + 1);
  if (result && forced && result->seq < run.row.created_seq) {
    result.reset();
    item.reason = {"forced", "forced: earlier results are passed over", {}};
  }
  if (result) {
    if (const auto lost = ledger.first_lost(*result)) {
      item.reason = {"output_lost", "output " + lost->brief() + " of run " +
                                        std::to_string(result->run) + " was lost", {}};
    } else if (result->halt && (!ledger.find_acceptance(*node.key) ||
                                planted == PlantedBug::forget_acceptance)) {
      node.result = result->id;
      node.outputs = std::make_shared<const std::vector<Binding>>(result->outputs);
      halt_node(run, index, *result);
      return;
    } else {
      reuse(run, index, *result, {});
      return;
    }
  }
  if (item.reason.code.empty()) item.reason = why_run(run, index, item.key_text);
  if (item.reason.code == "first_time" && !item.inputs.empty()) {
    item.reason.sentence += " for " + short_input(item.inputs.front());
  }
  queue_ready(run, index, std::move(item));
}

bool Engine::State::reuse(Run& run, NodeIndex index, const ResultRow& result, const Reason& reason) {
  Node& node = run.nodes[index];
  node.result = result.id;
  node.outputs = std::make_shared<const std::vector<Binding>>(result.outputs);
  Reason why = reason;
  if (why.code.empty()) {
    why = {"same_inputs", "same inputs as run " + std::to_string(result.run), {}};
    if (result.halt) {
      const auto answer = ledger.find_acceptance(*node.key);
      why = {"accepted", "halted in run " + std::to_string(result.run) + ", accepted by " +
                             (answer ? answer->who + ": " + answer->why : "nobody"), {}};
    }
  }
  set_state(run, index, StepState::cached, std::move(why));
  return true;
}

Reason Engine::State::why_run(const Run& run, NodeIndex index, const std::string& text) {
  const PipelineStep& step = run.step_of(index);
  const auto nearest =
      ledger.nearest_result(run.row.pipeline, step.spec.name, run.element_of(index));
  if (!nearest) return {"first_time", "no earlier result", {}};
  std::vector<ReasonDetail> differences = key_difference(nearest->key_text, text);
  name_defaults(differences, step.info);
  return miss_reason(differences, nearest->run);
}

Engine::State::ReadyEntry Engine::State::ready_entry(const Run& run, NodeIndex index) const {
  const PipelineStep& step = run.pipeline->steps[run.nodes[index].step];
  return {run.pipeline->spec.run.priority + step.spec.priority, run.row.number, step.depth_to_end,
          index};
}

void Engine::State::queue_ready(Run& run, NodeIndex index, ReadyWork item) {
  if (dry) dry_reasons[{run.row.number, index}] = item.reason;
  // The key is held from now on, so that the same work elsewhere waits rather than runs twice.
  if (run.nodes[index].key && uses_cache(run.step_of(index))) {
    key_holders.emplace(*run.nodes[index].key, "");
  }
  run.nodes[index].state = StepState::ready;
  ++run.ready;
  ready.emplace(ready_entry(run, index), std::move(item));
}

void Engine::State::drop_ready(Run& run, NodeIndex index) {
  Node& node = run.nodes[index];
  if (node.state != StepState::ready) return;
  --run.ready;
  node.state = StepState::waiting;
  if (ready.erase(ready_entry(run, index)) > 0) {
    LiveAttempt nobody;
    nobody.key = uses_cache(run.step_of(index)) ? node.key : std::nullopt;
    release_key(nobody);
    return;
  }
  if (!node.key) return;
  if (const auto waiting = key_waiters.find(*node.key); waiting != key_waiters.end()) {
    std::erase(waiting->second, std::pair(run.row.number, index));
  }
}

Engine::State::Load Engine::State::load_now() const {
  Load load;
  for (const auto& [id, attempt] : attempts) {
    load.cpus += attempt.cpus;
    load.memory_bytes += attempt.memory_bytes;
  }
  return load;
}

// Every step wants some part of a processor, so then no other one fits either.
bool Engine::State::is_full(const Load& load) const {
  if (attempts.empty()) return false;
  if (capacity.attempts > 0 && static_cast<std::int64_t>(attempts.size()) >= capacity.attempts) {
    return true;
  }
  return load.cpus >= capacity.cpus;
}

bool Engine::State::fits(const Load& load, const Run& run, const Node& node,
                         const PipelineStep& step) const {
  if (step.spec.max_parallel > 0) {
    const auto same_step = std::count_if(attempts.begin(), attempts.end(), [&](const auto& entry) {
      const LiveAttempt& other = entry.second;
      return other.run == run.row.number && run.nodes[other.node].step == node.step;
    });
    if (same_step >= step.spec.max_parallel) return false;
  }
  if (attempts.empty()) return true;  // alone, anything may try: its limits are its own
  const double wanted = step.spec.resources.cpus > 0 ? step.spec.resources.cpus : step.info.cpus;
  if (load.cpus + wanted > capacity.cpus + 1e-9) return false;
  return capacity.memory_bytes == 0 ||
         load.memory_bytes + step.spec.resources.memory_bytes <= capacity.memory_bytes;
}

// What runs is added up once here, not once for each step that waits: this is called for every
// event, and thousands may wait.
void Engine::State::admit() {
  if (dry || ready.empty()) return;
  Load load = load_now();
  std::size_t scanned = 0;
  for (auto it = ready.begin(); it != ready.end() && scanned < admission_scan_max;) {
    if (is_full(load)) return;
    Run& run = runs.at(it->first.run);
    const NodeIndex index = it->first.node;
    const PipelineStep& step = run.step_of(index);
    if (!fits(load, run, run.nodes[index], step)) {
      ++it;
      ++scanned;
      continue;
    }
    ReadyWork item = std::move(it->second);
    it = ready.erase(it);
    start_attempt(run, index, std::move(item));
    load.cpus += step.spec.resources.cpus > 0 ? step.spec.resources.cpus : step.info.cpus;
    load.memory_bytes += step.spec.resources.memory_bytes;
  }
}

void Engine::State::start_attempt(Run& run, NodeIndex index, ReadyWork item) {
  const PipelineStep& step = run.step_of(index);
  Node& node = run.nodes[index];
  --run.ready;
  ++run.live;
  node.state = StepState::running;
  LiveAttempt live;
  live.row.id = new_attempt_id();
  live.row.run = run.row.number;
  live.row.step = step.spec.name;
  live.row.element = run.element_of(index);
  live.row.number = ++node.attempts;
  live.row.fence = new_fence();
  live.row.started_at = now.wall_ms;
  live.run = run.row.number;
  live.node = index;
  live.cpus = step.spec.resources.cpus > 0 ? step.spec.resources.cpus : step.info.cpus;
  live.memory_bytes = step.spec.resources.memory_bytes;
  if (uses_cache(step)) {
    live.key = node.key;
    key_holders[*node.key] = live.row.id;
  }
  live.key_text = std::move(item.key_text);
  live.reason = std::move(item.reason);
  node.started_at = now.wall_ms;
  live.inputs = item.inputs;
  ledger.put(live.row);
  write_step(run, index, live.reason);
  effect::StartAttempt start{live.row.id, live.row.fence, run.row.number, run.row.pipeline,
                             live.row.step, live.row.element, live.row.number,
                             step.info.id, step.info.plugin, run.params[node.step],
                             std::move(item.inputs), {}, step.spec.seed, live.cpus,
                             live.memory_bytes, step.spec.timeout_ms, step.info.network,
                             step.spec.resources.scratch_bytes, ""};
  if (step.info.resumable && live.key) start.checkpoint = live.key->hex();
  for (const OutputSpec& output : step.outputs) {
    if (!step.passed.contains(output.port)) start.outputs.push_back(output);
  }
  if (step.spec.timeout_ms > 0) {
    timers.emplace(now.steady_ms + step.spec.timeout_ms,
                   Timer{Timer::Kind::timeout, "", 0, run.row.number, index, live.row.id, 0});
  }
  attempts.emplace(live.row.id, std::move(live));
  emit(std::move(start));
}

}  // namespace pipelined
