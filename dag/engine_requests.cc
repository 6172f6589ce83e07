// What people and the shell ask for.
#include <algorithm>

#include "dag/cache_key.h"
#include "dag/engine_state.h"
#include "dag/run_params.h"

namespace pipelined {
namespace {

constexpr std::int64_t kill_grace_ms = 5000;

}  // namespace

void Engine::State::on(const event::PipelineApplied& event) {
  const std::string& name = event.pipeline->spec.name;
  PipelineState& pipeline = pipelines[name];
  const bool same = pipeline.current && pipeline.current->version == event.pipeline->version &&
                    pipeline.row.folder == event.folder;
  const std::shared_ptr<const Pipeline> before = std::exchange(pipeline.current, event.pipeline);
  if (same) {
    reply(event.request, 0, "pipeline " + name + " is unchanged");
    return;
  }
  pipeline.row.name = name;
  pipeline.row.version = event.pipeline->version;
  pipeline.row.folder = event.folder;
  pipeline.row.current = true;
  pipeline.row.applied_at = now.wall_ms;
  put(pipeline.row);
  rearm(pipeline);
  wind(pipeline, before.get(), true);
  wind_polls(pipeline);
  emit(effect::SourcesChanged{});
  reply(event.request, 0, "pipeline " + name + " is in force, version " +
                              event.pipeline->version.brief());
}

void Engine::State::on(const event::RunRequested& event) {
  const auto found = pipelines.find(event.pipeline);
  if (found == pipelines.end() || !found->second.current) {
    refuse(event.request, ErrorCode::not_found, "run: there is no pipeline " + event.pipeline);
    return;
  }
  const Pipeline& pipeline = *found->second.current;
  if (const auto error = options_error(pipeline, event.options)) {
    refuse(event.request, error->code, error->message);
    return;
  }
  RunOptions options = event.options;
  options.params = *run_params(pipeline.spec, event.options.params);
  std::erase_if(options.params, [&](const auto& entry) {
    return pipeline.spec.params.find(entry.first)->second == entry.second;
  });
  if (const auto error = missing_error(found->second, options)) {
    refuse(event.request, error->code, error->message);
    return;
  }
  const RunNumber run =
      create_run(found->second, options, {"requested", "asked for by " + event.who, {}}, event.who);
  reply(event.request, run, "run " + std::to_string(run) + " of " + event.pipeline);
}

std::optional<NodeIndex> Engine::State::named_node(Run& run, const std::string& step,
                                                   const std::string& element, RequestId request) {
  const StepIndex index = run.pipeline->find(step);
  const std::string where = "run " + std::to_string(run.row.number);
  if (index == no_step) {
    refuse(request, ErrorCode::not_found, where + " has no step " + step);
    return std::nullopt;
  }
  const NodeIndex first = run.first_node[index];
  if (element.empty() && first + 1 == run.first_node[index + 1] &&
      run.nodes[first].span == no_span) {
    return first;
  }
  std::vector<NodeIndex> held;
  for (NodeIndex n = run.first_node[index]; n < run.first_node[index + 1]; ++n) {
    if (!element.empty() && run.element_of(n) != element) continue;
    if (!element.empty() || is_held(run.nodes[n].state)) held.push_back(n);
  }
  if (held.size() == 1) return held.front();
  if (held.empty() && element.empty()) {
    refuse(request, ErrorCode::conflict,
           "step " + step + " of " + where + " is neither halted nor in review");
  } else if (held.empty()) {
    refuse(request, ErrorCode::not_found, where + " has no element " + step_path(step, element));
  } else {
    refuse(request, ErrorCode::invalid,
           std::to_string(held.size()) + " elements of " + step + " wait; name one, as " +
               step_path(step, run.element_of(held.front())));
  }
  return std::nullopt;
}

void Engine::State::on(const event::AcceptRequested& event) {
  const auto found = runs.find(event.run);
  if (found == runs.end()) {
    accept_for_later(event);
    return;
  }
  const auto index = named_node(found->second, event.step, event.element, event.request);
  if (!index) return;
  const Node& node = found->second.nodes[*index];
  const std::string path = step_path(event.step, found->second.element_of(*index));
  if (node.state != StepState::halted) {
    const auto result = ledger.find_result_by_id(node.result);
    if (node.key && result && result->halt) {
      accept_key(event, found->second.row.pipeline, *node.key, found->second.element_of(*index));
      return;
    }
    refuse(event.request, ErrorCode::conflict,
           "accept: " + path + " of run " + std::to_string(event.run) + " is " +
               name_of(node.state) + ", not halted");
    return;
  }
  if (node.key) {
    accept_key(event, found->second.row.pipeline, *node.key, found->second.element_of(*index));
    return;
  }
  // Of a step without a key: nothing else can have the same halt.
  decide("accept", found->second.row.pipeline, path, event.who, event.why, event.run);
  go_on(found->second);
  set_state(found->second, *index, StepState::succeeded,
            {"accepted", "accepted by " + event.who + ": " + event.why, {}});
  reply(event.request, event.run, path + " accepted; run " + std::to_string(event.run) + " goes on");
}

// It holds for this key, so it wakes every step that halted on it, in all open runs.  The same answer
// again changes nothing; another choice about the remedy takes the place of the first.
void Engine::State::accept_key(const event::AcceptRequested& event, const std::string& pipeline,
                               const Digest& key, const std::string& element) {
  const std::string path = step_path(event.step, element);
  const std::string without = event.without_remedy ? " without its remedy" : "";
  const auto known = ledger.find_acceptance(key);
  if (known && withholds_remedy(*known) == event.without_remedy) {
    reply(event.request, event.run,
          path + " was accepted" + without + " before by " + known->who + ": " + known->why);
    return;
  }
  AcceptanceRow row;
  row.key = key;
  row.who = event.who;
  row.why = event.why;
  row.run = event.run;
  row.step = event.step;
  row.element = element;
  if (event.without_remedy) row.evidence = ValueTable{{"remedy", "none"}};
  row.at = now.wall_ms;
  put(row);
  decide(event.without_remedy ? "accept --without-remedy" : "accept", pipeline, path, event.who,
         event.why, event.run);
  bool woken = false;
  for (auto& [number, run] : runs) {
    for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
      if (run.nodes[n].state != StepState::halted || run.nodes[n].key != key) continue;
      woken |= number == event.run;
      go_on(run);
      pass_halt(run, n, row);
    }
  }
  const std::string run = "run " + std::to_string(event.run);
  reply(event.request, event.run,
        woken ? path + " accepted" + without + "; " + run + " goes on"
              : "accepted" + without + " for later runs; " + run + " is " +
                    (runs.contains(event.run) ? "past it" : "over"));
}

// The run is over: what is recorded holds for later runs (rule 21).
void Engine::State::accept_for_later(const event::AcceptRequested& event) {
  std::vector<StepRow> halted;
  for (StepRow& step : ledger.steps_of(event.run)) {
    const bool named = step.step == event.step &&
                       (event.element.empty() || step.element == event.element);
    if (!named || !step.key) continue;
    const auto result = ledger.find_result_by_id(step.result);
    if (result && result->halt) halted.push_back(std::move(step));
  }
  if (halted.empty()) {
    refuse(event.request, ErrorCode::not_found,
           "accept: run " + std::to_string(event.run) + " has no halted step " +
               step_path(event.step, event.element));
    return;
  }
  const StepRow& step = halted.front();
  if (halted.size() > 1) {
    refuse(event.request, ErrorCode::invalid,
           std::to_string(halted.size()) + " elements of " + event.step + " halted; name one, as " +
               step_path(event.step, step.element));
    return;
  }
  const auto run = ledger.find_run(event.run);
  accept_key(event, run ? run->pipeline : "", *step.key, step.element);
}

// A run at rest moves again after a person's answer.
void Engine::State::go_on(Run& run) {
  touched.insert(run.row.number);
  if (run.row.state != RunState::halted && run.row.state != RunState::in_review) return;
  reopen(run);
}

void Engine::State::on(const event::RejectRequested& event) {
  const auto found = runs.find(event.run);
  if (found == runs.end()) {
    for (const StepRow& step : ledger.steps_of(event.run)) {
      if (step.step != event.step || step.element != event.element) continue;
      if (step.state != StepState::rejected) continue;
      reply(event.request, event.run,
            step_path(event.step, event.element) + " was " + step.reason.sentence);
      return;
    }
    refuse(event.request, ErrorCode::not_found,
           "reject: run " + std::to_string(event.run) + " is not open");
    return;
  }
  Run& asked = found->second;
  const auto index = named_node(asked, event.step, event.element, event.request);
  if (!index) return;
  const Node node = asked.nodes[*index];
  const std::string path = step_path(event.step, asked.element_of(*index));
  if (node.state == StepState::rejected) {
    reply(event.request, event.run, path + " was rejected before");
    return;
  }
  if (!is_held(node.state)) {
    refuse(event.request, ErrorCode::conflict,
           "reject: " + path + " is " + name_of(node.state) + ", neither halted nor in review");
    return;
  }
  if (node.state == StepState::in_review) {
    if (const auto why_not = may_not_answer(asked.step_of(*index).spec.review, asked.row.who,
                                            event.who, event.groups)) {
      refuse(event.request, ErrorCode::denied, "reject: " + *why_not);
      return;
    }
  }
  const Reason reason{"rejected", "rejected by " + event.who + ": " + event.why, {}};
  decide("reject", asked.row.pipeline, path, event.who, event.why, event.run);
  reply(event.request, event.run, path + " rejected");
  if (node.state == StepState::in_review) {
    for (const auto& [run, n] : answer_review(asked, *index, true, event.who, event.why)) {
      go_on(*run);
      set_state(*run, n, StepState::rejected, reason);
    }
    return;
  }
  if (node.span == no_span) {
    go_on(asked);
    set_state(asked, *index, StepState::rejected, reason);
    return;
  }
  // Holds for the span version in all open runs, not by key (rule 18).
  const RunSpan span = asked.row.spans[node.span];
  const std::string pipeline = asked.row.pipeline;
  const bool decides = decides_span(asked.pipeline->steps[node.step]);
  SpanRow* row = span_row(pipeline, span.source, span.span, span.version);
  if (decides && row != nullptr) {
    row->state = SpanState::rejected;
    row->why = event.why;
    row->who = event.who;
    row->run = event.run;
    row->at = now.wall_ms;
    put(*row);
  }
  reject_span(pipeline, span, decides ? "" : event.step, reason);
}

// Rejects what is halted on that span version, in all open runs.
void Engine::State::reject_span(const std::string& pipeline, const RunSpan& span,
                                const std::string& only_step, const Reason& reason) {
  for (auto& [number, run] : runs) {
    if (run.row.pipeline != pipeline) continue;
    for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
      const Node& other = run.nodes[n];
      if (other.state != StepState::halted || other.span == no_span) continue;
      if (!only_step.empty() && run.step_of(n).spec.name != only_step) continue;
      const RunSpan& there = run.row.spans[other.span];
      if (there.source != span.source || there.span != span.span || there.version != span.version) {
        continue;
      }
      go_on(run);
      set_state(run, n, StepState::rejected, reason);
    }
  }
}

void Engine::State::on(const event::SpanRequested& event) {
  const std::string verb = event.restore ? "restore" : "drop";
  const auto found = pipelines.find(event.pipeline);
  SpanRow* newest = nullptr;
  if (found != pipelines.end()) {
    for (auto& [source, spans] : found->second.spans) {
      if (!event.source.empty() && source != event.source) continue;
      const auto versions = spans.find(event.span);
      if (versions == spans.end() || versions->second.empty()) continue;
      if (newest != nullptr) {
        refuse(event.request, ErrorCode::invalid,
               "span " + verb + ": several sources have a span " + event.span + "; name one");
        return;
      }
      newest = &versions->second.back();
    }
  }
  if (newest == nullptr) {
    refuse(event.request, ErrorCode::not_found,
           "span " + verb + ": pipeline " + event.pipeline + " has no span " + event.span);
    return;
  }
  const bool out = newest->state == SpanState::dropped || newest->state == SpanState::rejected;
  if (event.restore && !out) {
    refuse(event.request, ErrorCode::conflict,
           "span restore: " + event.span + " is " + name_of(newest->state) + ", not dropped");
    return;
  }
  if (!event.restore && newest->state == SpanState::dropped) {
    reply(event.request, 0, "span " + event.span + " was dropped before by " + newest->who + ": " +
                                newest->why);
    return;
  }
  // One that never came past its review: to runs it is as if it had not been delivered.
  if (event.restore && newest->approved_seq < 0) newest->approved_seq = last_seq + 1;
  if (!event.restore && newest->state == SpanState::in_review) newest->approved_seq = -1;
  newest->state = event.restore ? SpanState::open : SpanState::dropped;
  newest->why = event.why;
  newest->who = event.who;
  newest->at = now.wall_ms;
  put(*newest);
  const std::string because = ": " + event.why;
  decide("span " + verb, event.pipeline, event.span, event.who, event.why, 0);
  for (auto& [number, run] : runs) {
    if (run.row.pipeline != event.pipeline || run.nodes.empty()) continue;
    for (SpanIndex i = 0; i < run.row.spans.size(); ++i) {
      const RunSpan& span = run.row.spans[i];
      if (span.source != newest->source || span.span != event.span ||
          span.version != newest->version || !span.left_out.empty()) {
        continue;
      }
      if (event.restore) take_back_drop(run, i);
      else drop_nodes(run, i, "span " + event.span + " was dropped by " + event.who + because);
    }
  }
  reply(event.request, 0, "span " + event.span + (event.restore ? " restored" : " dropped"));
}

void Engine::State::drop_nodes(Run& run, SpanIndex span, const std::string& sentence) {
  run.span_dropped[span] = true;
  go_on(run);
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    Node& node = run.nodes[n];
    if (node.span == span) {
      if (node.state == StepState::running) {
        for (auto& [id, attempt] : attempts) {
          if (attempt.run != run.row.number || attempt.node != n) continue;
          attempt.killed = LiveAttempt::Killed::dropped;
          emit(effect::KillAttempt{id, kill_grace_ms, sentence});
        }
      } else if (!is_terminal(node.state)) {
        set_state(run, n, StepState::skipped, {"span_dropped", sentence, {}});
      }
    } else if (node.state == StepState::waiting) {
      node.cursor = 0;  // collectors are planned anew
      work.emplace_back(run.row.number, n);
    }
  }
  for (const NodeIndex waiting : std::exchange(run.span_watchers[span], {})) {
    work.emplace_back(run.row.number, waiting);
  }
}

// A run that skipped an element because of the drop goes on without the span; one whose elements
// were all done by then has it back.
void Engine::State::take_back_drop(Run& run, SpanIndex span) {
  if (!run.span_dropped[span]) return;
  for (const StepRow& step : ledger.steps_of(run.row.number)) {
    const StepIndex s = run.pipeline->find(step.step);
    if (s != no_step && step.reason.code == "span_dropped" &&
        step.element == run.row.spans[span].span &&
        run.pipeline->steps[s].fan_source == run.row.spans[span].source) {
      return;
    }
  }
  run.span_dropped[span] = false;
  if (run.span_open[span] == 0 && run.span_death[span] == Run::SpanDeath::none) {
    run.span_accepted[span] = true;
    set_span(run, span, SpanState::accepted, "", "", no_step);
  }
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    if (run.nodes[n].state != StepState::waiting) continue;
    run.nodes[n].cursor = 0;
    work.emplace_back(run.row.number, n);
  }
}

void Engine::State::cancel_run(Run& run, Reason reason) {
  run.cancelling = true;
  if (run.row.state == RunState::queued && run.nodes.empty()) {
    end_run(run, RunState::cancelled, std::move(reason));
    return;
  }
  if (run.row.state == RunState::queued) run.row.state = RunState::running;  // it had begun
  go_on(run);
  run.row.end_reason = std::move(reason);
  ledger.put(run.row);
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    const StepState state = run.nodes[n].state;
    if (state == StepState::running) {
      for (auto& [id, attempt] : attempts) {
        if (attempt.run != run.row.number || attempt.node != n) continue;
        if (attempt.killed != LiveAttempt::Killed::dropped) {
          attempt.killed = LiveAttempt::Killed::cancelled;
        }
        emit(effect::KillAttempt{id, kill_grace_ms, run.row.end_reason.sentence});
      }
    } else if (!is_terminal(state) && run.step_of(n).spec.run_on == "success") {
      set_state(run, n, StepState::cancelled, run.row.end_reason);
    }
  }
  run.source_waiters.clear();
}

void Engine::State::on(const event::CancelRequested& event) {
  const auto found = runs.find(event.run);
  if (found == runs.end()) {
    const auto row = ledger.find_run(event.run);
    if (!row) {
      refuse(event.request, ErrorCode::not_found,
             "cancel: there is no run " + std::to_string(event.run));
    } else {
      reply(event.request, event.run,
            "run " + std::to_string(event.run) + " is over already: " + name_of(row->state));
    }
    return;
  }
  decide("cancel", found->second.row.pipeline, "run " + std::to_string(event.run), event.who,
         event.why, event.run);
  reply(event.request, event.run, "run " + std::to_string(event.run) + " is being cancelled");
  const std::string because = event.why.empty() ? "" : ": " + event.why;
  cancel_run(found->second, {"cancel_requested", "cancelled by " + event.who + because, {}});
}

void Engine::State::on(const event::CapacityChanged& event) { capacity = event.capacity; }

void Engine::State::on(const event::TroubleFound& event) {
  AlertRow row;
  row.id = event.id;
  row.pipeline = event.pipeline;
  row.subject = event.subject;
  row.severity = event.severity;
  row.sentence = event.sentence;
  row.evidence = event.evidence;
  alert(std::move(row));
}

void Engine::State::on(const event::TimeReached&) {}  // timers fire after every event

}  // namespace pipelined
