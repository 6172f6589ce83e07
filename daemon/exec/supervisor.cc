#include "daemon/exec/supervisor.h"

#include <algorithm>
#include <set>
#include <type_traits>
#include <utility>

namespace pipelined {
namespace {

/// Whether the event speaks of an attempt, so that it means nothing to a rebuilt engine.
bool is_of_attempt(const Event& event) {
  return std::holds_alternative<event::AttemptEnded>(event) ||
         std::holds_alternative<event::AttemptLost>(event) ||
         std::holds_alternative<event::AttemptProgress>(event) ||
         std::holds_alternative<event::PollEnded>(event) ||
         std::holds_alternative<event::OutputsHeld>(event);
}

/// Full disks pass; everything else that a commit can say is an input/output error to callers.
Error for_callers(const Error& error) {
  const bool full = error.code == ErrorCode::exhausted;
  return {full ? ErrorCode::exhausted : ErrorCode::io,
          "nothing was changed, since it cannot be recorded: " + error.message};
}

}  // namespace

RequestId request_of(const Event& event) {
  return std::visit(
      [](const auto& fact) -> RequestId {
        if constexpr (requires { fact.request; }) {
          return fact.request;
        } else {
          return 0;
        }
      },
      event);
}

Supervisor::Supervisor(Clock& clock, LedgerStore& ledger, ArtifactPort& artifacts,
                       Executor& executor, Callbacks callbacks)
    : clock_(clock),
      ledger_(ledger),
      artifacts_(artifacts),
      executor_(executor),
      callbacks_(std::move(callbacks)),
      self_(std::make_shared<Supervisor*>(this)) {
  CHECK(callbacks_.entropy && callbacks_.load_pipeline);
  executor_.on_ended = [self = std::weak_ptr(self_)](AttemptReport report) {
    if (auto here = self.lock()) (*here)->on_ended(std::move(report));
  };
  executor_.on_progress = [self = std::weak_ptr(self_)](const std::string& attempt,
                                                        std::int64_t done, std::int64_t) {
    if (auto here = self.lock()) (*here)->on_progress(attempt, done);
  };
}

Supervisor::~Supervisor() = default;

Result<void> Supervisor::start(Capacity capacity) {
  CHECK(!started_);
  capacity_ = capacity;
  started_ = true;
  auto built = rebuild();
  if (!built && built.error().code != ErrorCode::exhausted) {
    started_ = false;
    return built.error();
  }
  if (!built) enter_read_only(built.error());
  wish_wake(clock_.now());
  if (!queue_.empty()) ask_for_turn();
  return {};
}

bool Supervisor::post(Event event) {
  const RequestId request = request_of(event);
  if (stopping_ && request != 0) {
    answer(request, {ErrorCode::unavailable, "the daemon is stopping; ask again when it is back"});
    return false;
  }
  if (queue_.size() >= queue_length_max && !is_of_attempt(event)) {
    ++counters_.refused_events;
    if (request != 0) {
      answer(request, {ErrorCode::exhausted,
                       "too many events wait to be handled; nothing was changed, try again"});
    }
    return false;
  }
  offer(std::move(event));
  return true;
}

void Supervisor::offer(Event event) {
  queue_.push_back(std::move(event));
  ask_for_turn();
}

void Supervisor::turn() {
  CHECK(!in_turn_);
  if (!started_) return;
  in_turn_ = true;
  turn_asked_ = false;
  ++counters_.turns;
  const Instant now = clock_.now();
  look_at_silence(now);
  look_at_probe(now);
  look_at_lost(now);
  for (effect::Reply& reply : std::exchange(refusals_, {})) {
    if (callbacks_.reply) callbacks_.reply(reply);
  }
  if (engine_) {
    run_batch(now);
  } else {
    refuse_requests();
  }
  in_turn_ = false;
  wish_wake(now);
  // Facts that wait for a ledger that can be written are no reason for another turn.
  if (!refusals_.empty() || (engine_ && !queue_.empty())) ask_for_turn();
}

void Supervisor::stop() {
  stopping_ = true;
  if (started_ && engine_) {
    offer(event::DaemonStops{});
    turn();
  }
  doom_all("the daemon stops");
}

std::vector<std::string> Supervisor::live_attempts() const {
  std::vector<std::string> ids(doomed_.begin(), doomed_.end());
  for (const auto& [id, live] : live_) ids.push_back(id);
  return ids;
}

std::size_t Supervisor::held() const {
  return static_cast<std::size_t>(std::count_if(live_.begin(), live_.end(), [](const auto& entry) {
    return entry.second.phase == Phase::held || entry.second.phase == Phase::unprepared;
  }));
}

// ---------------------------------------------------------------------------------- the batch

std::vector<Event> Supervisor::take_batch(Instant now) {
  // What comes after a lost pipeline that is applied anew is for the engine that knows its past.
  const auto end = std::find_if(queue_.begin(), queue_.end(),
                                [this](const Event& event) { return brings_back(event); });
  const auto cut = end == queue_.end() ? end : end + 1;
  std::vector<Event> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(cut));
  queue_.erase(queue_.begin(), cut);
  const auto timer = engine_->next_timer();
  if (timer && *timer <= now.steady_ms) batch.emplace_back(event::TimeReached{});
  return batch;
}

void Supervisor::run_batch(Instant now) {
  std::vector<Event> batch = take_batch(now);
  if (batch.empty()) return;
  if (auto begun = ledger_.begin(); !begun) return fail_batch(std::move(batch), begun.error());
  std::vector<Effect> effects;
  for (Event& event : batch) {
    supply_version(event);
    if (const auto* changed = std::get_if<event::CapacityChanged>(&event)) {
      capacity_ = changed->capacity;
    }
    const std::size_t first = effects.size();
    engine_->apply(event, now, effects);
    tell_applied(event, effects, first);
  }
  if (auto done = ledger_.commit(); !done) return fail_batch(std::move(batch), done.error());
  counters_.events += static_cast<std::int64_t>(batch.size());
  settle_ended(batch);
  perform(effects);
  if (brings_back(batch.back())) build_anew("a pipeline that could not be read was applied anew");
}

void Supervisor::tell_applied(const Event& event, const std::vector<Effect>& effects,
                              std::size_t first) {
  const RequestId request = request_of(event);
  if (request == 0 || !callbacks_.applied) return;
  const effect::Reply* answer = nullptr;
  for (std::size_t i = first; i < effects.size(); ++i) {
    const auto* reply = std::get_if<effect::Reply>(&effects[i]);
    if (reply != nullptr && reply->request == request) answer = reply;
  }
  callbacks_.applied(event, answer);
}

void Supervisor::settle_ended(const std::vector<Event>& batch) {
  const auto settle = [this](const std::string& attempt, bool finished) {
    if (live_.erase(attempt) != 0) artifacts_.discard(attempt, finished);
  };
  for (const Event& event : batch) {
    if (const auto* ended = std::get_if<event::AttemptEnded>(&event)) {
      settle(ended->attempt, ended->outcome == Outcome::ok || ended->outcome == Outcome::halt ||
                                 ended->outcome == Outcome::more);
    }
    if (const auto* lost = std::get_if<event::AttemptLost>(&event)) {
      settle(lost->attempt, false);
    }
  }
}

void Supervisor::fail_batch(std::vector<Event> batch, const Error& error) {
  ++counters_.commits_failed;
  note("commit_failed", error.message);
  engine_.reset();
  doom_all("what the daemon decided could not be recorded");
  // A ledger that refuses the content itself would refuse it again: then facts are not kept, or the
  // daemon would never do anything else.
  const bool passing = error.code == ErrorCode::exhausted || error.code == ErrorCode::io ||
                       error.code == ErrorCode::unavailable;
  const Error said = for_callers(error);
  for (const Event& event : batch) {
    if (RequestId request = request_of(event); request != 0) answer(request, said);
  }
  keep_facts(std::move(batch), passing);
  enter_read_only(error);
}

void Supervisor::keep_facts(std::vector<Event> batch, bool keep) {
  std::deque<Event> kept;
  const auto take = [&kept](Event& event) {
    const bool timer = std::holds_alternative<event::TimeReached>(event);
    if (!is_of_attempt(event) && !timer) kept.push_back(std::move(event));
  };
  for (Event& event : batch) {
    if (request_of(event) != 0) continue;
    if (keep) {
      take(event);
    } else if (!is_of_attempt(event)) {
      note("fact_dropped", "a fact that the ledger refused is not tried again");
    }
  }
  for (Event& event : queue_) take(event);
  queue_ = std::move(kept);
}

void Supervisor::refuse_requests() {
  if (!read_only_) return;
  const Error said = for_callers(*read_only_);
  std::deque<Event> facts;
  for (Event& event : queue_) {
    const RequestId request = request_of(event);
    if (request == 0) {
      facts.push_back(std::move(event));
    } else if (callbacks_.reply) {
      callbacks_.reply({request, said, 0, {}});
    }
  }
  queue_ = std::move(facts);
}

// -------------------------------------------------------------------------------- the effects

void Supervisor::perform(std::vector<Effect>& effects) {
  for (Effect& wish : effects) {
    std::visit(
        [this](auto& effect) {
          using Kind = std::decay_t<decltype(effect)>;
          if constexpr (std::is_same_v<Kind, effect::Reply>) {
            if (callbacks_.reply) callbacks_.reply(effect);
          } else if constexpr (std::is_same_v<Kind, effect::AlertsQueued>) {
            if (callbacks_.alerts_queued) callbacks_.alerts_queued();
          } else if constexpr (std::is_same_v<Kind, effect::RunChanged>) {
            if (callbacks_.run_changed) callbacks_.run_changed(effect);
          } else if constexpr (std::is_same_v<Kind, effect::StartPoll>) {
            if (callbacks_.start_poll && !stopping_) callbacks_.start_poll(std::move(effect));
          } else if constexpr (std::is_same_v<Kind, effect::SourcesChanged>) {
            if (callbacks_.sources_changed) callbacks_.sources_changed();
          } else {
            perform_one(effect);
          }
        },
        wish);
  }
}

void Supervisor::perform_one(effect::StartAttempt& start) {
  if (stopping_) return;
  const std::string attempt = start.attempt;
  Live live;
  live.plan.start = std::move(start);
  CHECK(live_.emplace(attempt, std::move(live)).second);
  ++counters_.attempts_started;
  prepare(attempt);
}

void Supervisor::perform_one(const effect::KillAttempt& kill) {
  const auto found = live_.find(kill.attempt);
  if (found == live_.end()) return;
  Live& live = found->second;
  switch (live.phase) {
    case Phase::running:
      live.silent_until_ms = clock_.now().steady_ms + kill.grace_ms + silence_after_kill_ms;
      executor_.kill(kill.attempt, kill.grace_ms, kill.why);
      break;
    case Phase::preparing:
    case Phase::promoting:
      live.kill_why = kill.why;
      break;
    case Phase::unprepared:
    case Phase::held:
      post_failed(live, Outcome::cancelled, kill.why);
      break;
    case Phase::ended:
      break;  // its end is on the way to the engine already
  }
}

void Supervisor::prepare(const std::string& attempt) {
  Live& live = live_.at(attempt);
  live.phase = Phase::preparing;
  artifacts_.prepare(live.plan.start, [self = std::weak_ptr(self_), attempt,
                                       fence = live.plan.start.fence](Result<AttemptPlan> plan) {
    if (auto here = self.lock()) (*here)->on_prepared(attempt, fence, std::move(plan));
  });
}

void Supervisor::on_prepared(const std::string& attempt, const std::string& fence,
                             Result<AttemptPlan> plan) {
  Live* live = find_live(attempt, fence);
  if (!live || live->phase != Phase::preparing) return finish_doomed(attempt);
  if (live->kill_why) return post_failed(*live, Outcome::cancelled, *live->kill_why);
  if (plan) {
    live->plan = std::move(*plan);
    live->phase = Phase::running;
    executor_.start(live->plan);
    return;
  }
  const Error& error = plan.error();
  switch (error.code) {
    case ErrorCode::exhausted:
      return hold(*live, Phase::unprepared, error.message);
    case ErrorCode::corrupt:
    case ErrorCode::not_found:
      return post_failed(*live, Outcome::failed, "an input was lost: " + error.message);
    default:
      return post_lost(*live, "it could not be started: " + error.message);
  }
}

void Supervisor::on_ended(AttemptReport report) {
  Live* live = find_live(report.attempt, report.fence);
  if (!live) {
    ignore_report(report.attempt, "no such attempt is running, or its fence is another");
    return finish_doomed(report.attempt);
  }
  if (live->phase != Phase::running) return ignore_report(report.attempt, "it has ended already");
  if (report.lost) return post_lost(*live, report.error);
  live->report = std::move(report);
  const Outcome outcome = live->report.outcome;
  const bool delivers = outcome == Outcome::ok || outcome == Outcome::halt;
  if (delivers) return promote(*live);
  post_ended(*live, {});
}

// The engine hears of it only where a policy waits for it, and not of every single report.
void Supervisor::on_progress(const std::string& attempt, std::int64_t done) {
  const auto found = live_.find(attempt);
  if (found == live_.end() || found->second.phase != Phase::running) return;
  Live& live = found->second;
  const std::int64_t limit = live.plan.start.timeout_progress_ms;
  if (limit == 0 || done == live.progress_done) return;
  const std::int64_t now_ms = clock_.now().steady_ms;
  if (now_ms < live.next_progress_ms) return;
  live.progress_done = done;
  live.next_progress_ms = now_ms + std::min(limit / 10, progress_interval_ms);
  offer(event::AttemptProgress{attempt});
}

void Supervisor::promote(Live& live) {
  const auto& named = live.report.outputs;
  std::vector<OutputSpec> written;
  for (const OutputSpec& output : live.plan.start.outputs) {
    if (std::find(named.begin(), named.end(), output.port) != named.end()) {
      written.push_back(output);
    }
  }
  if (written.empty()) return post_ended(live, {});
  live.phase = Phase::promoting;
  artifacts_.promote(live.plan, written,
                     [self = std::weak_ptr(self_), attempt = live.plan.start.attempt,
                      fence = live.plan.start.fence](Result<ArtifactPort::Promoted> promoted) {
                       if (auto here = self.lock()) {
                         (*here)->on_promoted(attempt, fence, std::move(promoted));
                       }
                     });
}

void Supervisor::on_promoted(const std::string& attempt, const std::string& fence,
                             Result<ArtifactPort::Promoted> promoted) {
  Live* live = find_live(attempt, fence);
  if (!live || live->phase != Phase::promoting) return finish_doomed(attempt);
  if (promoted) return post_ended(*live, std::move(*promoted));
  const Error& error = promoted.error();
  if (error.code != ErrorCode::exhausted) {
    return post_lost(*live, "its outputs could not be stored: " + error.message);
  }
  if (live->kill_why) return post_failed(*live, Outcome::cancelled, *live->kill_why);
  hold(*live, Phase::held, error.message);
}

// --------------------------------------------------------------------- the ends of an attempt

void Supervisor::post_ended(Live& live, ArtifactPort::Promoted promoted) {
  AttemptReport& report = live.report;
  event::AttemptEnded ended;
  ended.attempt = report.attempt;
  ended.fence = report.fence;
  ended.outcome = report.outcome;
  ended.outputs = std::move(promoted.outputs);
  ended.refused = std::move(promoted.refused);
  const auto& written = live.plan.start.outputs;
  for (std::string& port : report.outputs) {
    const bool ours = std::any_of(written.begin(), written.end(), [&port](const OutputSpec& spec) {
      return spec.port == port;
    });
    if (!ours) ended.passed.push_back(std::move(port));
  }
  ended.metrics = std::move(report.metrics);
  ended.notes = std::move(report.notes);
  ended.requests = std::move(report.requests);
  ended.error = std::move(report.error);
  ended.retryable = report.retryable;
  ended.cpu_ms = report.cpu_ms;
  ended.memory_peak_bytes = report.memory_peak_bytes;
  ended.scratch_bytes = report.scratch_bytes;
  ended.failure_class = std::move(report.failure_class);
  live.phase = Phase::ended;
  offer(std::move(ended));
}

void Supervisor::post_failed(Live& live, Outcome outcome, std::string error) {
  live.phase = Phase::ended;
  event::AttemptEnded ended;
  ended.attempt = live.plan.start.attempt;
  ended.fence = live.plan.start.fence;
  ended.outcome = outcome;
  ended.error = std::move(error);
  offer(std::move(ended));
}

void Supervisor::post_lost(Live& live, std::string why) {
  live.phase = Phase::ended;
  offer(event::AttemptLost{live.plan.start.attempt, std::move(why)});
}

void Supervisor::hold(Live& live, Phase phase, const std::string& why) {
  live.phase = phase;
  ++counters_.outputs_held;
  if (!live.told_held) offer(event::OutputsHeld{live.plan.start.attempt, why});
  live.told_held = true;
  const Instant now = clock_.now();
  if (probe_at_ms_ == 0) probe_at_ms_ = now.steady_ms + probe_interval_ms;
  if (!in_turn_) wish_wake(now);
}

void Supervisor::retry_held() {
  std::vector<std::string> waiting;
  for (const auto& [attempt, live] : live_) {
    if (live.phase == Phase::held || live.phase == Phase::unprepared) waiting.push_back(attempt);
  }
  for (const std::string& attempt : waiting) {
    Live& live = live_.at(attempt);
    if (live.phase == Phase::unprepared) {
      prepare(attempt);
    } else {
      promote(live);
    }
  }
}

Supervisor::Live* Supervisor::find_live(const std::string& attempt, std::string_view fence) {
  const auto found = live_.find(attempt);
  if (found == live_.end() || found->second.plan.start.fence != fence) return nullptr;
  return &found->second;
}

void Supervisor::finish_doomed(const std::string& attempt) {
  if (doomed_.erase(attempt) != 0) artifacts_.discard(attempt, false);
}

void Supervisor::ignore_report(const std::string& attempt, const char* why) {
  if (doomed_.count(attempt) != 0) return;
  ++counters_.reports_ignored;
  note("report_ignored", "a report of attempt " + attempt + " is ignored: " + why);
}

// -------------------------------------------------------------- failed commits and recovery

void Supervisor::doom_all(const std::string& why) {
  auto live = std::exchange(live_, {});
  for (auto& [attempt, state] : live) {
    switch (state.phase) {
      case Phase::running:
        doomed_.insert(attempt);
        executor_.kill(attempt, 0, why);
        break;
      case Phase::preparing:
      case Phase::promoting:
        doomed_.insert(attempt);
        break;
      case Phase::unprepared:
      case Phase::held:
      case Phase::ended:
        artifacts_.discard(attempt, false);
        break;
    }
  }
}

Result<void> Supervisor::rebuild() {
  TRY(found, ledger_.recover());
  std::vector<Event> troubles;
  const auto pipelines = load_pipelines(found, troubles);
  auto engine = std::make_unique<Engine>(ledger_, callbacks_.entropy());
  engine->plant(callbacks_.planted);
  if (callbacks_.zones != nullptr) engine->use_zones(*callbacks_.zones);
  const Instant now = clock_.now();
  std::vector<Effect> effects;
  TRY_VOID(ledger_.begin());
  engine->apply(event::CapacityChanged{capacity_}, now, effects);
  engine->recover(found, pipelines, now, effects);
  TRY_VOID(ledger_.commit());
  engine_ = std::move(engine);
  ++counters_.rebuilt;
  if (read_only_) {
    read_only_.reset();
    note("writing_again", "the ledger takes commits again");
    if (callbacks_.trouble) callbacks_.trouble(std::nullopt);
  }
  for (Event& trouble : troubles) queue_.push_back(std::move(trouble));
  perform(effects);
  return {};
}

void Supervisor::enter_read_only(const Error& error) {
  read_only_ = error;
  const std::int64_t now_ms = clock_.now().steady_ms;
  // A full disk needs time; after anything else the very next turn may look.
  const bool full = error.code == ErrorCode::exhausted;
  probe_at_ms_ = now_ms + (full ? probe_interval_ms : 1);
  note("read_only", error.message);
  if (callbacks_.trouble) callbacks_.trouble(error);
}

void Supervisor::look_at_probe(Instant now) {
  if (probe_at_ms_ == 0 || now.steady_ms < probe_at_ms_) return;
  probe_at_ms_ = now.steady_ms + probe_interval_ms;
  if (!ledger_.probe()) return;
  if (!engine_) {
    if (auto built = rebuild(); !built) {
      note("rebuild_failed", built.error().message);
      read_only_ = built.error();
      return;
    }
  }
  probe_at_ms_ = 0;
  retry_held();
}

void Supervisor::look_at_silence(Instant now) {
  for (auto& [attempt, live] : live_) {
    if (live.phase != Phase::running || live.silent_until_ms == 0) continue;
    if (now.steady_ms < live.silent_until_ms) continue;
    post_lost(live, "it was killed and its executor never said that it ended");
  }
}

// ---------------------------------------------------------------------------------- the words

void Supervisor::answer(RequestId request, const Error& error) {
  refusals_.push_back({request, error, 0, {}});
  ask_for_turn();
}

void Supervisor::ask_for_turn() {
  if (turn_asked_ || in_turn_ || !started_) return;
  turn_asked_ = true;
  if (callbacks_.post_turn) callbacks_.post_turn();
}

void Supervisor::wish_wake(Instant now) {
  if (!callbacks_.wake) return;
  std::optional<std::int64_t> soonest;
  const auto consider = [&soonest](std::int64_t at) {
    soonest = soonest ? std::min(*soonest, at) : at;
  };
  if (engine_) {
    if (const auto timer = engine_->next_timer()) consider(*timer);
  }
  if (probe_at_ms_ != 0) consider(probe_at_ms_);
  if (engine_ && !lost_.empty()) consider(lost_look_at_ms_);
  for (const auto& [attempt, live] : live_) {
    if (live.phase == Phase::running && live.silent_until_ms != 0) {
      consider(live.silent_until_ms);
    }
  }
  if (soonest) soonest = std::max(*soonest, now.steady_ms);
  callbacks_.wake(soonest);
}

void Supervisor::note(const char* word, const std::string& sentence) const {
  if (callbacks_.note) callbacks_.note(word, sentence);
}

}  // namespace pipelined
