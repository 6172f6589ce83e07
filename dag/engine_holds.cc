// What people want to wait: holds of a pipeline, a run or a step, and pauses that hold steps.
#include <algorithm>
#include <chrono>

#include "dag/engine_state.h"

namespace pipelined {
namespace {

// "2026-03-01 08:30 UTC"
std::string minute_text(TimeMs at) {
  using namespace std::chrono;
  const sys_time<milliseconds> time{milliseconds(at)};
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{floor<minutes>(time - day)};
  const auto two = [](unsigned number) {
    return (number < 10 ? "0" : "") + std::to_string(number);
  };
  return std::to_string(static_cast<int>(date.year())) + "-" +
         two(static_cast<unsigned>(date.month())) + "-" + two(static_cast<unsigned>(date.day())) +
         " " + two(static_cast<unsigned>(clock.hours().count())) + ":" +
         two(static_cast<unsigned>(clock.minutes().count())) + " UTC";
}

bool same_place(const HoldRow& a, const HoldRow& b) {
  return a.kind == b.kind && a.pipeline == b.pipeline && a.run == b.run && a.step == b.step &&
         a.element == b.element;
}

// "pipeline nightly", "run 4", "step train of run 4".
std::string place_text(const HoldRow& hold) {
  const std::string whole = hold.run == 0 ? "pipeline " + hold.pipeline
                                          : "run " + std::to_string(hold.run);
  return hold.step.empty() ? whole : "step " + step_path(hold.step, hold.element) + " of " + whole;
}

}  // namespace

std::string held_sentence(const HoldRow& hold) {
  std::string text = hold.kind == "pause" ? "is paused with its pipeline by " + hold.who
                                          : "is held with " + place_text(hold) + " by " + hold.who;
  if (hold.until != 0) text += " until " + minute_text(hold.until);
  return hold.why.empty() ? text : text + ": " + hold.why;
}

const HoldRow* Engine::State::hold_on(const Run& run, NodeIndex index) const {
  if (run.cancelling) return nullptr;  // what cleans up is not held
  const StepSpec& step = run.step_of(index).spec;
  for (const HoldRow& hold : holds) {
    if (hold.pipeline != run.row.pipeline || (hold.run != 0 && hold.run != run.row.number)) continue;
    if (!hold.step.empty() && hold.step != step.name) continue;
    if (!hold.element.empty() && hold.element != run.element_of(index)) continue;
    return &hold;
  }
  return nullptr;
}

// Takes what waits for a slot out of the queue; what runs goes on.
void Engine::State::apply_hold(const HoldRow& hold) {
  for (auto& [number, run] : runs) {
    if (run.row.pipeline != hold.pipeline || run.row.state == RunState::queued) continue;
    for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
      if (run.nodes[n].state != StepState::ready || hold_on(run, n) == nullptr) continue;
      drop_ready(run, n);
      run.held.insert(n);
    }
  }
}

void Engine::State::wake_held(const std::string& pipeline) {
  for (auto& [number, run] : runs) {
    if (run.row.pipeline != pipeline) continue;
    for (const NodeIndex n : std::vector<NodeIndex>(run.held.begin(), run.held.end())) {
      if (hold_on(run, n) != nullptr) continue;
      run.held.erase(n);
      work.emplace_back(number, n);
      touched.insert(number);
    }
  }
}

void Engine::State::put_hold(HoldRow hold) {
  hold.at = now.wall_ms;
  std::erase_if(holds, [&](const HoldRow& other) { return same_place(other, hold); });
  put(hold);
  holds.push_back(hold);
  arm_hold(hold);
  apply_hold(hold);
}

void Engine::State::arm_hold(const HoldRow& hold) {
  if (hold.until == 0) return;
  timers.emplace(now.steady_ms + std::max<TimeMs>(0, hold.until - now.wall_ms),
                 Timer{Timer::Kind::hold, hold.pipeline, 0, 0, 0, ""});
}

// Ends the holds that `which` is true of; what waited for them goes on.
std::size_t Engine::State::end_holds(const std::function<bool(const HoldRow&)>& which,
                                     const std::string& by) {
  std::vector<HoldRow> ended;
  for (const HoldRow& hold : holds) {
    if (which(hold)) ended.push_back(hold);
  }
  std::erase_if(holds, which);
  for (HoldRow& hold : ended) {
    hold.active = false;
    hold.ended_by = by;
    hold.ended_at = now.wall_ms;
    put(hold);
    wake_held(hold.pipeline);
  }
  return ended.size();
}

void Engine::State::hold_time_over() {
  end_holds([this](const HoldRow& hold) { return hold.until != 0 && hold.until <= now.wall_ms; },
            "time");
  // A clock that was set back lets the others wait longer.
  for (const HoldRow& hold : holds) {
    const bool armed = std::any_of(timers.begin(), timers.end(), [&](const auto& entry) {
      return entry.second.kind == Timer::Kind::hold && entry.second.pipeline == hold.pipeline;
    });
    if (!armed) arm_hold(hold);
  }
}

// The pipeline that is meant, after a look whether run and step are there; empty after a refusal.
std::string Engine::State::held_pipeline(const event::HoldRequested& event) {
  const std::string verb = event.release ? "release: " : "hold: ";
  const Pipeline* pipeline = nullptr;
  std::string name = event.pipeline;
  if (event.run != 0) {
    const auto run = runs.find(event.run);
    if (run == runs.end()) {
      refuse(event.request, ErrorCode::not_found,
             verb + "run " + std::to_string(event.run) + " is not open");
      return "";
    }
    name = run->second.row.pipeline;
    pipeline = run->second.pipeline.get();
  } else if (const auto found = pipelines.find(name); found != pipelines.end()) {
    pipeline = found->second.current.get();
  }
  if (pipeline == nullptr) {
    refuse(event.request, ErrorCode::not_found, verb + "there is no pipeline " + name);
    return "";
  }
  if (!event.step.empty() && pipeline->find(event.step) == no_step) {
    refuse(event.request, ErrorCode::not_found,
           verb + "pipeline " + name + " has no step " + event.step);
    return "";
  }
  return name;
}

void Engine::State::on(const event::HoldRequested& event) {
  HoldRow hold;
  hold.pipeline = held_pipeline(event);
  if (hold.pipeline.empty()) return;
  hold.run = event.run;
  hold.step = event.step;
  hold.element = event.element;
  hold.who = event.who;
  hold.why = event.why;
  hold.until = event.until;
  if (event.release) {
    const auto same = [&](const HoldRow& other) { return same_place(other, hold); };
    if (end_holds(same, event.who) == 0) {
      refuse(event.request, ErrorCode::not_found,
             "release: " + place_text(hold) + " is not held; `pipectl holds` lists what is");
      return;
    }
    decide("release", hold.pipeline, place_text(hold), event.who, event.why, event.run);
    reply(event.request, event.run, place_text(hold) + " is released");
    return;
  }
  if (hold.until != 0 && hold.until <= now.wall_ms) {
    refuse(event.request, ErrorCode::invalid,
           "hold: " + minute_text(hold.until) + " is over already");
    return;
  }
  decide("hold", hold.pipeline, place_text(hold), event.who, event.why, event.run);
  const std::string sentence = place_text(hold) + " " +
                               (hold.until == 0 ? "is held until somebody releases it"
                                                : "is held until " + minute_text(hold.until));
  put_hold(std::move(hold));
  reply(event.request, event.run, sentence + "; what runs goes on");
}

void Engine::State::on(const event::PauseRequested& event) {
  const auto found = pipelines.find(event.pipeline);
  if (found == pipelines.end()) {
    refuse(event.request, ErrorCode::not_found, "there is no pipeline " + event.pipeline);
    return;
  }
  PipelineState& pipeline = found->second;
  const auto of_pause = [&](const HoldRow& hold) {
    return hold.kind == "pause" && hold.pipeline == event.pipeline;
  };
  const bool holds_steps = std::any_of(holds.begin(), holds.end(), of_pause);
  if (pipeline.row.paused != event.paused || (event.hold_steps && !holds_steps)) {
    pipeline.row.paused = event.paused;
    put(pipeline.row);
    decide(event.paused ? (event.hold_steps ? "pause --hold-steps" : "pause") : "unpause",
           event.pipeline, event.pipeline, event.who, event.why, 0);
  }
  if (event.paused && event.hold_steps && !holds_steps) {
    HoldRow hold;
    hold.kind = "pause";
    hold.pipeline = event.pipeline;
    hold.who = event.who;
    hold.why = event.why;
    put_hold(std::move(hold));
  }
  if (!event.paused) end_holds(of_pause, event.who);
  reply(event.request, 0,
        event.pipeline + (!event.paused ? " goes on"
                          : event.hold_steps
                              ? " is paused: arrivals are kept, no run starts, no further step of "
                                "its runs either"
                              : " is paused: arrivals are kept, no run starts"));
  find_next_slot();
  if (event.paused) return;
  std::vector<std::size_t> due;
  for (const auto& [trigger, pending] : pipeline.pending) due.push_back(trigger);
  for (const std::size_t trigger : due) fire(pipeline, trigger);
  advance_backfills(event.pipeline);
  remedy_at_rest(event.pipeline);
}

}  // namespace pipelined
