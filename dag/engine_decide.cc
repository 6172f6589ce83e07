// From settled inputs to reuse, halt, review or an attempt.
#include <algorithm>

#include "dag/cache_key.h"
#include "dag/condition.h"
#include "dag/engine_state.h"

namespace pipelined {
namespace {

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

// The newest result under the key of a step, unless somebody asked for it to be passed over or declared it bad:
// then `why_not` tells.
std::optional<ResultRow> Engine::State::result_to_use(const Run& run, NodeIndex index,
                                                      Reason& why_not) const {
  const Node& node = run.nodes[index];
  const auto result = ledger.find_result(*node.key, last_seq + 1);
  const auto& force = run.row.options.force;
  const bool forced =
      std::find(force.begin(), force.end(), run.step_of(index).spec.name) != force.end();
  if (result && result->seq < node.pass_over) {
    why_not = {"retried", "runs again: the earlier result is passed over", {}};
  } else if (result && forced && result->seq < run.row.created_seq) {
    why_not = {"forced", "forced: earlier results are passed over", {}};
  } else if (result) {
    return result;
  } else if (const auto bad = ledger.find_invalidation(*node.key)) {
    why_not = {"invalidated", "its earlier result was declared bad by " + bad->who + ": " + bad->why, {}};
  }
  return {};
}

void Engine::State::decide_ready(Run& run, NodeIndex index, ResolvedInputs inputs) {
  const PipelineStep& step = run.step_of(index);
  Node& node = run.nodes[index];
  run.held.erase(index);
  if (hold_on(run, index) != nullptr) {
    run.held.insert(index);
    return;
  }
  if (!review_passed(run, index, inputs)) return;
  for (ResolutionRow& row : inputs.to_record) put(std::move(row));
  ReadyWork item{std::move(inputs.ports), "", {}};
  if (step.spec.run_on != "success") {  // rule 29: no key
    item.reason = {"run_on", "runs on " + step.spec.run_on, {}};
    return queue_ready(run, index, std::move(item));
  }
  node.time_is_up = has_no_time_left(run, index);
  ValueTable own;
  item.key_text = key_text(step, params_of_node(run, index, own), item.inputs);
  node.key = sha256(item.key_text);
  if (!uses_cache(step)) {
    item.reason = {"not_cached", step.info->effect ? "has an effect outside, so it runs every time"
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
  const auto result = result_to_use(run, index, item.reason);
  if (result) {
    if (const auto lost = ledger.first_lost(*result)) {
      item.reason = {"output_lost", "output " + lost->brief() + " of run " +
                                        std::to_string(result->run) + " was lost", {}};
    } else if (step.spec.generates && asks_for_more(*result)) {
      return take_round(run, index, *result);
    } else if (result->halt && (!answer_to(run, *node.key) ||
                                planted == PlantedBug::forget_acceptance)) {
      node.result = result->id;
      node.outputs = std::make_shared<const std::vector<Binding>>(result->outputs);
      return halt_node(run, index, *result);
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
  Reason why = reason;
  if (why.code.empty()) {
    why = {"same_inputs", "same inputs as run " + std::to_string(result.run), {}};
    if (const auto answer = result.halt ? answer_to(run, *node.key) : std::nullopt) {
      why = accepted_reason(*answer, "halted in run " + std::to_string(result.run) + ", ");
    }
  }
  node.outputs = outputs_given(result, why);
  if (run.step_of(index).spec.generates) take_elements(node, result);
  set_state(run, index, StepState::cached, std::move(why));
  return true;
}

Reason Engine::State::why_run(const Run& run, NodeIndex index, const std::string& text) {
  const PipelineStep& step = run.step_of(index);
  const auto nearest =
      ledger.nearest_result(run.row.pipeline, step.spec.name, run.element_of(index));
  if (!nearest) return {"first_time", "no earlier result", {}};
  std::vector<ReasonDetail> differences = key_difference(nearest->key_text, text);
  name_defaults(differences, *step.info);
  return miss_reason(differences, nearest->run);
}

}  // namespace pipelined
