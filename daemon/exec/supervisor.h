// The loop between the run engine and the machine: events in, records committed, effects performed.
//
// A turn takes every event that waits, applies them to the engine inside one ledger transaction,
// commits, and only then performs what the engine wished: attempts are prepared and started, callers
// get their replies.  What workers report goes the other way: fence compared, outputs promoted into
// the store, and only then told to the engine in a later turn.  There is no policy here; an `if`
// about runs belongs into dag.  It knows no thread, socket, file or clock of its own: everything
// comes through ports.h and the callbacks, so that a simulator can drive it step by step.
//
// When a commit fails nothing of the turn is true: the engine is thrown away, attempts of its time
// are killed and their reports ignored, and a new engine is built from the ledger.  While that
// cannot be recorded either (a full disk) the daemon only reads, and a probe tells when it is over.
//
// One thread.  Callbacks run inside `turn`; they may call `post` but not `turn`.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/ports.h"

namespace pipelined {

class Supervisor {
 public:
  /// Where the supervisor's words go.  All but `entropy` and `load_pipeline` may be empty.
  struct Callbacks {
    /// The answer to a caller, after its commit; or `exhausted`, `io`, … when it was not taken.
    std::function<void(const effect::Reply&)> reply;
    /// A request was applied and answered so (null: the answer comes later).  Called inside the
    /// open turn: what is recorded here is true together with the request's effect, or not at all.
    std::function<void(const Event&, const effect::Reply*)> applied;
    /// New alerts stand in the outbox.
    std::function<void()> alerts_queued;
    std::function<void(const effect::RunChanged&)> run_changed;
    std::function<void()> sources_changed;
    /// A database is to be asked; PollEnded is posted for it.  Empty: nobody asks.
    std::function<void(effect::StartPoll)> start_poll;
    /// Call `turn` when this steady time comes; replaces the earlier wish.  Nothing: no wish.
    std::function<void(std::optional<std::int64_t> steady_ms)> wake;
    /// Events wait: call `turn` soon, from the loop.
    std::function<void()> post_turn;
    /// A version of a pipeline, read again from its bundle.
    std::function<Result<std::shared_ptr<const Pipeline>>(const std::string& name,
                                                          const Digest& version)> load_pipeline;
    /// Where schedules find their time zones; null: UTC alone.
    ZoneSource* zones = nullptr;
    /// Seeds an engine; other bits for every call.
    std::function<std::uint64_t()> entropy;
    /// Only the simulator's own tests set it: every engine is made wrong in this way.
    PlantedBug planted = PlantedBug::none;
    /// A fact for the log: a stable word and what it is about.
    std::function<void(const char* word, const std::string& sentence)> note;
    /// A commit failed, or the daemon only reads; called when it begins, empty when it is over.
    std::function<void(const std::optional<Error>& trouble)> trouble;
  };

  /// Figures since the start, for metrics and tests.
  struct Counters {
    std::int64_t turns = 0, events = 0, commits_failed = 0, rebuilt = 0;
    std::int64_t attempts_started = 0, reports_ignored = 0, outputs_held = 0, refused_events = 0;
  };

  /// The references must outlive the supervisor.  Sets the executor's callbacks.
  Supervisor(Clock& clock, LedgerStore& ledger, ArtifactPort& artifacts, Executor& executor,
             Callbacks callbacks);
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  /// Builds the engine from the ledger and performs what follows.  On an error nothing is recorded
  /// and there is no engine; a full disk leaves the supervisor reading only, which is no error.
  Result<void> start(Capacity capacity);

  /// Queues a fact or a request.  False: it was not taken because the queue is full (offer a fact
  /// again later; a request has been answered with `exhausted`).
  bool post(Event event);

  /// Handles everything that waits, and timers that are due, as one batch.
  void turn();

  /// Takes no more requests, handles what waits without starting anything, kills all attempts.
  /// That they ended with the daemon is recorded first; it counts neither a try nor a fault.
  void stop();
  /// Whether attempts that were killed have not reported yet.
  bool draining() const { return !doomed_.empty(); }

  /// The engine for questions (`plan`), or null while the daemon only reads after a failed commit.
  const Engine* engine() const { return engine_.get(); }
  /// Whether the engine has the pipeline: false while its version in force cannot be read.
  bool knows(const std::string& pipeline) const;
  /// Why only reads are answered; nothing: they are not.
  const std::optional<Error>& read_only() const { return read_only_; }
  const Counters& counters() const { return counters_; }
  std::size_t queued() const { return queue_.size(); }
  /// Attempts between their start and the commit of their end.
  std::size_t live() const { return live_.size(); }
  /// Their ids, and those that were killed with their engine and have not reported yet.
  std::vector<std::string> live_attempts() const;
  /// Live attempts whose outputs or folders wait for space.
  std::size_t held() const;

  /// Bound of the queue for events that can be offered again.
  static constexpr std::size_t queue_length_max = 100000;
  /// Between two looks whether the disk has space again.
  static constexpr std::int64_t probe_interval_ms = 2000;
  /// Between two looks for a version that could not be read: so long at first, then ever longer.
  static constexpr std::int64_t lost_interval_ms = 1000, lost_interval_max_ms = 60'000;
  /// So long a version that can be read again waits for a moment in which nothing runs.
  static constexpr std::int64_t lost_patience_ms = 600'000;
  /// After a kill and its grace, how long the executor may keep silent.
  static constexpr std::int64_t silence_after_kill_ms = 60000;
  /// Between two reports of progress that the engine hears of.
  static constexpr std::int64_t progress_interval_ms = 1000;

 private:
  enum class Phase {
    preparing,    ///< the artifact store makes its folder
    unprepared,   ///< there was no space for its folder
    running,      ///< with the executor
    promoting,    ///< its outputs move into the store
    held,         ///< there was no space for its outputs
    ended,        ///< its end waits in the queue
  };
  struct Live {
    AttemptPlan plan;                      ///< only `start` is filled before it was prepared
    Phase phase = Phase::preparing;
    AttemptReport report;                  ///< from promoting on
    std::optional<std::string> kill_why;   ///< asked to end while the executor did not have it
    std::int64_t silent_until_ms = 0;      ///< after a kill; 0: none was sent
    std::int64_t progress_done = -1;       ///< what it last said, as far as the engine was told
    std::int64_t next_progress_ms = 0;     ///< before that, nothing is told
    bool told_held = false;                ///< the engine knows that it waits for space
  };

  void perform(std::vector<Effect>& effects);
  void perform_one(effect::StartAttempt& start);
  void perform_one(const effect::KillAttempt& kill);
  void prepare(const std::string& attempt);
  void on_prepared(const std::string& attempt, const std::string& fence,
                   Result<AttemptPlan> plan);
  void on_ended(AttemptReport report);
  void on_progress(const std::string& attempt, std::int64_t done);
  void promote(Live& live);
  void on_promoted(const std::string& attempt, const std::string& fence,
                   Result<ArtifactPort::Promoted> promoted);
  void post_ended(Live& live, ArtifactPort::Promoted promoted);
  void post_failed(Live& live, Outcome outcome, std::string error);
  void post_lost(Live& live, std::string why);
  void hold(Live& live, Phase phase, const std::string& why);
  void retry_held();

  Live* find_live(const std::string& attempt, std::string_view fence);
  void finish_doomed(const std::string& attempt);
  void ignore_report(const std::string& attempt, const char* why);

  std::vector<Event> take_batch(Instant now);
  void run_batch(Instant now);
  void tell_applied(const Event& event, const std::vector<Effect>& effects, std::size_t first);
  void refuse_requests();
  void supply_version(Event& event);
  void settle_ended(const std::vector<Event>& batch);
  void fail_batch(std::vector<Event> batch, const Error& error);
  void keep_facts(std::vector<Event> batch, bool keep);
  void doom_all(const std::string& why);
  Result<void> rebuild();
  std::vector<std::shared_ptr<const Pipeline>> load_pipelines(const Recovered& found,
                                                              std::vector<Event>& troubles);
  bool brings_back(const Event& event) const;
  void look_at_lost(Instant now);
  void build_anew(const char* why);
  void enter_read_only(const Error& error);
  void look_at_probe(Instant now);
  void look_at_silence(Instant now);
  void answer(RequestId request, const Error& error);
  void offer(Event event);
  void ask_for_turn();
  void wish_wake(Instant now);
  void note(const char* word, const std::string& sentence) const;

  Clock& clock_;
  LedgerStore& ledger_;
  ArtifactPort& artifacts_;
  Executor& executor_;
  Callbacks callbacks_;
  Capacity capacity_;
  std::unique_ptr<Engine> engine_;
  std::deque<Event> queue_;
  std::vector<effect::Reply> refusals_;    ///< answers to requests that were not queued
  std::map<std::string, Live> live_;
  std::set<std::string> doomed_;           ///< killed with their engine, not yet reported
  std::optional<Error> read_only_;
  std::int64_t probe_at_ms_ = 0;           ///< 0: nothing waits for space
  /// Versions that could not be read, and whether they are in force.
  std::map<std::pair<std::string, Digest>, bool> lost_;
  std::int64_t lost_since_ms_ = 0, lost_look_at_ms_ = 0;
  bool started_ = false, turn_asked_ = false, in_turn_ = false, stopping_ = false;
  Counters counters_;
  std::shared_ptr<Supervisor*> self_;      ///< emptied by the destructor; late callbacks look here
};

/// The request that an event answers, 0 for facts.
RequestId request_of(const Event& event);

}  // namespace pipelined
