// Schedules and expectations: slots of the wall clock, each at most once.
//
// A slot is fired in the turn that records it, and a recorded slot never fires again; so no crash,
// restart or set clock can double one.  Which slots are looked at follows from the position of a
// clock, which is the newest recorded slot that is not in the future.
#include <algorithm>

#include "dag/engine_state.h"

namespace pipelined {
namespace {

constexpr TimeMs on_time_ms = 60'000;      // a slot that fires later than this was missed
constexpr TimeMs look_first_ms = 60'000;   // after a start: folders are looked at before judging

std::int64_t seconds_of_ms(TimeMs ms) { return ms / 1000 - (ms % 1000 < 0 ? 1 : 0); }

std::string slot_text(std::int64_t slot_s) {
  std::string text = iso_text(slot_s, TimeZone::utc());
  return text.substr(0, 19) + "Z";
}

// How much later than its slot a run starts: always the same for the same slot.
TimeMs jitter_of(const std::string& pipeline, const TriggerClock& clock, std::int64_t slot_s) {
  if (!clock.source.empty() || clock.jitter_ms == 0) return clock.jitter_ms;
  const std::string hex = sha256(pipeline + "\n" + clock.id + "\n" + slot_text(slot_s)).hex();
  return static_cast<TimeMs>(std::stoull(hex.substr(0, 12), nullptr, 16) %
                             static_cast<unsigned long long>(clock.jitter_ms));
}

// Whether the version before had the same schedule under this name, so that it goes on.
bool had_clock(const Pipeline* before, const TriggerSpec& trigger) {
  if (before == nullptr) return false;
  const auto& all = before->spec.triggers;
  return std::any_of(all.begin(), all.end(), [&](const TriggerSpec& other) {
    return other.id() == trigger.id() && other.schedule == trigger.schedule &&
           other.timezone == trigger.timezone;
  });
}

bool had_clock(const Pipeline* before, const SourceSpec& source) {
  const SourceSpec* other = before == nullptr ? nullptr : before->spec.source(source.name);
  return other != nullptr && other->expect.schedule == source.expect.schedule &&
         other->expect.timezone == source.expect.timezone;
}

}  // namespace

bool Engine::State::put_slot(const PipelineState& pipeline, const std::string& trigger,
                             const std::string& slot, TimeMs due_at, const std::string& outcome,
                             const std::string& why, RunNumber run) {
  if (ledger.find_slot(pipeline.row.name, trigger, slot)) return false;
  put(SlotRow{pipeline.row.name, trigger, slot, outcome, why, run, due_at, now.wall_ms, 0});
  return true;
}

// ---- Winding up ------------------------------------------------------------------------------------

void Engine::State::wind(PipelineState& pipeline, const Pipeline* before, bool applied) {
  pipeline.clocks.clear();
  const PipelineSpec& spec = pipeline.current->spec;
  for (std::size_t i = 0; i < spec.triggers.size(); ++i) {
    const TriggerSpec& trigger = spec.triggers[i];
    if (trigger.schedule.empty()) continue;
    TriggerClock clock;
    clock.id = trigger.id();
    clock.trigger = i;
    clock.jitter_ms = trigger.jitter_ms;
    clock.catch_up = trigger.catch_up;
    wind_one(pipeline, std::move(clock), trigger.schedule, trigger.timezone,
             !applied || had_clock(before, trigger));
  }
  for (const SourceSpec& source : spec.sources) {
    if (source.expect.schedule.empty()) continue;
    TriggerClock clock;
    clock.id = "expect/" + source.name;
    clock.source = source.name;
    clock.jitter_ms = source.expect.within_ms;
    clock.not_before = now.wall_ms + look_first_ms;
    wind_one(pipeline, std::move(clock), source.expect.schedule, source.expect.timezone,
             !applied || had_clock(before, source));
  }
  find_next_slot();
}

void Engine::State::wind_one(PipelineState& pipeline, TriggerClock clock,
                             const std::string& schedule, const std::string& zone,
                             bool armed_before) {
  auto parsed = Schedule::parse(schedule);
  auto found = zones->zone(zone);
  if (!parsed || !found) {  // checked when it was applied: a zone's file has gone since
    const std::string why = parsed ? found.error().message : parsed.error().message;
    alert({pipeline.row.name + "/" + clock.id + "/zone/" + pipeline.row.version.hex(),
           pipeline.row.name, clock.id, "error", "the schedule of " + pipeline.row.name +
               " does not run: " + why, 0, "", "", {}, 0, 0});
    return;
  }
  clock.schedule = *std::move(parsed);
  clock.zone = *found;
  const std::int64_t now_s = seconds_of_ms(now.wall_ms);
  if (!armed_before) {
    put_slot(pipeline, clock.id, "armed " + slot_text(now_s) + " " + std::to_string(last_seq),
             now.wall_ms, "armed", "slots after this time are due", 0);
    clock.position_s = now_s;
  } else {
    clock.position_s = settled_until(pipeline, clock);
  }
  set_due(pipeline, clock);
  pipeline.clocks.push_back(std::move(clock));
}

std::int64_t Engine::State::settled_until(const PipelineState& pipeline,
                                          const TriggerClock& clock) {
  const auto last = ledger.last_slot(pipeline.row.name, clock.id, now.wall_ms);
  return seconds_of_ms(last ? last->due_at : now.wall_ms);
}

void Engine::State::set_due(PipelineState& pipeline, TriggerClock& clock) const {
  const auto next = clock.schedule.next(clock.position_s, *clock.zone);
  clock.due_at = 0;
  if (!next) return;
  clock.due_at = *next * 1000 + jitter_of(pipeline.row.name, clock, *next);
  if (!clock.source.empty()) clock.due_at = std::max(clock.due_at, clock.not_before);
}

void Engine::State::find_next_slot() {
  next_slot.reset();
  for (const auto& [name, pipeline] : pipelines) {
    if (pipeline.row.paused) continue;
    for (const TriggerClock& clock : pipeline.clocks) {
      if (clock.due_at == 0) continue;
      next_slot = std::min(next_slot.value_or(clock.due_at), clock.due_at);
    }
  }
}

// ---- Time passes -----------------------------------------------------------------------------------

void Engine::State::look_at_clocks() {
  if (dry) return;
  const bool set_back = now.wall_ms < looked_at;
  looked_at = now.wall_ms;
  if (set_back) {
    for (auto& [name, pipeline] : pipelines) {
      for (TriggerClock& clock : pipeline.clocks) {
        if (clock.position_s * 1000 <= now.wall_ms) continue;
        clock.position_s = settled_until(pipeline, clock);
        set_due(pipeline, clock);
      }
    }
    find_next_slot();
  }
  if (!next_slot || *next_slot > now.wall_ms) return;
  for (auto& [name, pipeline] : pipelines) {
    if (pipeline.row.paused) continue;
    for (TriggerClock& clock : pipeline.clocks) {
      if (clock.due_at != 0 && clock.due_at <= now.wall_ms) tick(pipeline, clock);
    }
  }
  find_next_slot();
}

// Slots behind the position whose time has come, newest first.
std::vector<std::int64_t> Engine::State::due_slots(const PipelineState& pipeline,
                                                   const TriggerClock& clock,
                                                   std::size_t limit) const {
  std::vector<std::int64_t> due;
  auto slot = clock.schedule.latest(seconds_of_ms(now.wall_ms), *clock.zone);
  while (slot && *slot > clock.position_s && due.size() < limit) {
    const bool come = *slot * 1000 + jitter_of(pipeline.row.name, clock, *slot) <= now.wall_ms;
    if (come) due.push_back(*slot);
    slot = clock.schedule.latest(*slot - 1, *clock.zone);
  }
  return due;
}

void Engine::State::tick(PipelineState& pipeline, TriggerClock& clock) {
  const bool expected = !clock.source.empty();
  const std::size_t wanted = expected ? 1 : static_cast<std::size_t>(std::max<std::int64_t>(1, clock.catch_up));
  std::vector<std::int64_t> due = due_slots(pipeline, clock, wanted + 1);
  if (due.empty()) {
    set_due(pipeline, clock);
    if (clock.due_at <= now.wall_ms) clock.due_at = now.wall_ms + 1000;
    return;
  }
  const std::int64_t newest = due.front();
  if (due.size() > wanted) {  // more were missed than are caught up with
    if (!expected) {
      put_slot(pipeline, clock.id, slot_text(due.back()), due.back() * 1000, "missed",
               "nobody was there when slots up to this one were due; " +
                   std::to_string(wanted) + " later ones are caught up with", 0);
    }
    due.pop_back();
  }
  clock.position_s = newest;
  set_due(pipeline, clock);
  std::reverse(due.begin(), due.end());
  for (const std::int64_t slot : due) {
    if (expected) {
      judge_expected(pipeline, clock, slot);
    } else {
      fire_slot(pipeline, clock, slot);
    }
  }
}

void Engine::State::fire_slot(PipelineState& pipeline, const TriggerClock& clock,
                              std::int64_t slot_s) {
  const std::string slot = slot_text(slot_s);
  if (ledger.find_slot(pipeline.row.name, clock.id, slot)) return;
  const TimeMs due_at = slot_s * 1000;
  const TimeMs late_ms = now.wall_ms - due_at - jitter_of(pipeline.row.name, clock, slot_s);
  const bool late = late_ms > on_time_ms;
  if (late && clock.catch_up == 0) {
    put_slot(pipeline, clock.id, slot, due_at, "missed",
             "nobody was there when it was due, and catch_up is none", 0);
    return;
  }
  const TriggerSpec& trigger = pipeline.current->spec.triggers[clock.trigger];
  std::string sentence = "due at " + iso_text(slot_s, *clock.zone) + " by " + trigger.schedule;
  if (trigger.timezone != "UTC") sentence += " in " + trigger.timezone;
  if (late) sentence += ", caught up with " + std::to_string(late_ms / 1000) + " s later";
  std::string skipped;
  const RunNumber run =
      start_triggered(pipeline, trigger.params, {"schedule", sentence, {}}, "schedule", skipped);
  put_slot(pipeline, clock.id, slot, due_at, run == 0 ? "skipped" : "fired",
           run == 0 ? skipped : sentence, run);
}

// ---- Expected spans --------------------------------------------------------------------------------

void Engine::State::judge_expected(PipelineState& pipeline, const TriggerClock& clock,
                                   std::int64_t slot_s) {
  const std::string slot = slot_text(slot_s);
  const std::string& name = pipeline.row.name;
  const auto before = clock.schedule.latest(slot_s - 1, *clock.zone);
  const TimeMs since = before ? *before * 1000 + clock.jitter_ms : 0;
  const auto newest = ledger.newest_span(name, clock.source);
  if (newest && newest->at > since) {
    put_slot(pipeline, clock.id, slot, slot_s * 1000, "came", "span " + newest->span + " came", 0);
    return;
  }
  const std::string due = iso_text(slot_s, *clock.zone);
  std::string sentence = "source " + clock.source + ": a span was due at " + due +
                         " and has not come";
  sentence += newest ? "; the newest is " + newest->span + ", from " +
                           slot_text(seconds_of_ms(newest->at))
                     : "; none has ever come";
  if (!put_slot(pipeline, clock.id, slot, slot_s * 1000, "late", sentence, 0)) return;
  alert({name + "/" + clock.id + "/" + slot, name, clock.source, "warning", sentence, 0, "", "",
         Value(ValueTable{{"due_at", due}, {"source", clock.source}}), 0, 0});
}

}  // namespace pipelined
