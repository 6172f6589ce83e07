// The run engine: every decision about runs, without an effect.
//
// `apply(event, now)` takes one fact, records through the Ledger what must survive a crash, and
// appends to `effects` what it wishes to happen.  The shell commits the turn's records before it
// performs an effect or sends a reply of that turn; if the commit fails it throws the engine away
// and builds it again with `recover`.  The engine knows no file, socket, clock, process or thread;
// time and entropy come in.  States and transitions: run_state.h.  One thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dag/admission.h"
#include "dag/ledger.h"
#include "dag/pipeline.h"
#include "dag/records.h"
#include "dag/result.h"
#include "dag/time_zone.h"

namespace pipelined {

/// Now, on both clocks: wall time for records, steady time for timeouts and back-off.
struct Instant {
  TimeMs wall_ms = 0;
  std::int64_t steady_ms = 0;
};

using RequestId = std::int64_t;  ///< of a caller who waits for a Reply; 0: nobody does

namespace event {

/// A version of a pipeline is in force from now on (applied, or read again at a start).
struct PipelineApplied {
  std::shared_ptr<const Pipeline> pipeline;
  RequestId request = 0;
  std::string folder;               ///< absolute; its source paths are relative to it
};
/// A delivery has settled and its snapshot is in the store.
struct Arrived {
  std::string pipeline, source, span;
  ArtifactRef artifact;
  std::string path;
};
/// A poll of a query source is over, and what it delivered is stored.
struct PollEnded {
  std::string poll;                 ///< as StartPoll named it; another one is ignored
  Outcome outcome = Outcome::failed;
  std::optional<ArtifactRef> snapshot;  ///< examples/1; none: there was no new row
  Value notes;                      ///< of the operator: rows, first, last, seen, type
  std::string error;                ///< a sentence
  bool retryable = true;            ///< it may go better next time without anybody's doing
};
struct RunRequested {
  RequestId request = 0;
  std::string pipeline;
  RunOptions options;
  std::string who;
};
/// Something that a step asks the system to do.
struct StepRequest {
  std::string kind;                 ///< "add_span", "raise_alert", "register_model"
  Value arguments;                  ///< a table
};
/// A worker reported, and what it delivered is stored.
struct AttemptEnded {
  std::string attempt, fence;
  Outcome outcome = Outcome::failed;
  std::vector<Binding> outputs;     ///< stored ones; passed-through ports are named in `passed`
  std::vector<std::string> passed;
  std::string refused;              ///< an output that was no plain file of ours, with the reason
  std::vector<MetricFact> metrics;
  Value notes;
  std::vector<StepRequest> requests;  ///< what it asks the system to do
  std::string error;                ///< a sentence; of a halt: the verdict
  bool retryable = false;           ///< RETRY, a crash of the operator or a timeout
  std::int64_t cpu_ms = 0, memory_peak_bytes = 0, scratch_bytes = 0;
  std::string failure_class;        ///< as in AttemptRow
};
/// The attempt is gone through no fault of its operator: host or daemon died, killed from outside.
struct AttemptLost {
  std::string attempt, why;
};
/// A running attempt reported that it got on.
struct AttemptProgress {
  std::string attempt;
};
/// The daemon is being stopped: attempts end with it and begin again with the next one.
struct DaemonStops {};
/// Outputs wait for space on the disk; no try is counted.
struct OutputsHeld {
  std::string attempt, why;
};
struct AcceptRequested {
  RequestId request = 0;
  RunNumber run = 0;
  std::string step, element, who, why;
  bool without_remedy = false;      ///< what the step proposes is not given to anybody
};
/// Rejects a halted or reviewed step.
struct RejectRequested {
  RequestId request = 0;
  RunNumber run = 0;
  std::string step, element, who, why;
  std::vector<std::string> groups = {};  ///< that `who` belongs to
};
/// Says yes to a step in review.
struct ApproveRequested {
  RequestId request = 0;
  RunNumber run = 0;
  std::string step, element, who, why;
  std::vector<std::string> groups = {};
};
struct SpanRequested {
  RequestId request = 0;
  std::string pipeline, source, span, who, why;
  bool restore = false;             ///< else drop
};
/// Somebody who knows the webhook's secret called it.
struct HookCalled {
  RequestId request = 0;
  std::string pipeline, hook;
  std::string delivery;             ///< the caller's id of it: the same one fires once
  ValueTable params;
  std::string who;
};
struct CancelRequested {
  RequestId request = 0;
  RunNumber run = 0;
  std::string who, why;
};
/// Failed steps get all their tries anew, or those that are named, with what was blocked by them.  A
/// named step that is halted runs again rather than being halted by what is recorded.
struct RetryRequested {
  RequestId request = 0;
  RunNumber run = 0;
  std::string who, why;
  std::vector<std::string> steps = {};  ///< "train" or "validate/2013-12"; empty and no `select`: all
  std::string select = {};          ///< a selection of steps instead
  std::shared_ptr<const Pipeline> version = {};  ///< of the run; the shell reads it when it is an old one
};
/// A run that was cancelled goes on.
struct ResumeRequested {
  RequestId request = 0;
  RunNumber run = 0;
  std::string who, why;
  std::shared_ptr<const Pipeline> version = {};  ///< as in RetryRequested
};
/// A run goes on with the version that is in force.
struct MigrateRequested {
  RequestId request = 0;
  RunNumber run = 0;
  std::string who, why;
  std::shared_ptr<const Pipeline> version = {};  ///< that it has now, as in RetryRequested
};
/// Results are known to be bad.
struct InvalidateRequested {
  RequestId request = 0;
  std::optional<Digest> key;                ///< the results of that key, …
  std::string pipeline, step, element;      ///< … or all of a step or element
  bool below = false;                       ///< also what was made from them
  std::string who, why;
};
struct BackfillRequested {
  RequestId request = 0;
  BackfillRow wish;                         ///< what people say: all but id, spans, state, times
};
struct BackfillCancelRequested {
  RequestId request = 0;
  std::int64_t backfill = 0;
  std::string who, why;
};
struct PauseRequested {
  RequestId request = 0;
  std::string pipeline, who;
  bool paused = true;
  bool hold_steps = false;          ///< also no further step of its open runs
  std::string why = {};
};
/// Something is to wait, or not any more: a pipeline, a run (then `pipeline` is not looked at), or a
/// step of it.
struct HoldRequested {
  RequestId request = 0;
  std::string pipeline;
  RunNumber run = 0;
  std::string step, element, who, why;
  TimeMs until = 0;                 ///< 0: until it is released
  bool release = false;
};
/// An alias, a tag or a note of a model, or an alias pointed back (`wish.rollback`).
struct ModelMarkRequested {
  RequestId request = 0;
  ModelMarkRow wish;                ///< kind, model, subject, name, value, who, why
};
/// The answer to the review of an arrival: its newest version.
struct SpanReviewed {
  RequestId request = 0;
  std::string pipeline, source, span, who, why;
  bool approved = true;
  std::vector<std::string> groups = {};
};
struct CapacityChanged {
  Capacity capacity;
};
/// A fact of the daemon that a person should know (a missing folder, a bad pipeline file).
struct TroubleFound {
  std::string id, pipeline, subject, severity, sentence;
  Value evidence;
};
/// A timer that the engine asked for through `next_timer` is due.
struct TimeReached {};

}  // namespace event

using Event = std::variant<event::PipelineApplied, event::Arrived, event::PollEnded, event::RunRequested,
                           event::AttemptEnded, event::AttemptLost, event::OutputsHeld,
                           event::AttemptProgress, event::DaemonStops,
                           event::AcceptRequested, event::RejectRequested, event::ApproveRequested,
                           event::SpanRequested, event::HookCalled, event::CancelRequested,
                           event::RetryRequested, event::ResumeRequested,
                           event::MigrateRequested, event::InvalidateRequested,
                           event::BackfillRequested, event::BackfillCancelRequested,
                           event::PauseRequested, event::HoldRequested,
                           event::ModelMarkRequested, event::SpanReviewed, event::CapacityChanged, event::TroubleFound,
                           event::TimeReached>;

/// The inputs of one port, in order.
struct PortInputs {
  std::string port, type;
  std::vector<ArtifactRef> artifacts;
};

namespace effect {

/// Run one attempt.  The operator's plugin is named; where things lie is the shell's business.
struct StartAttempt {
  std::string attempt, fence;
  RunNumber run = 0;
  std::string pipeline, step, element;
  std::int64_t number = 0;
  std::string operator_id, plugin;        ///< plugin empty: a built-in operator
  ValueTable params;                      ///< resolved; defaults of the operator not filled in
  std::vector<PortInputs> inputs;
  std::vector<OutputSpec> outputs;        ///< ports to write; passed-through ones are not among them
  std::int64_t seed = 0;
  double cpus = 1;
  std::int64_t memory_bytes = 0;          ///< 0: no limit stated
  std::int64_t timeout_ms = 0;            ///< 0: none; the engine kills, this is for the operator
  bool network = false;
  std::int64_t scratch_bytes = 0;         ///< of everything that it writes; 0: no limit stated
  std::string checkpoint;                 ///< names what lost attempts at this work left in scratch;
                                          ///< empty: the operator cannot go on from anything
  std::vector<std::int64_t> gpus;         ///< numbers of the devices that are its own while it lives
  std::int64_t timeout_progress_ms = 0;   ///< 0: its progress interests nobody
  std::vector<std::string> secrets;       ///< names; whoever starts it knows the values
  std::vector<std::string> readable = {}; ///< more folders that it may read
};
/// Ask a database, in an attempt that belongs to no run.  PollEnded follows, unless the daemon ends.
struct StartPoll {
  std::string poll;
  StartAttempt start;                     ///< without attempt and fence; `element` is the source
};
struct KillAttempt {
  std::string attempt;
  std::int64_t grace_ms = 0;
  std::string why;
};
/// The answer to a caller; leaves only after the commit.
struct Reply {
  RequestId request = 0;
  std::optional<Error> error;
  RunNumber run = 0;
  std::string sentence;
};
/// New alerts stand in the outbox.
struct AlertsQueued {};
/// Something about the run changed (for `--wait` and event streams).
struct RunChanged {
  std::string pipeline;
  RunNumber run = 0;
  RunState state = RunState::queued;
};
/// Where its watched files are may have changed.
struct SourcesChanged {};

}  // namespace effect

using Effect = std::variant<effect::StartAttempt, effect::StartPoll, effect::KillAttempt, effect::Reply,
                            effect::AlertsQueued, effect::RunChanged, effect::SourcesChanged>;

/// What `plan` says of one step or element.
struct PlannedStep {
  std::string step, element;
  std::string verdict;  ///< "reuse", "run", "depends", "halt", "skip", "block", "wait"
  Reason reason;
};

/// How a step's newest outputs stand against what has arrived.
struct StepFreshness {
  std::string step;
  std::int64_t behind = 0;   ///< spans that it has not taken in; 0: it is fresh
  std::string first_behind;  ///< the first of them to arrive, "flights/2013-12"
  TimeMs since = 0;          ///< when that arrived: stale since then
  RunNumber run = 0;         ///< the newest full run that finished it; 0: none, or it has elements
  TimeMs made_at = 0;
};

/// What a backfill would do about one span.
struct PlannedSpan {
  std::string span, state;
  bool runs = false;
  std::string why;
  std::int64_t steps_to_run = 0, steps_to_reuse = 0;  ///< of the run that it stands first in
};

/// A result with what was made from it.
struct Dependent {
  std::int64_t result = 0, cause = 0;  ///< cause: the result that it was made from; 0: a root
  std::string pipeline, step, element;
  RunNumber run = 0;
  std::string artifact, type;          ///< its first output
};

/// Defects that the simulator must be able to find; `none` outside its tests.
enum class PlantedBug {
  none,
  count_faults,           ///< faults of the machine use up tries
  forget_acceptance,      ///< an accepted halt halts again
  cache_failures,         ///< a failed attempt fills the cache
  double_fire,            ///< a trigger fires again after a restart
  skip_halted_span,       ///< a collector does not wait for a halted span
};

class Engine {
 public:
  /// `entropy` seeds fences, attempt ids and jitter; the ledger must outlive the engine.
  Engine(Ledger& ledger, std::uint64_t entropy);
  ~Engine();

  /// Where the zones of schedules come from; UTC alone if nobody says.  Must outlive the engine.
  void use_zones(ZoneSource& zones);

  /// Takes up what the ledger holds after a start.  Attempts still marked running are lost with
  /// their daemon.  `pipelines` holds every version that an open run or a current row names.
  void recover(const Recovered& found, const std::vector<std::shared_ptr<const Pipeline>>& pipelines,
               Instant now, std::vector<Effect>& effects);

  void apply(const Event& event, Instant now, std::vector<Effect>& effects);

  /// Steady time at which `TimeReached` should be applied; nothing: no timer is set.  With
  /// schedules it is at most half a minute ahead, since wall clocks are set.
  std::optional<std::int64_t> next_timer() const;

  /// What a run with these options would do now.  Records nothing.
  Result<std::vector<PlannedStep>> plan(const std::string& pipeline, const RunOptions& options,
                                        Instant now) const;

  /// Which steps that data reach are stale, in step order.  Records nothing.
  Result<std::vector<StepFreshness>> freshness(const std::string& pipeline) const;
  /// What a step of an open run waits for, as "waits for train, which is halted"; nothing if it does
  /// not wait or is not known.
  std::optional<Reason> why_waiting(RunNumber run, const std::string& step,
                                    const std::string& element, Instant now) const;
  /// What moving a run to the version in force would keep ("keep"), drop ("drop") and do as `plan`
  /// says.  `version`: that it has now.  Records nothing.
  Result<std::vector<PlannedStep>> plan_migration(RunNumber run,
                                                  const std::shared_ptr<const Pipeline>& version,
                                                  Instant now) const;
  /// What a backfill would run, span by span, and why.  Records nothing.
  Result<std::vector<PlannedSpan>> plan_backfill(const BackfillRow& wish, Instant now) const;
  /// The results that the wish names and everything that hangs on them, causes first.
  Result<std::vector<Dependent>> dependents(const event::InvalidateRequested& wish) const;

  /// A deterministic text of all that the engine holds, for comparing an engine with its rebuilt self.
  std::string state_text() const;

  /// Attempts that are running now.
  std::size_t live_attempts() const;

  /// For the simulator's own tests: makes this engine wrong in one way.
  void plant(PlantedBug bug);

  struct State;  ///< private to dag/engine*.cc

 private:
  std::unique_ptr<State> state_;
};

}  // namespace pipelined
