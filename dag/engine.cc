// The engine's doors: events in, timers, planning, recovery.
#include "dag/engine.h"

#include <algorithm>

#include "dag/engine_state.h"

namespace pipelined {
namespace {

constexpr std::int64_t kill_grace_ms = 5000;
constexpr std::int64_t wall_look_ms = 30'000;  // between two looks at the wall clock

}  // namespace

std::uint64_t Engine::State::next_random() {
  // SplitMix64 (Steele, Lea, Flood 2014): any seed is good, and the sequence is the same everywhere.
  std::uint64_t z = (random += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

// 26 characters of Crockford's base 32: 48 bits of time, then 80 of entropy, so that ids sort by time.
std::string Engine::State::new_attempt_id() {
  static constexpr char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  std::string id(26, '0');
  auto time = static_cast<std::uint64_t>(now.wall_ms);
  for (std::size_t i = 10; i-- > 0; time >>= 5) id[i] = digits[time & 31];
  std::uint64_t low = next_random(), high = next_random();
  for (std::size_t i = 10; i < 18; ++i, low >>= 5) id[i] = digits[low & 31];
  for (std::size_t i = 18; i < 26; ++i, high >>= 5) id[i] = digits[high & 31];
  return id;
}

std::string Engine::State::new_fence() {
  static constexpr char digits[] = "0123456789abcdef";
  std::string fence;
  for (int half = 0; half < 2; ++half) {
    std::uint64_t bits = next_random();
    for (int i = 0; i < 16; ++i, bits >>= 4) fence += digits[bits & 15];
  }
  return fence;
}

void Engine::State::reply(RequestId request, RunNumber run, std::string sentence) {
  if (request != 0) emit(effect::Reply{request, std::nullopt, run, std::move(sentence)});
}

void Engine::State::refuse(RequestId request, ErrorCode code, std::string sentence) {
  if (request != 0) emit(effect::Reply{request, Error{code, std::move(sentence)}, 0, ""});
}

void Engine::State::alert(AlertRow row) {
  row.at = now.wall_ms;
  const auto pipeline = pipelines.find(row.pipeline);
  if (pipeline != pipelines.end() && pipeline->second.current &&
      !pipeline->second.current->spec.owner.empty()) {
    if (row.evidence.as_table() == nullptr) row.evidence = ValueTable{};
    (*row.evidence.as_table())["owner"] = pipeline->second.current->spec.owner;
  }
  if (!dry) causes.push_back({"", {}, row});
  put(std::move(row));
  emit(effect::AlertsQueued{});
}

void Engine::State::decide(const std::string& kind, const std::string& pipeline,
                           const std::string& subject, const std::string& who,
                           const std::string& why, RunNumber run) {
  put(DecisionRow{kind, pipeline, subject, who, why, run, now.wall_ms, 0});
}

void Engine::State::fire_timers() {
  while (!timers.empty() && timers.begin()->first <= now.steady_ms) {
    const Timer timer = timers.begin()->second;
    timers.erase(timers.begin());
    const auto run = runs.find(timer.run);
    if (timer.kind == Timer::Kind::coalesce) {
      const auto pipeline = pipelines.find(timer.pipeline);
      if (pipeline == pipelines.end() || pipeline->second.row.paused) continue;
      const auto pending = pipeline->second.pending.find(timer.trigger);
      // A later arrival moved the due time on; its own timer will come.
      if (pending != pipeline->second.pending.end() && pending->second.due_ms <= now.steady_ms) {
        fire(pipeline->second, timer.trigger);
      }
    } else if (timer.kind == Timer::Kind::poll) {
      start_polls();
    } else if (timer.kind == Timer::Kind::hold) {
      hold_time_over();
    } else if (timer.kind == Timer::Kind::span_review) {
      const auto pipeline = pipelines.find(timer.pipeline);
      if (pipeline != pipelines.end()) look_at_span_reviews(pipeline->second);
    } else if (run == runs.end()) {
      continue;
    } else if (timer.kind == Timer::Kind::remind) {
      remind(run->second, timer);
    } else if (timer.kind == Timer::Kind::deadline) {
      pass_deadline(run->second, static_cast<std::int64_t>(timer.trigger));
    } else if (timer.kind == Timer::Kind::backoff) {
      Node& node = run->second.nodes[timer.node];
      if (!node.backing_off) continue;
      node.backing_off = false;
      --run->second.ready;
      work.emplace_back(timer.run, timer.node);
      touched.insert(timer.run);
    } else if (timer.kind == Timer::Kind::timeout || timer.kind == Timer::Kind::progress) {
      attempt_time_over(timer);
    } else if (timer.kind == Timer::Kind::queue) {
      queue_time_over(run->second, timer.node);
    } else if (run->second.nodes[timer.node].state == StepState::in_review &&
               run->second.nodes[timer.node].next_try_at == timer.review_ends) {
      go_on(run->second);
      set_state(run->second, timer.node, StepState::rejected,
                {"review_expired", "nobody answered the review in time", {}});
    }
  }
}

void Engine::State::attempt_time_over(const Timer& timer) {
  const auto found = attempts.find(timer.attempt);
  if (found == attempts.end() || found->second.killed != LiveAttempt::Killed::no) return;
  LiveAttempt& attempt = found->second;
  const bool silent = timer.kind == Timer::Kind::progress;
  if (silent && attempt.progress_due_ms > now.steady_ms) {  // it got on meanwhile
    timers.emplace(attempt.progress_due_ms, timer);
    return;
  }
  attempt.killed = silent ? LiveAttempt::Killed::no_progress : LiveAttempt::Killed::timeout;
  emit(effect::KillAttempt{timer.attempt, kill_grace_ms, silent ? "no progress" : "timed out"});
}

// An event decides so many nodes and no more: a run of a million steps must not keep callers, timers and
// the attempts that could start already waiting for a minute.  What is left goes on at once, in the
// next turn, since `next_timer` says so.
void Engine::State::settle() {
  std::int64_t decisions_left = capacity.decisions;
  while (true) {
    if (!causes.empty()) {  // in the turn of what caused it, however much is still to decide
      fire_causes();
    } else if (!dead.empty()) {
      const auto [number, index] = dead.front();
      dead.pop_front();
      if (const auto run = runs.find(number); run != runs.end()) block_below(run->second, index);
    } else if (!work.empty() && decisions_left <= 0 && !dry) {
      admit();
      return;
    } else if (!work.empty()) {
      --decisions_left;
      const auto [number, index] = work.front();
      work.pop_front();
      if (const auto run = runs.find(number); run != runs.end()) evaluate_node(run->second, index);
    } else if (!touched.empty()) {
      admit();
      const RunNumber number = *touched.begin();
      touched.erase(touched.begin());
      if (const auto run = runs.find(number); run != runs.end()) consider_end(run->second);
    } else {
      admit();
      return;
    }
  }
}

Engine::Engine(Ledger& ledger, std::uint64_t entropy)
    : state_(std::make_unique<State>(ledger, entropy)) {}

Engine::~Engine() = default;

void Engine::apply(const Event& event, Instant now, std::vector<Effect>& effects) {
  state_->now = now;
  state_->effects = &effects;
  std::visit([this](const auto& fact) { state_->on(fact); }, event);
  state_->fire_timers();
  state_->look_at_clocks();
  state_->settle();
  state_->effects = nullptr;
}

void Engine::State::recover_runs(const Recovered& found,
                                 const std::map<Digest, std::shared_ptr<const Pipeline>>& versions) {
  std::map<RunNumber, std::vector<StepRow>> steps;
  for (const StepRow& step : found.steps) steps[step.run].push_back(step);
  for (const RunRow& row : found.runs) {
    const auto pipeline = versions.find(row.version);
    if (pipeline == versions.end()) continue;  // the shell reported that it cannot be read
    Run& run = load_run(row, pipeline->second, steps[row.number]);
    arm_deadline(run);
    for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
      Node& node = run.nodes[n];
      if (is_dead(node.state)) dead.emplace_back(row.number, n);
      arm_review(run, n);
      if (node.state != StepState::waiting) continue;
      if (node.next_try_at > now.wall_ms) {
        node.backing_off = true;
        ++run.ready;
        // Never longer than it was to be, wherever the wall clock was set meanwhile.
        const auto wait = std::min(node.next_try_at - now.wall_ms,
                                   run.step_of(n).spec.retry.backoff_max_ms);
        timers.emplace(now.steady_ms + wait,
                       Timer{Timer::Kind::backoff, "", 0, row.number, n, "", 0});
      } else {
        work.emplace_back(row.number, n);
      }
    }
    touched.insert(row.number);
  }
  for (AttemptRow attempt : found.attempts) lose_attempt(std::move(attempt));
}

// An attempt that was running when the daemon died: its processes died with it, no try is counted.
void Engine::State::lose_attempt(AttemptRow attempt) {
  static constexpr const char* sentence = "lost with its host: the daemon ended";
  attempt.running = false;
  attempt.outcome = Outcome::failed;
  attempt.machine_fault = true;
  attempt.error = sentence;
  attempt.failure_class = "killed";
  attempt.ended_at = now.wall_ms;
  ledger.put(attempt);
  const auto run = runs.find(attempt.run);
  if (run == runs.end()) return;
  const StepIndex step = run->second.pipeline->find(attempt.step);
  if (step == no_step) return;
  for (NodeIndex n = run->second.first_node[step]; n < run->second.first_node[step + 1]; ++n) {
    Node& node = run->second.nodes[n];
    if (run->second.element_of(n) != attempt.element || node.state != StepState::waiting) continue;
    LiveAttempt lost;
    lost.row = attempt;
    lost.run = attempt.run;
    lost.node = n;
    if (run->second.cancelling) lost.killed = LiveAttempt::Killed::cancelled;
    if (node.span != no_span && run->second.span_dropped[node.span]) {
      lost.killed = LiveAttempt::Killed::dropped;
    }
    attempt_fault(run->second, lost, sentence);
  }
}

void Engine::recover(const Recovered& found,
                     const std::vector<std::shared_ptr<const Pipeline>>& pipelines, Instant now,
                     std::vector<Effect>& effects) {
  State& state = *state_;
  state.now = now;
  state.effects = &effects;
  state.last_seq = found.last_seq;
  state.last_run = found.last_run;
  state.last_arrival = found.last_arrival;
  state.last_result = found.last_result;
  state.last_backfill = found.last_backfill;
  for (const BackfillRow& row : found.backfills) state.backfills[row.id] = row;
  std::map<Digest, std::shared_ptr<const Pipeline>> versions;
  for (const auto& pipeline : pipelines) versions.emplace(pipeline->version, pipeline);
  for (const PipelineRow& row : found.pipelines) {
    const auto version = versions.find(row.version);
    if (version == versions.end()) continue;
    state.pipelines[row.name].row = row;
    state.pipelines[row.name].current = version->second;
  }
  for (const SpanRow& row : found.spans) {
    state.pipelines[row.pipeline].spans[row.source][row.span].push_back(row);
  }
  for (auto& [name, pipeline] : state.pipelines) {
    for (auto& [source, spans] : pipeline.spans) {
      for (auto& [span, all] : spans) {
        std::sort(all.begin(), all.end(),
                  [](const SpanRow& a, const SpanRow& b) { return a.version < b.version; });
      }
    }
  }
  std::erase_if(state.pipelines, [](const auto& entry) { return !entry.second.current; });
  state.holds = found.holds;
  for (const HoldRow& hold : state.holds) state.arm_hold(hold);
  for (auto& [name, pipeline] : state.pipelines) state.look_at_span_reviews(pipeline);
  state.recovering = true;
  state.recover_runs(found, versions);
  for (const ArrivalRow& arrival : found.unfired) {
    const auto pipeline = state.pipelines.find(arrival.pipeline);
    if (pipeline == state.pipelines.end()) continue;
    const SpanRow* span =
        state.span_row(arrival.pipeline, arrival.source, arrival.span, arrival.version);
    const bool gated =
        span != nullptr && (span->state == SpanState::in_review || span->approved_seq < 0);
    if (!gated) state.arm(pipeline->second, arrival);
  }
  for (const auto& [name, pipeline] : state.pipelines) state.start_queued(name);
  state.looked_at = now.wall_ms;
  for (auto& [name, pipeline] : state.pipelines) {
    state.wind(pipeline, nullptr, false);
    state.wind_polls(pipeline);
  }
  state.advance_backfills("");
  state.fire_timers();
  state.look_at_clocks();
  state.settle();
  state.recovering = false;
  state.effects = nullptr;
}

std::optional<std::int64_t> Engine::next_timer() const {
  if (!state_->work.empty()) return state_->now.steady_ms;
  std::optional<std::int64_t> soonest;
  if (!state_->timers.empty()) soonest = state_->timers.begin()->first;
  if (state_->next_slot) {
    // Never relied on for long: somebody may set the wall clock, or the machine may sleep.
    const std::int64_t left = std::clamp<std::int64_t>(*state_->next_slot - state_->now.wall_ms, 0,
                                                       wall_look_ms);
    soonest = std::min(soonest.value_or(state_->now.steady_ms + left),
                       state_->now.steady_ms + left);
  }
  return soonest;
}

void Engine::use_zones(ZoneSource& zones) { state_->zones = &zones; }

std::string Engine::state_text() const {
  std::string text;
  for (const auto& [name, pipeline] : state_->pipelines) {
    text += "pipeline " + name + " " + pipeline.current->version.brief() +
            (pipeline.row.paused ? " paused" : "") + "\n";
    for (const auto& [source, spans] : pipeline.spans) {
      for (const auto& [span, versions] : spans) {
        for (const SpanRow& row : versions) {
          text += "  span " + source + "/" + span + " v" + std::to_string(row.version) + " " +
                  name_of(row.state) + "\n";
        }
      }
    }
  }
  for (const auto& [name, pipeline] : state_->pipelines) {
    for (const auto& [source, poll] : pipeline.polls) {
      text += "poll " + name + "/" + source + " " + poll.row.watermark + " " +
              std::to_string(poll.row.polls) + "\n";
    }
  }
  for (const auto& [number, run] : state_->runs) {
    text += "run " + std::to_string(number) + " " + run.row.pipeline + " " +
            name_of(run.row.state) + "\n";
    for (NodeIndex n = 0; n < run.nodes.size(); ++n) {
      StepState state = run.nodes[n].state;
      // Which of the open ones is ready or running is not remembered across a start.
      if (state == StepState::ready || state == StepState::running) state = StepState::waiting;
      text += "  " + step_path(run.step_of(n).spec.name, run.element_of(n)) + " " +
              name_of(state) + "\n";
    }
  }
  return text;
}

std::size_t Engine::live_attempts() const { return state_->attempts.size(); }

void Engine::plant(PlantedBug bug) { state_->planted = bug; }

}  // namespace pipelined
