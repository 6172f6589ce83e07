// Ends of attempts, changes of state and what they set in motion, the end of runs.
#include <algorithm>

#include "dag/engine_state.h"
#include "dag/explain.h"
#include "dag/retry.h"

namespace pipelined {
namespace {

constexpr int machine_faults_max = 3;

// The required output that an operator did not deliver, if any.
const OutputSpec* missing_output(const PipelineStep& step, const std::vector<Binding>& outputs) {
  for (const OutputSpec& wanted : step.outputs) {
    if (wanted.optional || step.passed.contains(wanted.port)) continue;
    const bool there = std::any_of(outputs.begin(), outputs.end(),
                                   [&](const Binding& b) { return b.port == wanted.port; });
    if (!there) return &wanted;
  }
  return nullptr;
}

// What it wrote, and the inputs that stand at its passed-through ports.
std::vector<Binding> all_outputs(const PipelineStep& step, const LiveAttempt& attempt,
                                 std::vector<Binding> outputs) {
  for (const auto& [output, input] : step.passed) {
    for (const PortInputs& port : attempt.inputs) {
      if (port.port != input) continue;
      for (std::size_t i = 0; i < port.artifacts.size(); ++i) {
        outputs.push_back({output, static_cast<std::int64_t>(i), port.artifacts[i]});
      }
    }
  }
  std::sort(outputs.begin(), outputs.end(), [](const Binding& a, const Binding& b) {
    return a.port != b.port ? a.port < b.port : a.position < b.position;
  });
  return outputs;
}

std::vector<Binding> as_bindings(const std::vector<PortInputs>& inputs) {
  std::vector<Binding> bindings;
  for (const PortInputs& port : inputs) {
    for (std::size_t i = 0; i < port.artifacts.size(); ++i) {
      bindings.push_back({port.port, static_cast<std::int64_t>(i), port.artifacts[i]});
    }
  }
  return bindings;
}

}  // namespace

LiveAttempt Engine::State::end_attempt(const std::string& id, Outcome outcome, bool fault,
                                       const std::string& error, const AttemptUse& use) {
  const auto found = attempts.find(id);
  CHECK(found != attempts.end());
  LiveAttempt attempt = std::move(found->second);
  attempts.erase(found);
  attempt.row.running = false;
  attempt.row.outcome = outcome;
  attempt.row.machine_fault = fault;
  attempt.row.error = error;
  attempt.row.ended_at = now.wall_ms;
  attempt.row.cpu_ms = use.cpu_ms;
  attempt.row.memory_peak_bytes = use.memory_peak_bytes;
  attempt.row.scratch_bytes = use.scratch_bytes;
  attempt.row.failure_class = use.failure_class;
  ledger.put(attempt.row);
  Run& run = runs.at(attempt.run);
  --run.live;
  run.nodes[attempt.node].state = StepState::waiting;  // until what follows decides otherwise
  touched.insert(attempt.run);
  return attempt;
}

void Engine::State::release_key(const LiveAttempt& attempt) {
  if (!attempt.key) return;
  key_holders.erase(*attempt.key);
  const auto waiting = key_waiters.find(*attempt.key);
  if (waiting == key_waiters.end()) return;
  const auto nodes = std::move(waiting->second);
  key_waiters.erase(waiting);
  for (const auto& [number, index] : nodes) {
    const auto run = runs.find(number);
    if (run == runs.end() || run->second.nodes[index].state != StepState::ready) continue;
    run->second.nodes[index].state = StepState::waiting;
    --run->second.ready;
    work.emplace_back(number, index);
    touched.insert(number);
  }
}

void Engine::State::on(const event::AttemptEnded& event) {
  const auto found = attempts.find(event.attempt);
  if (found == attempts.end()) return;  // of a dead life: its fence is worth nothing
  if (found->second.row.fence != event.fence) return;
  Run& run = runs.at(found->second.run);
  const PipelineStep& step = run.step_of(found->second.node);
  Outcome outcome = event.outcome;
  std::string error = event.error;
  if (outcome == Outcome::ok || outcome == Outcome::halt) {
    if (!event.refused.empty()) {
      outcome = Outcome::failed;
      error = event.refused;
    } else if (const OutputSpec* missing = missing_output(step, event.outputs)) {
      outcome = Outcome::failed;
      error = "output " + missing->port + " missing: the operator ended without writing it";
    } else if (std::string refused = refused_request(run, found->second.node, event);
               !refused.empty()) {
      outcome = Outcome::failed;
      error = std::move(refused);
    }
  } else if (outcome == Outcome::more) {
    error = refused_elements(run, found->second.node, event);
    if (!error.empty()) outcome = Outcome::failed;
  }
  const bool good =
      outcome == Outcome::ok || outcome == Outcome::halt || outcome == Outcome::more;
  const bool timeout = found->second.timed_out() && !good;
  const LiveAttempt attempt =
      end_attempt(event.attempt, outcome, false, good ? "" : error,
                  {event.cpu_ms, event.memory_peak_bytes, event.scratch_bytes,
                   good ? "" : timeout ? "timeout" : event.failure_class});
  Node& node = run.nodes[attempt.node];
  if (good) node.faults = 0;
  if (attempt.killed == LiveAttempt::Killed::dropped) {
    run.span_dropped[node.span] = true;  // also when the span was restored meanwhile
    set_state(run, attempt.node, StepState::skipped, {"span_dropped", "its span was dropped", {}});
  } else if (attempt.killed == LiveAttempt::Killed::cancelled && !good) {
    set_state(run, attempt.node, StepState::cancelled, run.row.end_reason);
  } else if (attempt.timed_out() && !good) {
    attempt_timed_out(run, attempt);
  } else if (good) {
    event::AttemptEnded checked = event;
    checked.outcome = outcome;
    attempt_done(run, attempt, checked);
  } else {
    const bool retryable = outcome == Outcome::retry || (event.retryable && outcome == event.outcome);
    if (planted == PlantedBug::cache_failures) attempt_done(run, attempt, event);
    else attempt_failed(run, attempt, error, retryable);
  }
  release_key(attempt);
}

void Engine::State::on(const event::AttemptLost& event) {
  if (!attempts.contains(event.attempt)) return;
  // A host that does not survive our own kill after a timeout is no fault of the machine.
  const bool timeout = attempts.at(event.attempt).timed_out();
  const LiveAttempt attempt =
      end_attempt(event.attempt, Outcome::failed, !timeout, event.why,
                  {0, 0, 0, timeout ? "timeout" : "killed"});
  Run& run = runs.at(attempt.run);
  if (timeout) {
    attempt_timed_out(run, attempt);
  } else {
    attempt_fault(run, attempt, event.why);
  }
  release_key(attempt);
}

void Engine::State::on(const event::OutputsHeld& event) {
  const auto found = attempts.find(event.attempt);
  if (found == attempts.end()) return;
  write_step(runs.at(found->second.run), found->second.node,
             {"outputs_held", "its outputs wait for space on the disk: " + event.why, {}});
}

void Engine::State::attempt_fault(Run& run, const LiveAttempt& attempt, const std::string& why) {
  Node& node = run.nodes[attempt.node];
  if (attempt.killed == LiveAttempt::Killed::dropped) {
    run.span_dropped[node.span] = true;  // also when the span was restored meanwhile
    set_state(run, attempt.node, StepState::skipped, {"span_dropped", "its span was dropped", {}});
    return;
  }
  if (attempt.killed == LiveAttempt::Killed::cancelled) {
    set_state(run, attempt.node, StepState::cancelled, run.row.end_reason);
    return;
  }
  if (planted == PlantedBug::count_faults) ++node.tries;
  if (++node.faults >= machine_faults_max) {
    fail_node(run, attempt.node, "machine_fault",
              "lost three times in a row through faults of the machine, the last time: " + why);
    return;
  }
  node.state = StepState::waiting;
  write_step(run, attempt.node, {"machine_fault", "starts again, no try counted: " + why, {}});
  work.emplace_back(run.row.number, attempt.node);
}

void Engine::State::on(const event::AttemptProgress& event) {
  const auto found = attempts.find(event.attempt);
  if (found == attempts.end()) return;
  LiveAttempt& attempt = found->second;
  const auto& step = runs.at(attempt.run).step_of(attempt.node);
  attempt.progress_due_ms = now.steady_ms + step.spec.timeout_progress_ms;
}

// The attempts end with the daemon, by our own wish: neither a try nor a fault is counted, however
// often it happens.
void Engine::State::on(const event::DaemonStops&) {
  stopping = true;
  std::vector<std::string> ids;
  for (const auto& [id, attempt] : attempts) ids.push_back(id);
  for (const std::string& id : ids) {
    const auto killed = attempts.at(id).killed;
    // One that ran out of time before that has itself to blame.
    const bool timeout = attempts.at(id).timed_out();
    const LiveAttempt attempt =
        end_attempt(id, timeout ? Outcome::failed : Outcome::cancelled, !timeout,
                    "ended with the daemon, which was stopped",
                    {0, 0, 0, timeout ? "timeout" : "killed"});
    if (killed != LiveAttempt::Killed::no) {
      // What it was killed for is decided; the next daemon need not find it out again.
      if (attempt.timed_out()) attempt_timed_out(runs.at(attempt.run), attempt);
      else attempt_fault(runs.at(attempt.run), attempt, attempt.row.error);
    } else {
      write_step(runs.at(attempt.run), attempt.node,
                 {"daemon_stopped", "begins again with the daemon; no try is counted", {}});
    }
    release_key(attempt);
  }
}

void Engine::State::attempt_timed_out(Run& run, const LiveAttempt& attempt) {
  const StepSpec& step = run.step_of(attempt.node).spec;
  const bool silent = attempt.killed == LiveAttempt::Killed::no_progress;
  attempt_failed(run, attempt,
                 silent ? "no progress for " + spoken_duration(step.timeout_progress_ms)
                        : "timed out after " + spoken_duration(step.timeout_ms),
                 true);
}

void Engine::State::attempt_failed(Run& run, const LiveAttempt& attempt, const std::string& error,
                                   bool retryable) {
  Node& node = run.nodes[attempt.node];
  const StepSpec& step = run.step_of(attempt.node).spec;
  node.faults = 0;
  ++node.tries;
  FailedTry failed{node.tries, node.first_try_at, now.wall_ms, retryable,
                   attempt.row.failure_class == "out_of_memory"};
  const NextTry next = next_try(step.retry, step.resources, failed);
  if (!next.again) {
    const bool classed = attempt.row.failure_class == "timeout" || failed.out_of_memory;
    fail_node(run, attempt.node, classed ? attempt.row.failure_class : "failed",
              error + (next.why_not.empty() ? "" : "; " + next.why_not));
    return;
  }
  const auto delay =
      static_cast<std::int64_t>(next_random() % static_cast<std::uint64_t>(next.bound_ms + 1));
  node.backing_off = true;
  node.next_try_at = now.wall_ms + delay;
  ++run.ready;
  timers.emplace(now.steady_ms + delay,
                 Timer{Timer::Kind::backoff, "", 0, run.row.number, attempt.node, "", 0});
  const std::int64_t memory = memory_of_try(step.resources, node.tries);
  const bool more = memory > memory_of_try(step.resources, node.tries - 1);
  write_step(run, attempt.node,
             {"retry", "try " + std::to_string(node.tries + 1) + " of " +
                           std::to_string(step.retry.max + 1) + " in " + spoken_duration(delay) +
                           (more ? " with " + spoken_size(memory) + " of memory" : "") +
                           "; the last one: " + error, {}});
}

void Engine::State::attempt_done(Run& run, const LiveAttempt& attempt,
                                 const event::AttemptEnded& event) {
  const PipelineStep& step = run.step_of(attempt.node);
  Node& node = run.nodes[attempt.node];
  ResultRow result;
  result.id = ++last_result;
  result.key = attempt.key;
  result.key_text = attempt.key_text;
  result.halt = event.outcome == Outcome::halt;
  result.pipeline = run.row.pipeline;
  result.run = run.row.number;
  result.step = step.spec.name;
  result.element = run.element_of(attempt.node);
  result.attempt = attempt.row.id;
  result.inputs = as_bindings(attempt.inputs);
  result.outputs = all_outputs(step, attempt, event.outputs);
  result.metrics = event.metrics;
  result.notes = event.notes;
  result.verdict = result.halt ? event.error : "";
  result.started_at = attempt.row.started_at;
  result.ended_at = now.wall_ms;
  note_elements(run, attempt.node, event, result);
  if (node.time_is_up) result.key.reset();  // a later run goes on where this one had no time left
  put(result);
  if (const auto pipeline = pipelines.find(run.row.pipeline); pipeline != pipelines.end()) {
    pipeline->second.durations[result.step] = result.ended_at - result.started_at;
  }
  if (event.outcome == Outcome::more) return take_round(run, attempt.node, result);
  const auto unblessed = result.halt ? std::nullopt : not_blessed(step, event.requests);
  if (!result.halt && !unblessed) perform_requests(run, attempt, result, event.requests);
  node.result = result.id;
  node.outputs = std::make_shared<const std::vector<Binding>>(result.outputs);
  ++node.tries;
  if (step.spec.generates) take_elements(node, result);
  if (unblessed) {
    set_state(run, attempt.node, StepState::rejected, *unblessed);
    return;
  }
  if (!result.halt) {
    set_state(run, attempt.node, StepState::succeeded,
              node.time_is_up ? no_time_left(run, attempt.node) : attempt.reason);
    return;
  }
  if (const auto answer = node.key ? answer_to(run, *node.key) : std::nullopt) {  // rule 27
    pass_halt(run, attempt.node, *answer);
    return;
  }
  halt_node(run, attempt.node, result);
}

void Engine::State::halt_node(Run& run, NodeIndex index, const ResultRow& result) {
  const PipelineStep& step = run.step_of(index);
  const Node& node = run.nodes[index];
  const std::string path = step_path(step.spec.name, run.element_of(index));
  if (run.cancelling) {  // it asks nobody any more; a later run halts here at once
    set_state(run, index, StepState::cancelled, run.row.end_reason);
    return;
  }
  if (node.span != no_span && decides_span(step)) {  // rejected before this run came here (rule 18)
    const RunSpan& span = run.row.spans[node.span];
    const SpanRow* row = span_row(run.row.pipeline, span.source, span.span, span.version);
    if (row != nullptr && row->state == SpanState::rejected) {
      set_state(run, index, StepState::rejected,
                {"rejected", "rejected by " + row->who + ": " + row->why, {}});
      return;
    }
  }
  set_state(run, index, StepState::halted, {"halted", result.verdict, {}});
  const std::string element = run.element_of(index).empty() ? "-" : run.element_of(index);
  AlertRow row;
  row.id = run.row.pipeline + "/" + element + "/" + step.spec.name + "/" +
           (node.key ? node.key->hex() : "run-" + std::to_string(run.row.number));
  row.pipeline = run.row.pipeline;
  row.subject = path;
  row.severity = "error";
  row.sentence = path + " of run " + std::to_string(run.row.number) + " halted: " + result.verdict;
  row.run = run.row.number;
  row.step = step.spec.name;
  row.element = run.element_of(index);
  row.evidence = result.notes;
  alert(std::move(row));
}

void Engine::State::fail_node(Run& run, NodeIndex index, const std::string& code,
                              const std::string& sentence) {
  const PipelineStep& step = run.step_of(index);
  const std::string path = step_path(step.spec.name, run.element_of(index));
  set_state(run, index, StepState::failed, {code, sentence, {}});
  AlertRow row;
  row.id = run.row.pipeline + "/" + path + "/failed/run-" + std::to_string(run.row.number) + "/" +
           std::to_string(run.nodes[index].attempts);
  row.pipeline = run.row.pipeline;
  row.subject = path;
  row.severity = "error";
  row.sentence = path + " of run " + std::to_string(run.row.number) + " failed: " + sentence;
  row.run = run.row.number;
  row.step = step.spec.name;
  row.element = run.element_of(index);
  alert(std::move(row));
}

void Engine::State::write_step(const Run& run, NodeIndex index, const Reason& reason) {
  const Node& node = run.nodes[index];
  StepRow row;
  row.run = run.row.number;
  row.step = run.step_of(index).spec.name;
  row.element = run.element_of(index);
  row.state = node.state == StepState::ready ? StepState::waiting : node.state;
  row.key = node.key;
  row.result = node.result;
  row.tries = node.tries;
  row.faults = node.faults;
  row.attempts = node.attempts;
  row.next_try_at = node.backing_off ? node.next_try_at : 0;
  row.first_try_at = node.first_try_at;
  row.first_call_at = node.first_call_at;
  row.pass_over = node.pass_over;
  row.reason = reason;
  row.started_at = node.started_at;
  row.at = now.wall_ms;
  if (node.state != StepState::running && node.state != StepState::waiting) {
    row.ended_at = now.wall_ms;
  }
  put(std::move(row));
}

void Engine::State::set_state(Run& run, NodeIndex index, StepState state, Reason reason) {
  Node& node = run.nodes[index];
  CHECK(node.state != StepState::running);
  if (node.state == StepState::ready) drop_ready(run, index);
  if (node.backing_off) {
    node.backing_off = false;
    --run.ready;
  }
  node.state = state;
  run.held.erase(index);
  run.reviews.erase(index);
  if (dry) dry_reasons[{run.row.number, index}] = reason;
  write_step(run, index, reason);
  touched.insert(run.row.number);
  if (node.span != no_span && decides_span(run.step_of(index))) span_element_ended(run, index);
  if (is_dead(state)) dead.emplace_back(run.row.number, index);
  wake(run, index);
}

void Engine::State::wake(Run& run, NodeIndex changed) {
  const auto found = run.node_watchers.find(changed);
  if (found == run.node_watchers.end()) return;
  const auto watchers = std::move(found->second);
  run.node_watchers.erase(found);
  for (const NodeIndex index : watchers) work.emplace_back(run.row.number, index);
}

// Dependents of a dead node are blocked at once, whatever else they wait for.
void Engine::State::block_below(Run& run, NodeIndex origin) {
  const Node& node = run.nodes[origin];
  const std::string name = step_path(run.step_of(origin).spec.name, run.element_of(origin));
  const Reason reason{"blocked", name + " is " + name_of(node.state), {}};
  const std::string& fan = run.step_of(origin).fan_source;
  for (const StepIndex consumer : run.step_of(origin).consumers) {
    const PipelineStep& step = run.pipeline->steps[consumer];
    if (step.spec.run_on != "success") continue;
    bool selective = false;  // takes some elements only: it finds out by evaluating
    for (const PipelineInput& input : step.inputs) {
      if (input.step == node.step && input.collects &&
          (input.spec.kind != InputSpec::Kind::step ||
           input.spec.spans.kind != SpanSelection::Kind::all)) {
        selective = true;
      }
    }
    // Elements that are there go on without their generator; failed ones may be passed by.
    const auto generator = generator_node(run, node.step);
    if (generator_node(run, consumer) == origin) selective = true;
    if (generator && run.step_of(*generator).spec.generates->failures > 0) selective = true;
    NodeIndex child = run.first_node[consumer], end = run.first_node[consumer + 1];
    if (!fan.empty() && fan == step.fan_source) {  // element by element
      const auto aligned = run.find(consumer, node.span);
      if (!aligned) continue;
      child = *aligned;
      end = child + 1;
    }
    for (; child < end; ++child) {
      const StepState state = run.nodes[child].state;
      if (state != StepState::waiting || run.nodes[child].backing_off) continue;
      if (selective) work.emplace_back(run.row.number, child);
      else set_state(run, child, StepState::blocked, reason);
    }
  }
}

// run_on steps run once, when every ancestor is terminal.
void Engine::State::consider_run_on(Run& run) {
  for (NodeIndex index = 0; index < run.nodes.size(); ++index) {
    const PipelineStep& step = run.step_of(index);
    if (step.spec.run_on == "success" || run.nodes[index].state != StepState::waiting ||
        run.nodes[index].backing_off) {
      continue;
    }
    bool terminal = true, failed = false;
    std::vector<StepIndex> stack = step.parents;
    std::set<StepIndex> seen;
    while (!stack.empty() && terminal) {
      const StepIndex parent = stack.back();
      stack.pop_back();
      if (!seen.insert(parent).second) continue;
      for (NodeIndex n = run.first_node[parent]; n < run.first_node[parent + 1]; ++n) {
        terminal = terminal && is_terminal(run.nodes[n].state);
        failed = failed || run.nodes[n].state == StepState::failed;
      }
      const auto& more = run.pipeline->steps[parent].parents;
      stack.insert(stack.end(), more.begin(), more.end());
    }
    if (!terminal) continue;
    if (step.spec.run_on == "failure" && !failed) {
      set_state(run, index, StepState::skipped, {"no_failure", "nothing that it watches failed", {}});
      continue;
    }
    if (!condition_holds(run, index)) continue;
    Evaluation found = evaluate(run, index);
    if (found.kind == Evaluation::Kind::skip) {
      set_state(run, index, StepState::skipped, std::move(found.reason));
      continue;
    }
    decide_ready(run, index, std::move(found.inputs));
  }
}

void Engine::State::consider_end(Run& run) {
  if (stopping || run.row.state != RunState::running || run.live > 0 || run.ready > 0) return;
  consider_run_on(run);
  if (run.live > 0 || run.ready > 0 || !work.empty() || !dead.empty()) {
    touched.insert(run.row.number);
    return;
  }
  if (!run.held.empty()) return;  // somebody or time lets it go on
  std::map<StepState, NodeIndex> first;
  int passed_by = 0;
  std::string but;
  for (NodeIndex index = run.nodes.size() > 0 ? static_cast<NodeIndex>(run.nodes.size()) : 0;
       index-- > 0;) {
    const StepState state = run.nodes[index].state;
    if (state == StepState::failed && is_passed_by(run, index)) ++passed_by;
    else first[state] = index;
    if (run.nodes[index].time_is_up) but = ", but " + no_time_left(run, index).sentence;
  }
  auto path = [&](StepState state) {
    const NodeIndex index = first.at(state);
    return step_path(run.step_of(index).spec.name, run.element_of(index));
  };
  if (first.contains(StepState::failed)) {
    end_run(run, RunState::failed, {"failed", path(StepState::failed) + " failed", {}});
  } else if (first.contains(StepState::rejected)) {
    end_run(run, RunState::rejected, {"rejected", path(StepState::rejected) + " was rejected", {}});
  } else if (first.contains(StepState::halted)) {
    if (superseded_late(run) || remedied(run)) return;
    end_run(run, RunState::halted, {"halted", path(StepState::halted) + " halted", {}});
  } else if (first.contains(StepState::in_review)) {
    end_run(run, RunState::in_review, {"in_review", path(StepState::in_review) + " is in review", {}});
  } else if (!run.source_waiters.empty()) {
    return;  // rule 14: a first delivery is still to come
  } else if (run.cancelling || first.contains(StepState::cancelled)) {
    end_run(run, RunState::cancelled, run.row.end_reason);
  } else if (first.contains(StepState::waiting)) {
    end_run(run, RunState::failed, {"internal", path(StepState::waiting) +
                                                    " waits for nothing that could come", {}});
  } else {
    if (passed_by > 0) {
      but = " but for " + std::to_string(passed_by) +
            " generated elements that failed, as generates.failures allows" + but;
    }
    end_run(run, RunState::succeeded, {"succeeded", "every step is done" + but, {}});
  }
}

void Engine::State::end_run(Run& run, RunState state, Reason reason) {
  run.row.state = state;
  run.row.end_reason = std::move(reason);
  run.row.ended_at = now.wall_ms;
  ledger.put(run.row);
  const RunNumber number = run.row.number;
  const std::string pipeline = run.row.pipeline;
  const std::int64_t backfill = dry ? 0 : run.row.options.backfill;
  emit(effect::RunChanged{pipeline, number, state});
  if (state == RunState::succeeded) note_outputs(run);
  if (state == RunState::succeeded && run.row.options.full()) {
    for (SpanIndex i = 0; i < run.row.spans.size(); ++i) {
      const RunSpan& span = run.row.spans[i];
      SpanRow* row = span_row(pipeline, span.source, span.span, span.version);
      const bool took_part = span.left_out.empty() && !run.span_dropped[i];
      if (row == nullptr || !took_part || row->succeeded_run != 0) continue;
      row->succeeded_run = number;
      put(*row);
    }
  }
  if (!is_open(state)) {
    end_holds([number](const HoldRow& hold) { return hold.run == number; }, "end of the run");
    if (number != keep) runs.erase(number);
  }
  if (state == RunState::failed) count_failures(pipeline);
  start_queued(pipeline);
  if (backfill != 0) advance_backfill(backfill);
}

}  // namespace pipelined
