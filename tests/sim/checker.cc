// The invariants, looked at after every turn on what is committed.
#include "dag/cache_key.h"
#include "dag/run_state.h"
#include "dag/step_ports.h"
#include "tests/sim/world.h"

namespace pipelined::sim {
namespace {

std::string place(const StepRow& row) {
  return step_path(row.step, row.element) + " of run " + std::to_string(row.run);
}

/// The elements that an answer of a generator names so far; none: it names none.
ValueList elements_of(const ResultRow& row) {
  const ValueTable* notes = row.notes.as_table();
  const auto found = notes == nullptr ? ValueTable::const_iterator() : notes->find(":elements");
  if (notes == nullptr || found == notes->end()) return {};
  return found->second.as_list() == nullptr ? ValueList{} : *found->second.as_list();
}

}  // namespace

void World::check() {
  for (auto it = ledger_.results.upper_bound(last_checked_result_); it != ledger_.results.end(); ++it) {
    check_result(it->second);
    check_equal_work(it->second);
    last_checked_result_ = it->first;
  }
  if (++checks_ % 16 != 0 && faults_) return;  // rows stay: what is broken is still broken later
  count_own_ends();
  check_spans();
  check_attempts();
  check_versions();
  check_remedies();
  check_backfills();
  check_schedules();
  check_rows(false);
  if (checks_ % 64 == 0) check_rebuilt();
  for (auto it = ledger_.runs.rbegin(); it != ledger_.runs.rend(); ++it) {
    if (!is_open(it->second.state) && it->first + 3 < ledger_.runs.rbegin()->first) break;
    check_run(it->second);
  }
  for (const auto& [request, run] : promised_) {
    if (!ledger_.runs.contains(run)) {
      violate("request " + std::to_string(request) + " was answered with run " +
              std::to_string(run) + ", which is not recorded");
    }
  }
}

// What fills the cache was made by an attempt that ended well, from things that exist.
void World::check_result(const ResultRow& row) const {
  const auto attempt = ledger_.attempts.find(row.attempt);
  if (attempt == ledger_.attempts.end()) violate("result without an attempt");
  const Outcome outcome = attempt->second.outcome;
  if (outcome != Outcome::ok && outcome != Outcome::halt && outcome != Outcome::more) {
    violate("result " + std::to_string(row.id) + " of an attempt that ended " + name_of(outcome));
  }
  for (const Binding& output : row.outputs) {
    if (poison_.contains(output.artifact.digest)) violate("a lie became a result");
  }
  if (row.key && sha256(row.key_text) != *row.key) violate("a key is not the digest of its text");
}

// Ends of attempts that were their own doing, by step.
void World::count_own_ends() {
  own_ends_.clear();
  for (const auto& [id, attempt] : ledger_.attempts) {
    if (!attempt.running && !attempt.machine_fault) {
      ++own_ends_[{attempt.run, attempt.step, attempt.element}];
    }
  }
}

void World::check_tries(const StepRow& row) const {
  const auto found = own_ends_.find({row.run, row.step, row.element});
  const std::int64_t counted = found == own_ends_.end() ? 0 : found->second;
  if (row.tries > counted) {
    violate(place(row) + " counts " + std::to_string(row.tries) + " tries of " +
            std::to_string(counted) + " that were its own");
  }
}

// A remedy starts one run for a span's version and key, and no run says so without a record.
void World::check_remedies() {
  std::set<RunNumber> recorded, started;
  for (const auto& [place, slot] : ledger_.slots) {
    if (!slot.trigger.starts_with("remedy/")) continue;
    recorded.insert(slot.run);
    const auto run = ledger_.runs.find(slot.run);
    if (run == ledger_.runs.end() || run->second.reason.code != "remedy") {
      violate("the remedy of " + slot.trigger + " " + slot.slot + " names no run of the policy");
    }
  }
  for (const auto& [number, run] : ledger_.runs) {
    if (run.reason.code == "remedy") started.insert(number);
  }
  if (recorded != started) violate("runs of the policy and records of remedies differ");
}

// A time of a schedule starts one run, whatever the clock does, and no run says so without a record.
void World::check_schedules() {
  std::multiset<RunNumber> recorded, started;
  for (const auto& [place, slot] : ledger_.slots) {
    const bool scheduled = !slot.trigger.starts_with("remedy/") && slot.run != 0;
    if (scheduled) recorded.insert(slot.run);
  }
  for (const auto& [number, run] : ledger_.runs) {
    if (run.reason.code == "schedule") started.insert(number);
  }
  if (recorded != started) violate("runs of the schedule and records of its times differ");
}

// An element that failed as the file allows leaves its run good: counted here from the rows alone.
bool World::was_passed_by(const RunRow& row, const StepRow& step) const {
  const Pipeline& pipeline = pipeline_of(row);
  const StepIndex index = pipeline.find(step.step);
  if (index == no_step || !is_generated_source(pipeline.steps[index].fan_source)) return false;
  const PipelineStep& generator =
      pipeline.steps[pipeline.find(generator_of(pipeline.steps[index].fan_source))];
  std::set<std::string> failed;
  for (auto it = ledger_.steps.lower_bound({row.number, "", ""});
       it != ledger_.steps.end() && it->second.run == row.number; ++it) {
    const StepRow& other = it->second;
    const StepIndex at = pipeline.find(other.step);
    if (at == no_step || pipeline.steps[at].fan_source != pipeline.steps[index].fan_source) continue;
    if (other.state == StepState::failed) failed.insert(other.element);
  }
  return (is_dead(step.state) && failed.contains(step.element)) &&
         static_cast<std::int64_t>(failed.size()) <= generator.spec.generates->failures;
}

// Only elements that were named run, no more of them than the file allows, and a search that is
// over has an end of all that it named.
void World::check_generated(const RunRow& row) {
  const Pipeline& pipeline = pipeline_of(row);
  for (const PipelineStep& generator : pipeline.steps) {
    if (!generator.spec.generates) continue;
    const auto search = ledger_.steps.find({row.number, generator.spec.name, ""});
    if (search == ledger_.steps.end()) continue;
    const auto result = ledger_.results.find(search->second.result);
    const std::size_t named = result == ledger_.results.end() ? 0 : elements_of(result->second).size();
    if (named > static_cast<std::size_t>(generator.spec.generates->max)) {
      violate(place(search->second) + " named " + std::to_string(named) + " elements");
    }
    for (const StepRow& step : ledger_.steps_of(row.number)) {
      const StepIndex at = pipeline.find(step.step);
      if (at == no_step ||
          pipeline.steps[at].fan_source != generated_source(generator.spec.name)) {
        continue;
      }
      const bool is_named = std::stoull(step.element) <= named;
      const bool works = step.state == StepState::running || is_done(step.state);
      if (works && !is_named) violate(place(step) + " runs though nobody named it");
      if (is_done(search->second.state) && is_named && is_open(row.state) &&
          row.state != RunState::queued && step.state == StepState::skipped &&
          row.options.select.empty()) {
        violate(place(step) + " was skipped though it was named");
      }
    }
    if (named > 0) hit("elements named");
    if (named > 3 && is_done(search->second.state)) hit("search of several rounds done");
  }
}

void World::check_run(const RunRow& row) {
  if (row.state == RunState::queued) return;
  bool failed = false, halted = false;
  for (auto it = ledger_.steps.lower_bound({row.number, "", ""});
       it != ledger_.steps.end() && it->second.run == row.number; ++it) {
    const StepRow& step = it->second;
    const bool counts = row.state != RunState::halted || !was_passed_by(row, step);
    failed = failed || (step.state == StepState::failed && counts);
    halted = halted || step.state == StepState::halted;
    if (step.state == StepState::halted && is_open(row.state) && step.key &&
        (ledger_.acceptances.contains(*step.key) ||
         ledger_.acceptances.contains(policy_key(row.pipeline, *step.key)))) {
      violate(place(step) + " is halted though its key was accepted");
    }
    if (is_done(step.state) && step.result == 0) violate(place(step) + " is done without a result");
    if (is_done(step.state) && !ledger_.results.contains(step.result)) {
      violate(place(step) + " names a result that is not there");
    }
    if (row.state == RunState::running && step.tries + step.faults > 0) check_tries(step);
    if (row.state == RunState::succeeded && step.state == StepState::failed) {
      hit("failed element passed by");
    }
    if (row.state == RunState::succeeded &&
        !(is_done(step.state) || step.state == StepState::skipped || was_passed_by(row, step))) {
      violate("run " + std::to_string(row.number) + " succeeded with " + place(step) + " " +
              name_of(step.state));
    }
  }
  if (row.state == RunState::failed && !failed) {
    violate("run " + std::to_string(row.number) + " failed without a failed step: " +
            row.end_reason.sentence);
  }
  if (row.state == RunState::halted && (!halted || failed)) {
    violate("run " + std::to_string(row.number) + " is halted without reason");
  }
  if (!is_open(row.state)) {
    for (const StepRow& step : ledger_.steps_of(row.number)) {
      if (step.state == StepState::running) {
        violate("run " + std::to_string(row.number) + " is over though " + place(step) + " is running");
      }
    }
  }
  check_parents(row);
  check_generated(row);
  if (row.state == RunState::halted) check_superseded(row);
  check_collectors(row);
}

bool World::was_decided(std::string_view kind, RunNumber run) const {
  return std::any_of(ledger_.decisions.begin(), ledger_.decisions.end(), [&](const DecisionRow& row) {
    return row.kind == kind && row.run == run;
  });
}

bool World::was_dropped(const std::string& span) const {
  return std::any_of(ledger_.decisions.begin(), ledger_.decisions.end(), [&](const DecisionRow& row) {
    return row.kind == "span drop" && row.subject == span;
  });
}

// A collector that is done has seen every element that takes part, and none that was halted.
void World::check_collectors(const RunRow& row) const {
  const Pipeline* pipeline = &pipeline_of(row);
  for (const PipelineStep& step : pipeline->steps) {
    const auto done = ledger_.steps.find({row.number, step.spec.name, ""});
    if (step.spec.run_on != "success") continue;  // those read what is there
    if (!step.fan_source.empty() || done == ledger_.steps.end() || !is_done(done->second.state)) {
      continue;
    }
    for (const PipelineInput& input : step.inputs) {
      if (!input.collects || input.evidence || input.spec.kind != InputSpec::Kind::step ||
          input.spec.spans.kind != SpanSelection::Kind::all) {
        continue;
      }
      const std::string& from = pipeline->steps[input.step].spec.name;
      for (auto it = ledger_.steps.lower_bound({row.number, from, ""});
           it != ledger_.steps.end() && it->second.run == row.number && it->second.step == from; ++it) {
        const StepState state = it->second.state;
        // The work of a dropped span may still be ending while collectors go past it, and what had
        // failed or been rejected before stays so, also when the span is restored later.
        const bool stays = state == StepState::running || is_dead(state);
        if (stays && was_dropped(it->second.element)) continue;
        if (is_dead(state) && was_passed_by(row, it->second)) continue;
        if (state == StepState::halted || is_dead(state) || state == StepState::running) {
          violate(step.spec.name + " of run " + std::to_string(row.number) + " is done though " +
                  place(it->second) + " is " + name_of(state));
        }
      }
    }
  }
}

// Equal keys made equal things, whenever and wherever they were made.
void World::check_equal_work(const ResultRow& row) {
  if (!row.key) return;
  const auto [known, first] = made_.emplace(*row.key, row.outputs);
  if (!first && known->second != row.outputs) {
    violate("two results of the key of " + step_path(row.step, row.element) + " differ");
  }
  const auto elements = elements_of(row);
  const auto [named, new_one] = named_.emplace(*row.key, elements);
  if (!new_one && named->second != elements) {
    violate("two answers of the key of " + row.step + " name other elements");
  }
}

// An accepted span has nothing left to decide; one that was taken out is in no later run.
void World::check_spans() const {
  for (const auto& [key, span] : ledger_.spans) {
    const auto run = ledger_.runs.find(span.run);
    // A run that was moved to another version decides anew, as a new run would, what was accepted.
    const bool moved = was_decided("migrate", span.run);
    if (span.state == SpanState::accepted && run != ledger_.runs.end() && !moved) {
      for (const PipelineStep& step : pipeline_of(run->second).steps) {
        const bool decides = step.fan_source == span.source && !step.below_collector &&
                             step.spec.run_on == "success";
        const auto row = ledger_.steps.find({span.run, step.spec.name, span.span});
        if (!decides || row == ledger_.steps.end()) continue;
        if (!is_done(row->second.state) && row->second.state != StepState::skipped) {
          violate("span " + span.span + " was accepted though " + place(row->second) + " is " +
                  name_of(row->second.state));
        }
      }
    }
    if (span.state != SpanState::dropped && span.state != SpanState::rejected) continue;
    for (auto it = ledger_.runs.rbegin(); it != ledger_.runs.rend(); ++it) {
      if (it->second.created_seq < span.seq) break;
      for (const RunSpan& part : it->second.spans) {
        if (part.source == span.source && part.span == span.span &&
            part.version == span.version && part.left_out.empty()) {
          violate("run " + std::to_string(it->first) + " takes span " + span.span + ", which was " +
                  name_of(span.state) + " before");
        }
      }
    }
  }
}

// No span has more versions than its content had changes: what is told twice counts once.
void World::check_versions() const {
  std::map<std::pair<std::string, std::string>, std::int64_t> versions;
  for (const auto& [key, span] : ledger_.spans) ++versions[{span.source, span.span}];
  for (const auto& [span, count] : versions) {
    const auto changed = changes_.find(span);
    if (changed == changes_.end() || count > changed->second) {
      violate("span " + span.second + " has " + std::to_string(count) + " versions of " +
              std::to_string(changed == changes_.end() ? 0 : changed->second) + " deliveries");
    }
  }
}

// A step that runs has its inputs: the element before it is done.
void World::check_parents(const RunRow& row) {
  const Pipeline& pipeline = pipeline_of(row);
  for (const StepRow& step : ledger_.steps_of(row.number)) {
    if (step.state != StepState::running && step.state != StepState::succeeded) continue;
    const PipelineStep& known = pipeline.steps[pipeline.find(step.step)];
    if (known.spec.run_on != "success") continue;
    for (const PipelineInput& input : known.inputs) {
      if (input.spec.kind != InputSpec::Kind::step || input.collects || input.spec.optional) continue;
      const PipelineStep& from = pipeline.steps[input.step];
      if (from.fan_source != known.fan_source || from.below_collector != known.below_collector) continue;
      const auto parent = ledger_.steps.find({row.number, from.spec.name, step.element});
      if (parent == ledger_.steps.end() || is_done(parent->second.state)) continue;
      if (parent->second.state == StepState::skipped) continue;  // its port may stay empty
      if (input.evidence && (is_held(parent->second.state) || is_dead(parent->second.state))) continue;
      if (was_dropped(step.element)) continue;
      violate(place(step) + " is " + name_of(step.state) + " though " + place(parent->second) +
              " is " + name_of(parent->second.state));
    }
  }
}

void World::check_attempts() const {
  std::map<std::tuple<RunNumber, std::string, std::string>, std::set<std::int64_t>> numbers;
  std::set<std::tuple<RunNumber, std::string, std::string>> live;
  for (const auto& [id, attempt] : ledger_.attempts) {
    if (attempt.running && !live.insert({attempt.run, attempt.step, attempt.element}).second) {
      violate("two attempts of " + step_path(attempt.step, attempt.element) + " are recorded as running");
    }
    const auto prepared = prepared_in_.find(id);
    const bool of_a_dead_life = prepared != prepared_in_.end() && prepared->second < life_;
    if (attempt.running && of_a_dead_life && supervisor_ && supervisor_->engine() != nullptr) {
      violate("attempt " + id + " is recorded as running though its process died with the daemon");
    }
    if (!numbers[{attempt.run, attempt.step, attempt.element}].insert(attempt.number).second) {
      violate("attempt " + std::to_string(attempt.number) + " of " +
              step_path(attempt.step, attempt.element) + " is recorded twice");
    }
  }
  for (const auto& [what, seen] : numbers) {
    if (*seen.begin() != 1 || *seen.rbegin() != static_cast<std::int64_t>(seen.size())) {
      violate("attempts of " + step_path(std::get<1>(what), std::get<2>(what)) + " of run " +
              std::to_string(std::get<0>(what)) + " are not numbered one after the other");
    }
  }
}

// What the machine has is never exceeded by the attempts that live.
void World::check_slots() const {
  const Capacity there = capacity();
  std::map<std::string, std::int64_t> taken;
  std::set<std::int64_t> devices;
  double cpus = 0;
  for (const auto& [id, plan] : working_) {
    cpus += plan.start.cpus;
    for (const std::int64_t device : plan.start.gpus) {
      if (device < 0 || device >= there.gpus || !devices.insert(device).second) {
        violate("the device " + std::to_string(device) + " has two owners or is not there");
      }
    }
    const auto run = ledger_.runs.find(plan.start.run);
    if (run == ledger_.runs.end()) continue;
    const Pipeline& pipeline = pipeline_of(run->second);
    const StepSpec& spec = pipeline.steps[pipeline.find(plan.start.step)].spec;
    if (!spec.pool.empty()) taken[spec.pool] += spec.pool_slots;
  }
  if (cpus > there.cpus) violate("more processors are taken than there are");
  for (const auto& [pool, slots] : taken) {
    if (slots > there.pools.at(pool)) {
      violate(std::to_string(slots) + " slots of the pool " + pool + " are taken");
    }
  }
}

// Nothing new begins where somebody said before that it is to wait; what cleans up may.
void World::check_held(const effect::StartAttempt& start) const {
  const auto run = ledger_.runs.find(start.run);
  if (run == ledger_.runs.end()) return;
  const auto index = pipeline_of(run->second).find(start.step);
  if (pipeline_of(run->second).steps[index].spec.run_on != "success") return;
  for (const auto& [place, hold] : ledger_.holds) {
    const bool meant = (hold.run == 0 || hold.run == start.run) &&
                       (hold.step.empty() || hold.step == start.step) &&
                       (hold.element.empty() || hold.element == start.element);
    if (hold.active && meant && hold.seq <= seen_before_turn_) {
      violate(step_path(start.step, start.element) + " of run " + std::to_string(start.run) +
              " starts though " + hold.who + " holds it");
    }
  }
}

// A backfill takes each of its spans once, in its order, and says it is done when it has.
void World::check_backfills() const {
  std::map<std::int64_t, std::vector<std::string>> taken;
  for (const auto& [number, run] : ledger_.runs) {
    if (run.options.backfill == 0) continue;
    auto& spans = taken[run.options.backfill];
    spans.insert(spans.end(), run.options.spans.begin(), run.options.spans.end());
  }
  for (const auto& [id, row] : ledger_.backfills) {
    const auto& begun = taken[id];
    const std::vector<std::string> due(row.spans.begin(), row.spans.begin() + row.begun);
    if (begun != due) violate("backfill " + std::to_string(id) + " took other spans than it says");
    if (row.state == "done" && begun.size() != row.spans.size()) {
      violate("backfill " + std::to_string(id) + " is done with spans left");
    }
  }
}

// With nothing under way, an engine built from the rows holds what the living one holds.
void World::check_rebuilt() {
  const Engine* engine = supervisor_ ? supervisor_->engine() : nullptr;
  if (engine == nullptr || turn_wanted_ || engine->live_attempts() != 0) return;
  // What is left of a time is counted by the wall clock across a start, by the steady one in a life.
  if (clock_set_in_ == life_) return;
  const auto timer = engine->next_timer();
  if (timer && *timer <= now_.steady_ms) return;  // it has yet to see what is due now
  const std::string living = engine->state_text();
  CHECK(ledger_.begin());
  Engine rebuilt(ledger_, 1);
  std::vector<Effect> effects;
  rebuilt.apply(event::CapacityChanged{capacity()}, now_, effects);
  const auto found = ledger_.recover();
  CHECK(found.has_value());
  rebuilt.recover(*found, pipelines_, now_, effects);
  for (auto due = rebuilt.next_timer(); due && *due <= now_.steady_ms; due = rebuilt.next_timer()) {
    rebuilt.apply(event::TimeReached{}, now_, effects);
  }
  const std::string text = rebuilt.state_text();
  ledger_.rollback();
  if (text == living) {
    hit("rebuilt and compared");
    return;
  }
  std::size_t at = 0;
  while (at < text.size() && at < living.size() && text[at] == living[at]) ++at;
  const std::size_t begin = living.rfind('\n', at) + 1;
  violate("rebuilt from its rows the engine is another one; it held `" +
          living.substr(begin, living.find('\n', at) - begin) + "`, then `" +
          text.substr(begin, text.find('\n', at) - begin) + "`");
}

// Nobody is asked about data that a later run has newer ones for.
void World::check_superseded(const RunRow& row) const {
  for (auto it = ledger_.steps.lower_bound({row.number, "", ""});
       it != ledger_.steps.end() && it->second.run == row.number; ++it) {
    const StepRow& step = it->second;
    if (step.state != StepState::halted || step.element.empty()) continue;
    const Pipeline& pipeline = pipeline_of(row);
    const std::string& source = pipeline.steps[pipeline.find(step.step)].fan_source;
    const auto version_in = [&](const RunRow& run) {
      for (const RunSpan& span : run.spans) {
        const bool takes_part = span.left_out.empty();
        if (takes_part && span.source == source && span.span == step.element) return span.version;
      }
      return std::int64_t{0};
    };
    for (auto later = ledger_.runs.upper_bound(row.number); later != ledger_.runs.end(); ++later) {
      if (later->second.options.partial()) continue;  // it does not do what the halted one would
      if (version_in(later->second) > version_in(row)) {
        violate(place(step) + " is halted though run " + std::to_string(later->first) +
                " has a newer version");
      }
    }
  }
}

// No trigger has all that it waits for and did not fire.
void World::check_fired() const {
  std::map<std::string, std::int64_t> waiting;
  for (const auto& [number, arrival] : ledger_.arrivals) {
    if (arrival.run == 0) waiting[arrival.source] = number;
  }
  for (const TriggerSpec& trigger : current()->spec.triggers) {
    std::size_t there = 0;
    for (const std::string& source : trigger.arrival) there += waiting.contains(source) ? 1 : 0;
    if (trigger.all_of ? there < trigger.arrival.size() : there == 0) continue;
    for (const std::string& source : trigger.arrival) {
      if (!waiting.contains(source)) continue;
      violate("arrival " + std::to_string(waiting[source]) + " of " + source + " started no run");
    }
  }
}

// Each row of the table is in one span, up to the watermark; at rest all of them are.
void World::check_rows(bool all) const {
  if (current()->spec.sources.front().kind != "query") return;
  std::map<std::int64_t, std::int64_t> ranges;
  for (const auto& [key, span] : ledger_.spans) {
    if (span.version != 1) violate("the rows " + span.span + " were taken twice");
    const std::size_t dash = span.span.find('-');
    const std::int64_t first = std::stoll(span.span);
    ranges[first] = dash == std::string::npos ? first : std::stoll(span.span.substr(dash + 1));
  }
  std::int64_t next = 1;
  for (const auto& [first, last] : ranges) {
    if (first != next) violate("row " + std::to_string(next) + " is in no span or in two");
    next = last + 1;
  }
  if (all && next != rows_ + 1) violate("row " + std::to_string(next) + " was never taken");
}

void World::check_rest() const {
  check_rows(true);
  std::map<RunNumber, std::vector<std::int64_t>> taken;
  check_fired();
  for (const auto& [number, arrival] : ledger_.arrivals) {
    if (arrival.run != 0) taken[arrival.run].push_back(number);
  }
  for (const auto& [number, run] : ledger_.runs) {
    if (!is_at_rest(run.state)) {
      violate("run " + std::to_string(number) + " is " + name_of(run.state) + " for ever");
    }
    if (run.who == "arrival" && taken[number].empty()) {
      violate("run " + std::to_string(number) + " was started by arrivals that others took");
    }
  }
  for (const auto& [source, spans] : delivered_) {
    for (const auto& [span, content] : spans) {
      std::int64_t newest = 0;
      Digest digest;
      for (const auto& [key, row] : ledger_.spans) {
        if (row.source == source && row.span == span && row.version > newest) {
          newest = row.version;
          digest = row.artifact.digest;
        }
      }
      if (digest != sha256(content)) violate("what was delivered for " + span + " was not recorded");
    }
  }
  for (const auto& [key, step] : ledger_.steps) {
    const bool asks = is_held(step.state) || is_dead(step.state);
    if (asks && step.reason.sentence.empty()) {
      violate(place(step) + " is " + name_of(step.state) + " and nothing says why or how to go on");
    }
    if (step.state != StepState::halted || !step.key) continue;
    const std::string element = step.element.empty() ? "-" : step.element;
    const std::string id = current()->spec.name + "/" + element + "/" + step.step + "/" + step.key->hex();
    if (!ledger_.alerts.contains(id)) violate(place(step) + " halted without an alert");
  }
  for (const auto& [id, attempt] : ledger_.attempts) {
    if (attempt.running) violate("attempt " + id + " is recorded as running at rest");
  }
  for (const auto& [id, row] : ledger_.backfills) {
    const bool waits = std::any_of(ledger_.runs.begin(), ledger_.runs.end(), [&](const auto& run) {
      return run.second.options.backfill == id && is_open(run.second.state);
    });
    if (row.state == "running" && !waits) violate("backfill " + std::to_string(id) + " never ends");
  }
}

}  // namespace pipelined::sim
