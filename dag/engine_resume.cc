// Runs that are taken up again: retried, resumed, moved to another version.
//
// A run stays with the version that it began with, also when another one is in force by now; the
// shell reads that version again and gives it with the request.
#include <algorithm>

#include "dag/dry_ledger.h"
#include "dag/engine_state.h"
#include "dag/selection.h"
#include "dag/step_ports.h"

namespace pipelined {
namespace {

bool is_named(const std::vector<std::string>& names, const std::string& step,
              const std::string& element) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name == step || name == step_path(step, element);
  });
}

// What was passed by stays: those who collect the elements have gone on without it.
bool may_begin_again(const Run& run, NodeIndex index) {
  const StepState state = run.nodes[index].state;
  return state == StepState::cancelled || state == StepState::halted ||
         (state == StepState::failed && !is_passed_by(run, index));
}

// Which steps of `to` are not what they were.  A search hangs on the steps that run its elements, too,
// though its own definition cannot name theirs, which names it.
std::vector<bool> defined_otherwise(const Pipeline& from, const std::vector<Digest>& before,
                                    const Pipeline& to, const std::vector<Digest>& after) {
  std::vector<bool> otherwise(to.steps.size(), false);
  for (StepIndex s = 0; s < to.steps.size(); ++s) {
    const StepIndex old = from.find(to.steps[s].spec.name);
    const std::string& fan = to.steps[s].fan_source;
    otherwise[s] = otherwise[s] || old == no_step || before[old] != after[s];
    if (otherwise[s] && is_generated_source(fan)) otherwise[to.find(generator_of(fan))] = true;
  }
  for (StepIndex s = 0; s < to.steps.size(); ++s) {  // parents stand before children
    if (!otherwise[s]) continue;
    for (const StepIndex consumer : to.steps[s].consumers) otherwise[consumer] = true;
  }
  return otherwise;
}

}  // namespace

// The run in memory, with the version that it belongs to.
Result<Run*> Engine::State::run_to_go_on(RunNumber number, const std::string& verb,
                                         const std::shared_ptr<const Pipeline>& version) {
  const std::string text = verb + ": run " + std::to_string(number);
  if (const auto found = runs.find(number); found != runs.end()) {
    if (!found->second.cancelling) return &found->second;
    return Error{ErrorCode::conflict, text + " is being cancelled; try it again when that is over"};
  }
  const auto row = ledger.find_run(number);
  const auto pipeline = row ? pipelines.find(row->pipeline) : pipelines.end();
  if (!row || pipeline == pipelines.end()) {
    return Error{ErrorCode::not_found, verb + ": there is no run " + std::to_string(number)};
  }
  if (row->state == RunState::succeeded) {
    return Error{ErrorCode::conflict, text + " succeeded; nothing is to be done again"};
  }
  std::shared_ptr<const Pipeline> own = pipeline->second.current;
  if (own->version != row->version) own = version;
  if (!own || own->version != row->version) {
    return Error{ErrorCode::conflict,
                 text + " belongs to version " + row->version.brief() +
                     ", whose files cannot be read; start a new run: pipectl run " + row->pipeline};
  }
  return &load_run(*row, std::move(own), ledger.steps_of(number));
}

// What has ended is marked as going on, and everything that waits is looked at.
void Engine::State::begin_again(Run& run) {
  run.cancelling = false;
  if (run.row.started_at == 0) {  // it was cancelled before its turn came, so it has no steps yet
    RunRow row = run.row;
    row.state = RunState::queued;
    row.end_reason = {};
    row.ended_at = 0;
    start_or_queue(load_run(row, run.pipeline, {}));
  } else if (run.row.state != RunState::running) {
    reopen(run);
  }
  touched.insert(run.row.number);
}

// The nodes that are named, by name or by a selection; empty: all that can begin again.
Result<std::set<NodeIndex>> Engine::State::nodes_to_retry(
    const Run& run, const event::RetryRequested& event) const {
  std::set<NodeIndex> named;
  if (event.steps.empty() && event.select.empty()) return named;
  std::vector<std::string> names = event.steps;
  if (!event.select.empty()) {
    TRY(selected, select_steps(*run.pipeline, event.select));
    names.insert(names.end(), selected.begin(), selected.end());
  }
  for (const std::string& name : event.steps) {
    const StepIndex step = run.pipeline->find(name.substr(0, name.find('/')));
    bool known = false, again = false, passed_by = false;
    std::string state;
    for (NodeIndex n = step == no_step ? 0 : run.first_node[step];
         step != no_step && n < run.first_node[step + 1]; ++n) {
      if (!is_named({name}, run.step_of(n).spec.name, run.element_of(n))) continue;
      known = true;
      again = again || may_begin_again(run, n);
      passed_by = passed_by || is_passed_by(run, n);
      state = name_of(run.nodes[n].state);
    }
    const std::string where = "run " + std::to_string(run.row.number);
    if (!known) return Error{ErrorCode::not_found, "retry: " + where + " has no step " + name};
    if (again) continue;
    if (passed_by) {
      return Error{ErrorCode::conflict,
                   "retry: " + name + " of " + where + " was passed by, as generates.failures allows, "
                       "and the search and what collects its elements went on without it; a new run "
                       "tries it again: pipectl run " + run.row.pipeline};
    }
    return Error{ErrorCode::conflict,
                 "retry: " + name + " of " + where + " is " + state +
                     ", neither failed nor halted; a step that is done runs again in a new run: "
                     "pipectl run " + run.row.pipeline + " --force " + run.pipeline->steps[step].spec.name};
  }
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    if (!may_begin_again(run, n)) continue;
    if (is_named(names, run.step_of(n).spec.name, run.element_of(n))) named.insert(n);
  }
  if (named.empty()) {
    return Error{ErrorCode::conflict, "retry: none of the selected steps of run " +
                                          std::to_string(run.row.number) + " failed or is halted"};
  }
  return named;
}

void Engine::State::on(const event::RetryRequested& event) {
  const std::string text = "run " + std::to_string(event.run);
  if (const auto found = runs.find(event.run);
      found != runs.end() && found->second.row.state == RunState::queued) {
    refuse(event.request, ErrorCode::conflict,
           "retry: " + text + " waits for its turn; it has not begun yet");
    return;
  }
  const bool was_open = runs.contains(event.run);
  const auto run = run_to_go_on(event.run, "retry", event.version);
  if (!run) {
    refuse(event.request, run.error().code, run.error().message);
    return;
  }
  const auto named = nodes_to_retry(**run, event);
  if (!named) {
    if (!was_open) runs.erase(event.run);
    refuse(event.request, named.error().code, named.error().message);
    return;
  }
  begin_again(**run);
  retry_nodes(**run, *named, event.who);
  decide("retry", (*run)->row.pipeline, text, event.who, event.why, event.run);
  reply(event.request, event.run, text + " goes on");
}

void Engine::State::retry_nodes(Run& run, const std::set<NodeIndex>& named,
                                const std::string& who) {
  std::set<StepIndex> below;  // of the named ones: what they blocked may go on
  for (const NodeIndex n : named) below.insert(run.nodes[n].step);
  for (StepIndex s = 0; s < run.pipeline->steps.size(); ++s) {
    const auto& parents = run.pipeline->steps[s].parents;
    if (std::any_of(parents.begin(), parents.end(), [&](StepIndex p) { return below.contains(p); })) {
      below.insert(s);
    }
  }
  std::set<NodeIndex> passed_by;  // as things stand before anything is taken back
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    if (is_dead(run.nodes[n].state) && is_passed_by(run, n)) passed_by.insert(n);
  }
  std::set<SpanIndex> opened, rejected;
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
    Node& node = run.nodes[n];
    const bool watches = run.step_of(n).spec.run_on != "success";
    bool again = node.state == StepState::failed || node.state == StepState::cancelled ||
                 node.state == StepState::blocked || (watches && node.state == StepState::skipped);
    if (!named.empty()) {
      const bool follows = node.state == StepState::blocked || node.state == StepState::cancelled ||
                           (watches && node.state == StepState::skipped);
      again = named.contains(n) || (follows && below.contains(node.step));
    }
    if (again && !passed_by.contains(n)) {
      // A halt that is named runs again: what is recorded of it would halt it at once.
      if (node.state == StepState::halted) node.pass_over = last_seq + 1;
      node.state = StepState::waiting;
      node.tries = node.faults = 0;
      node.first_try_at = 0;
      node.cursor = 0;
      if (node.span != no_span) opened.insert(node.span);
      write_step(run, n, {"retried", "tried again at the wish of " + who, {}});
    }
    take_up_node(run, n);
    if (node.state == StepState::rejected) rejected.insert(node.span);
  }
  for (const SpanIndex span : opened) {
    bool still_dead = rejected.contains(span);
    for (NodeIndex n = 0; n < run.nodes.size() && !still_dead && !named.empty(); ++n) {
      still_dead = run.nodes[n].span == span && run.nodes[n].state == StepState::failed &&
             decides_span(run.step_of(n));
    }
    open_span(run, span, still_dead);
  }
}

// A node of a run that was over: it is looked at, and what was decided meanwhile holds for it.
void Engine::State::take_up_node(Run& run, NodeIndex index) {
  const Node& node = run.nodes[index];
  if (node.state == StepState::waiting) work.emplace_back(run.row.number, index);
  arm_review(run, index);
  if (take_late_decision(run, index) || node.state != StepState::halted || !node.key) return;
  if (const auto answer = answer_to(run, *node.key)) pass_halt(run, index, *answer);
}

// What was decided about its span while the run was over (rule 18).
bool Engine::State::take_late_decision(Run& run, NodeIndex index) {
  const Node& node = run.nodes[index];
  const bool answered = node.state == StepState::rejected;  // and dropped after that
  if ((!is_held(node.state) && !answered) || node.span == no_span) return false;
  const RunSpan& span = run.row.spans[node.span];
  if (run.span_dropped[node.span]) {
    set_state(run, index, StepState::skipped, {"span_dropped", "its span was dropped", {}});
    return true;
  }
  const SpanRow* row = span_row(run.row.pipeline, span.source, span.span, span.version);
  if (row == nullptr || row->state != SpanState::rejected || node.state != StepState::halted ||
      !decides_span(run.step_of(index))) {
    return false;
  }
  set_state(run, index, StepState::rejected,
            {"rejected", "rejected by " + row->who + ": " + row->why, {}});
  return true;
}

void Engine::State::open_span(Run& run, SpanIndex span, bool rejected) {
  run.span_death[span] = rejected ? Run::SpanDeath::inside : Run::SpanDeath::none;
  const RunSpan& at = run.row.spans[span];
  SpanRow* row = span_row(run.row.pipeline, at.source, at.span, at.version);
  if (row == nullptr || row->state != SpanState::failed) return;
  row->state = SpanState::open;
  put(*row);
}

void Engine::State::on(const event::ResumeRequested& event) {
  const std::string text = "run " + std::to_string(event.run);
  if (const auto found = runs.find(event.run); found != runs.end() && !found->second.cancelling) {
    const auto of_run = [&](const HoldRow& hold) { return hold.run == event.run; };
    if (std::any_of(holds.begin(), holds.end(), of_run)) {
      decide("resume", found->second.row.pipeline, text, event.who, event.why, event.run);
      end_holds(of_run, event.who);
      reply(event.request, event.run, text + " is released and goes on");
      return;
    }
    refuse(event.request, ErrorCode::conflict,
           "resume: " + text + " is " + name_of(found->second.row.state) + ", not cancelled");
    return;
  }
  const auto row = ledger.find_run(event.run);
  const bool over = row && !runs.contains(event.run);
  if (over && row->state != RunState::cancelled && row->state != RunState::succeeded) {
    refuse(event.request, ErrorCode::conflict,
           "resume: " + text + " is " + name_of(row->state) +
               ", not cancelled; failed steps are tried again: pipectl retry " +
               std::to_string(event.run));
    return;
  }
  if (over && row->end_reason.code == "superseded") {
    refuse(event.request, ErrorCode::conflict,
           "resume: " + text + " was " + row->end_reason.sentence +
               "; what it worked on has been replaced");
    return;
  }
  const auto run = run_to_go_on(event.run, "resume", event.version);
  if (!run) {
    refuse(event.request, run.error().code, run.error().message);
    return;
  }
  begin_again(**run);
  for (NodeIndex n = 0; n < (*run)->nodes.size(); ++n) {
    Node& node = (*run)->nodes[n];
    if (node.state == StepState::cancelled || node.state == StepState::blocked) {
      node.state = StepState::waiting;
      node.cursor = 0;
      if (node.span != no_span) open_span(**run, node.span, false);
      write_step(**run, n, {"resumed", "goes on at the wish of " + event.who, {}});
    }
    take_up_node(**run, n);
  }
  decide("resume", (*run)->row.pipeline, text, event.who, event.why, event.run);
  reply(event.request, event.run, text + " goes on");
}

// Keeps what is defined alike, takes the rest back; returns what became of each recorded step.
std::vector<PlannedStep> Engine::State::move_run(Run& run) {
  const PipelineState& pipeline = pipelines.at(run.row.pipeline);
  const auto from = run.pipeline;
  const auto to = pipeline.current;
  const std::vector<Digest> before = run.definitions;
  const std::vector<StepRow> rows = ledger.steps_of(run.row.number);
  Run next;
  next.row = run.row;
  next.row.version = to->version;
  next.pipeline = to;
  prepare_run(next);
  next.row.spans = spans_for_run(pipeline, next);
  for (RunSpan& span : next.row.spans) {  // as the run saw them
    for (const RunSpan& seen : run.row.spans) {
      if (seen.source == span.source && seen.span == span.span) span = seen;
    }
  }
  const std::vector<bool> again = defined_otherwise(*from, before, *to, next.definitions);
  std::vector<PlannedStep> moved;
  std::vector<StepRow> kept;
  for (StepRow row : rows) {
    const StepIndex old = from->find(row.step), now_at = to->find(row.step);
    PlannedStep told{row.step, row.element, "keep", row.reason};
    if (now_at == no_step || to->steps[now_at].fan_source != from->steps[old].fan_source) {
      told.verdict = "drop";
      row.reason = {"migrated", "version " + to->version.brief() + " has no such step", {}};
      row.state = StepState::skipped;
    } else if (again[now_at] || row.state == StepState::blocked ||
               row.state == StepState::cancelled) {
      told.verdict = "again";
      const bool other = again[now_at];
      row.reason = {"migrated", other ? "defined otherwise in version " + to->version.brief()
                                      : "goes on with version " + to->version.brief(), {}};
      row.state = StepState::waiting;
      row.key.reset();
      row.result = row.tries = row.faults = row.next_try_at = row.first_try_at = 0;
      row.first_call_at = 0;
    }
    if (told.verdict != "keep") {
      told.reason = row.reason;
      put(row);
    }
    if (told.verdict != "drop") kept.push_back(row);
    moved.push_back(std::move(told));
  }
  const RunRow row = next.row;
  Run& loaded = load_run(row, to, kept);
  if (row.state != RunState::queued) {
    begin_again(loaded);
    for (NodeIndex n = 0; n < loaded.nodes.size(); ++n) {
      if (is_dead(loaded.nodes[n].state)) dead.emplace_back(row.number, n);
      take_up_node(loaded, n);
    }
  } else {
    ledger.put(loaded.row);
  }
  return moved;
}

void Engine::State::on(const event::MigrateRequested& event) {
  const std::string text = "run " + std::to_string(event.run);
  const bool was_open = runs.contains(event.run);
  const auto found = run_to_go_on(event.run, "migrate", event.version);
  if (!found) {
    refuse(event.request, found.error().code, found.error().message);
    return;
  }
  Run& run = **found;
  const auto& current = pipelines.at(run.row.pipeline).current;
  std::string refusal;
  if (run.row.version == current->version) {
    refusal = text + " has the version that is in force already";
  } else if (run.live > 0) {
    refusal = "steps of " + text + " are running; wait for them or cancel the run, then migrate it";
  } else if (const auto error = options_error(*current, run.row.options)) {
    refusal = text + " was asked for with what version " + current->version.brief() +
              " does not have: " + error->message;
  }
  if (!refusal.empty()) {
    if (!was_open) runs.erase(event.run);
    refuse(event.request, ErrorCode::conflict, "migrate: " + refusal);
    return;
  }
  const std::string from = run.row.version.brief(), pipeline = run.row.pipeline;
  for (NodeIndex n = 0; n < run.nodes.size(); ++n) drop_ready(run, n);
  std::erase_if(timers, [&](const auto& timer) { return timer.second.run == event.run; });
  std::erase_if(work, [&](const auto& item) { return item.first == event.run; });
  std::erase_if(dead, [&](const auto& item) { return item.first == event.run; });
  move_run(run);
  decide("migrate", pipeline, text, event.who, event.why, event.run);
  reply(event.request, event.run, text + " goes on with version " + current->version.brief() +
                                      " rather than " + from);
}

Result<std::vector<PlannedStep>> Engine::plan_migration(
    RunNumber number, const std::shared_ptr<const Pipeline>& version, Instant now) const {
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
  dry.pipelines = state_->pipelines;
  dry.keep = number;
  const auto row = ledger.find_run(number);
  if (row && row->state != RunState::succeeded && version && version->version == row->version) {
    dry.load_run(*row, version, ledger.steps_of(number));  // as it is recorded
  }
  TRY(run, dry.run_to_go_on(number, "migrate", version));
  if (run->row.version == dry.pipelines.at(run->row.pipeline).current->version) {
    return Error{ErrorCode::conflict, "migrate: run " + std::to_string(number) +
                                          " has the version that is in force already"};
  }
  std::map<std::pair<std::string, std::string>, PlannedStep> moved;
  std::vector<PlannedStep> told;
  for (PlannedStep& step : dry.move_run(*run)) {
    if (step.verdict == "drop") told.push_back(step);
    else moved[{step.step, step.element}] = step;
  }
  dry.settle();
  for (PlannedStep& step : dry.planned(number)) {
    const auto known = moved.find({step.step, step.element});
    if (known != moved.end() && known->second.verdict == "keep") step = known->second;
    told.push_back(std::move(step));
  }
  return told;
}

}  // namespace pipelined
