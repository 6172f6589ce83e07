// What the engine holds in memory: open runs, spans, timers.  Private to dag/engine*.cc.
//
// A run's nodes are laid out step by step (`first_node`), elements in span order, so that a node is
// found by arithmetic and no edge is stored.  A waiting node watches exactly one thing that it
// waits for (a node, a span, a source) and is evaluated again when that changes; a cursor
// remembers how far a collection was already seen, so collecting n elements costs n steps in all.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "dag/engine.h"
#include "dag/engine_clocks.h"
#include "dag/run_layout.h"
#include "dag/run_state.h"
#include "dag/span_pattern.h"

namespace pipelined {

using NodeIndex = std::uint32_t;

/// A step or element in an open run.
struct Node {
  StepIndex step = 0;
  SpanIndex span = no_span;       ///< its element; no_span: the step is not fanned out
  StepState state = StepState::waiting;
  std::uint16_t tries = 0, faults = 0;
  std::uint32_t attempts = 0;     ///< all attempts, for numbering
  std::uint64_t cursor = 0;       ///< collections and elements already seen finished
  std::int64_t result = 0;
  std::int64_t pass_over = 0;     ///< as in StepRow
  TimeMs started_at = 0;          ///< of the newest attempt; 0: none in this run
  TimeMs first_try_at = 0;        ///< start of the first of its tries; 0: none
  TimeMs next_try_at = 0;         ///< after back-off; in review: when it expires
  bool backing_off = false;
  std::optional<Digest> key;
  std::shared_ptr<const std::vector<Binding>> outputs;
};

/// Inputs of a node, resolved.
struct ResolvedInputs {
  std::vector<PortInputs> ports;
  std::vector<ResolutionRow> to_record;
};

/// A node that waits for a slot: all that its attempt needs.
struct ReadyWork {
  std::vector<PortInputs> inputs;
  std::string key_text;
  Reason reason;                  ///< why it runs rather than being reused
  TimeMs since = 0;               ///< waits for a slot since then
};

/// The same in the queue for slots.
struct QueuedWork {
  ReadyWork work;
  Demand demand;
  Turn turn;
  std::int64_t queued_ms = 0;     ///< steady; what timeout.queue counts from
  bool is_set_aside = false;      ///< inputs and key text are not kept

  void set_aside() {
    is_set_aside = true;
    work.inputs = {};
    work.key_text = {};
  }
};

/// An open run.
struct Run {
  RunRow row;
  std::shared_ptr<const Pipeline> pipeline;
  std::vector<ValueTable> params;               ///< of each step, resolved
  std::vector<Digest> definitions;              ///< of each step
  std::vector<bool> defined_as_filed;           ///< same as without --param
  std::vector<std::int64_t> path_ms;            ///< of each step: longest way to the end
  std::vector<bool> selected;                   ///< each step takes part; empty: all do
  std::vector<Node> nodes;
  std::vector<NodeIndex> first_node;            ///< of each step; one more at the end
  std::vector<bool> span_dropped;               ///< of each row.spans
  std::vector<std::uint32_t> span_open;         ///< elements that still decide the span's state
  std::vector<bool> span_accepted;
  enum class SpanDeath : std::uint8_t { none, inside, outside };
  std::vector<SpanDeath> span_death;            ///< failed or rejected here, or blocked from outside
  bool judges_spans = true;                     ///< its elements are defined as the file says
  std::set<std::string> unjudged;               ///< sources of which only some steps are selected
  std::unordered_map<NodeIndex, std::vector<NodeIndex>> node_watchers;
  std::unordered_map<SpanIndex, std::vector<NodeIndex>> span_watchers;
  std::set<NodeIndex> held;                     ///< could go on but for a hold
  struct Review {
    TimeMs at = 0;                              ///< when it was asked
    Value evidence;
  };
  std::map<NodeIndex, Review> reviews;          ///< open ones
  std::set<NodeIndex> source_waiters;           ///< wait for a first version of a source
  std::size_t live = 0;                         ///< running nodes
  std::size_t ready = 0;                        ///< ready or backing off
  bool cancelling = false;

  bool selects(StepIndex s) const { return selected.empty() || selected[s]; }
  const PipelineStep& step_of(NodeIndex n) const { return pipeline->steps[nodes[n].step]; }
  std::string element_of(NodeIndex n) const {
    return nodes[n].span == no_span ? "" : row.spans[nodes[n].span].span;
  }
  /// The node of that step for that span (or its only one), if it is part of the run.
  std::optional<NodeIndex> find(StepIndex step, SpanIndex span) const;
};

/// What an attempt used, and which kind of end it came to.
struct AttemptUse {
  std::int64_t cpu_ms = 0, memory_peak_bytes = 0, scratch_bytes = 0;
  std::string failure_class;  ///< as in AttemptRow
};

/// A running attempt.
struct LiveAttempt {
  AttemptRow row;
  RunNumber run = 0;
  NodeIndex node = 0;
  Demand demand;
  std::int64_t progress_due_ms = 0;             ///< steady; 0: nobody waits for progress
  std::optional<Digest> key;                    ///< held: others with it wait
  std::string key_text;
  Reason reason;                                ///< why it runs rather than being reused
  std::vector<PortInputs> inputs;
  enum class Killed { no, cancelled, timeout, no_progress, dropped } killed = Killed::no;
  bool timed_out() const { return killed == Killed::timeout || killed == Killed::no_progress; }
};

/// All versions of one span of one source, newest last.
using SpanVersions = std::vector<SpanRow>;

struct SpanOrder {
  bool operator()(const std::string& a, const std::string& b) const { return span_before(a, b); }
};

/// Whether the step's elements decide their span's state (rule 16).
inline bool decides_span(const PipelineStep& step) {
  return !step.fan_source.empty() && !step.below_collector && step.spec.run_on == "success";
}

struct PipelineState {
  std::shared_ptr<const Pipeline> current;
  PipelineRow row;
  std::map<std::string, std::map<std::string, SpanVersions, SpanOrder>> spans;  ///< by source
  struct Pending {                              ///< of a trigger: arrivals not yet fired
    std::int64_t first_ms = 0, due_ms = 0;      ///< steady
    std::vector<ArrivalRow> arrivals;
  };
  std::map<std::size_t, Pending> pending;       ///< by trigger index
  std::map<std::string, std::int64_t> durations;  ///< of steps, as far as known; -1: asked, unknown
  std::vector<TriggerClock> clocks;
};

/// "is held with run 4 by alice until 2026-03-01 08:30 UTC: the disk is being changed"
std::string held_sentence(const HoldRow& hold);

/// Results made by this step may be reused, and it may reuse others'.
bool uses_cache(const PipelineStep& step);

/// What evaluating a waiting node found.
struct Evaluation {
  enum class Kind { ready, wait_node, wait_span, wait_source, skip, block } kind = Kind::ready;
  NodeIndex node = 0;
  SpanIndex span = 0;
  Reason reason;
  ResolvedInputs inputs;
};

struct Timer {
  enum class Kind {
    coalesce, backoff, timeout, progress, queue, review, remind, span_review, hold,
    deadline,
  } kind;
  std::string pipeline;
  std::size_t trigger = 0;
  RunNumber run = 0;
  NodeIndex node = 0;
  std::string attempt;
  TimeMs review_ends = 0;  ///< the node's next_try_at when it was armed: a later review has another
};

struct Engine::State {
  State(Ledger& l, std::uint64_t entropy) : ledger(l), random(entropy) {}

  Ledger& ledger;
  std::uint64_t random;
  Instant now;
  std::vector<Effect>* effects = nullptr;
  std::int64_t last_seq = 0, last_arrival = 0, last_result = 0;
  RunNumber last_run = 0;
  std::int64_t last_backfill = 0;
  Capacity capacity;
  std::map<std::string, PipelineState> pipelines;
  std::map<RunNumber, Run> runs;                ///< open ones
  std::map<std::int64_t, BackfillRow> backfills;  ///< running ones
  std::map<std::string, LiveAttempt> attempts;
  std::unordered_map<Digest, std::vector<std::pair<RunNumber, NodeIndex>>> key_waiters;
  std::unordered_map<Digest, std::string> key_holders;  ///< key → attempt
  std::map<std::pair<RunNumber, NodeIndex>, QueuedWork> ready;  ///< waits for a slot
  AdmissionQueue queue;                         ///< the same, in order
  std::vector<HoldRow> holds;                   ///< active ones
  bool recovering = false;                      ///< waiting began before this engine did
  bool stopping = false;                        ///< nothing starts any more
  std::multimap<std::int64_t, Timer> timers;    ///< by steady time
  std::deque<std::pair<RunNumber, NodeIndex>> work;  ///< nodes to evaluate
  std::deque<std::pair<RunNumber, NodeIndex>> dead;  ///< nodes whose dependents are to be blocked
  std::set<RunNumber> touched;                  ///< runs whose end is to be considered
  std::deque<TriggerCause> causes;              ///< may fire triggers
  UtcOnly utc_only;
  ZoneSource* zones = &utc_only;
  std::optional<TimeMs> next_slot;              ///< wall time at which a clock is to be looked at
  TimeMs looked_at = 0;                         ///< wall time of the last look at the clocks
  RunNumber keep = 0;                           ///< planning: the run that stays when it ends
  bool dry = false;                             ///< planning: nothing starts
  std::map<std::pair<RunNumber, NodeIndex>, Reason> dry_reasons;
  PlantedBug planted = PlantedBug::none;

  // engine.cc
  template <class Row>
  void put(Row row) {
    row.seq = ++last_seq;
    ledger.put(row);
  }
  std::uint64_t next_random();
  std::string new_attempt_id();
  std::string new_fence();
  void emit(Effect effect) { effects->push_back(std::move(effect)); }
  void reply(RequestId request, RunNumber run, std::string sentence);
  void refuse(RequestId request, ErrorCode code, std::string sentence);
  void alert(AlertRow row);
  void decide(const std::string& kind, const std::string& pipeline, const std::string& subject,
              const std::string& who, const std::string& why, RunNumber run);
  std::vector<PlannedStep> planned(RunNumber number) const;  ///< after a dry settling
  void fire_timers();
  void attempt_time_over(const Timer& timer);
  void settle();                                ///< until nothing is left to decide
  void recover_runs(const Recovered& found,
                    const std::map<Digest, std::shared_ptr<const Pipeline>>& versions);
  void lose_attempt(AttemptRow attempt);

  // engine_create.cc
  RunNumber create_run(PipelineState& pipeline, const RunOptions& options, Reason reason,
                       std::string who);
  std::vector<RunSpan> spans_for_run(const PipelineState& pipeline, const Run& run) const;
  void prepare_run(Run& run) const;             ///< params, definitions
  void lay_out(Run& run) const;                 ///< nodes and span counters
  void start_run(Run& run);
  void leave_out_dropped(Run& run);
  void start_queued(const std::string& pipeline);
  std::size_t active_runs(const std::string& pipeline) const;
  RunNumber active_run(const std::string& pipeline) const;  ///< the first that is running, or 0
  Run& load_run(const RunRow& row, std::shared_ptr<const Pipeline> pipeline,
                const std::vector<StepRow>& steps);
  void take_up_steps(Run& run, const std::vector<StepRow>& steps) const;
  void take_up_step(Run& run, NodeIndex index, const StepRow& row) const;
  void supersede(const Run& created);
  bool superseded_late(Run& run);
  std::optional<RunRow> newest_run_after(const std::string& pipeline, RunNumber number) const;

  // engine_inputs.cc
  Evaluation evaluate(Run& run, NodeIndex index);

  // engine_decide.cc
  void evaluate_node(Run& run, NodeIndex index);
  void decide_ready(Run& run, NodeIndex index, ResolvedInputs inputs);
  bool reuse(Run& run, NodeIndex index, const ResultRow& result, const Reason& reason);
  bool condition_holds(Run& run, NodeIndex index);
  Reason why_run(const Run& run, NodeIndex index, const std::string& text);

  // engine_holds.cc
  void on(const event::HoldRequested& event);
  void on(const event::PauseRequested& event);
  const HoldRow* hold_on(const Run& run, NodeIndex index) const;
  void put_hold(HoldRow hold);
  void apply_hold(const HoldRow& hold);
  void arm_hold(const HoldRow& hold);
  void hold_time_over();
  void wake_held(const std::string& pipeline);
  std::size_t end_holds(const std::function<bool(const HoldRow&)>& which, const std::string& by);
  std::string held_pipeline(const event::HoldRequested& event);

  // engine_reviews.cc
  void on(const event::ApproveRequested& event);
  void on(const event::SpanReviewed& event);
  bool review_passed(Run& run, NodeIndex index, const ResolvedInputs& inputs);
  void arm_review(const Run& run, NodeIndex index);  ///< expiry and reminder, if it waits
  void remind(Run& run, const Timer& timer);
  void supersede_reviews(Run& run, NodeIndex index);
  void end_review(Run& run, NodeIndex index, const Reason& reason);
  /// Records a review's answer and returns all nodes that wait for it.
  std::vector<std::pair<Run*, NodeIndex>> answer_review(const Run& run, NodeIndex index,
                                                        bool rejected, const std::string& who,
                                                        const std::string& why);
  std::optional<std::string> may_not_answer(const ReviewSpec& review, const std::string& starter,
                                            const std::string& who,
                                            const std::vector<std::string>& groups) const;
  bool span_needs_review(PipelineState& pipeline, SpanRow& span);
  void look_at_span_reviews(PipelineState& pipeline);
  void answer_span(PipelineState& pipeline, SpanRow& row, bool approved, const std::string& who,
                   const std::string& why);

  // engine_admission.cc
  void measure_paths(Run& run);                 ///< what the critical path is made of
  std::vector<std::int64_t> durations_of(PipelineState& pipeline, const Pipeline& of);
  Demand demand_of(const Run& run, NodeIndex index) const;
  Turn turn_of(const Run& run, NodeIndex index) const;
  Load load_now() const;                        ///< what the attempts that run now take
  void admit();
  bool find_again(Run& run, NodeIndex index, ReadyWork& work_item);
  void start_attempt(Run& run, NodeIndex index, QueuedWork item);
  void queue_ready(Run& run, NodeIndex index, ReadyWork work_item);
  void drop_ready(Run& run, NodeIndex index);
  void queue_time_over(Run& run, NodeIndex index);
  std::string why_no_slot(const Run& run, NodeIndex index) const;

  // engine_plan.cc
  struct PlanFacts;
  PlanFacts plan_facts(const Run& run) const;
  PlannedStep planned_step(const Run& run, NodeIndex index, const PlanFacts& facts) const;

  // engine_explain.cc
  std::string node_path(const Run& run, NodeIndex index) const;
  std::optional<NodeIndex> watched_by(const Run& run, NodeIndex index) const;
  std::string told_chain(const Run& run, NodeIndex first) const;
  Reason why_ready_waits(const Run& run, NodeIndex index) const;
  Reason why_node_waits(const Run& run, NodeIndex index) const;
  Reason why_run_waits(const Run& run) const;

  // engine_attempts.cc
  void on(const event::AttemptProgress& event);
  void on(const event::DaemonStops& event);
  void on(const event::AttemptEnded& event);
  void on(const event::AttemptLost& event);
  void on(const event::OutputsHeld& event);
  LiveAttempt end_attempt(const std::string& id, Outcome outcome, bool fault,
                          const std::string& error, const AttemptUse& use);
  void attempt_failed(Run& run, const LiveAttempt& attempt, const std::string& error,
                      bool retryable);
  void attempt_timed_out(Run& run, const LiveAttempt& attempt);
  void attempt_fault(Run& run, const LiveAttempt& attempt, const std::string& why);
  void attempt_done(Run& run, const LiveAttempt& attempt, const event::AttemptEnded& event);
  void release_key(const LiveAttempt& attempt);
  void set_state(Run& run, NodeIndex index, StepState state, Reason reason);
  void write_step(const Run& run, NodeIndex index, const Reason& reason);
  void halt_node(Run& run, NodeIndex index, const ResultRow& result);
  void fail_node(Run& run, NodeIndex index, const std::string& code, const std::string& sentence);
  void wake(Run& run, NodeIndex changed);
  void block_below(Run& run, NodeIndex origin);
  void consider_end(Run& run);
  void consider_run_on(Run& run);
  void end_run(Run& run, RunState state, Reason reason);

  // engine_schedule.cc
  void wind(PipelineState& pipeline, const Pipeline* before, bool applied);
  void wind_one(PipelineState& pipeline, TriggerClock clock, const std::string& schedule,
                const std::string& zone, bool armed_before);
  void look_at_clocks();                        ///< fires what is due
  void tick(PipelineState& pipeline, TriggerClock& clock);
  std::vector<std::int64_t> due_slots(const PipelineState& pipeline, const TriggerClock& clock,
                                      std::size_t limit) const;
  std::int64_t settled_until(const PipelineState& pipeline, const TriggerClock& clock);
  void fire_slot(PipelineState& pipeline, const TriggerClock& clock, std::int64_t slot_s);
  void judge_expected(PipelineState& pipeline, const TriggerClock& clock, std::int64_t slot_s);
  void set_due(PipelineState& pipeline, TriggerClock& clock) const;
  void find_next_slot();
  bool put_slot(const PipelineState& pipeline, const std::string& trigger, const std::string& slot,
                TimeMs due_at, const std::string& outcome, const std::string& why, RunNumber run);

  // engine_policies.cc
  bool has_room(const Run& run) const;          ///< by max_active
  void reopen(Run& run);                        ///< one at rest: running, or queued without room
  void take_up_waiting(Run& run);
  std::int64_t deadline_of(const Run& run) const;  ///< 0: none
  void arm_deadline(const Run& run);
  void pass_deadline(const Run& run, std::int64_t deadline_ms);
  void count_failures(const std::string& pipeline);

  // engine_triggers.cc
  void on(const event::HookCalled& event);
  void fire_causes();
  void fire_after(PipelineState& pipeline, const TriggerSpec& trigger, const TriggerCause& cause);
  void fire_alert(PipelineState& pipeline, const TriggerSpec& trigger, const AlertRow& alert);
  void note_outputs(const Run& run);            ///< of a full run that succeeded
  /// A run that a trigger asks for, as `overlap` lets it; 0: skipped, with the sentence.
  RunNumber start_triggered(PipelineState& pipeline, const ValueTable& params, Reason reason,
                            const std::string& who, std::string& skipped);

  // engine_spans.cc
  void on(const event::Arrived& event);
  void fire(PipelineState& pipeline, std::size_t trigger);
  void arm(PipelineState& pipeline, const ArrivalRow& arrival);
  void rearm(PipelineState& pipeline);          ///< its triggers are other ones now
  void take_arrivals(PipelineState& pipeline, const std::vector<std::int64_t>& numbers,
                     RunNumber run);
  void make_room(PipelineState& pipeline);      ///< what `overlap` says of older runs
  void span_element_ended(Run& run, NodeIndex index);
  void set_span(Run& run, SpanIndex span, SpanState state, const std::string& why,
                const std::string& who, StepIndex step);
  SpanRow* span_row(const std::string& pipeline, const std::string& source, const std::string& span,
                    std::int64_t version);

  // engine_selection.cc
  std::optional<Error> options_error(const Pipeline& pipeline, const RunOptions& options) const;
  std::optional<Error> missing_error(const PipelineState& pipeline, const RunOptions& options) const;
  void settle_unselected(Run& run);             ///< what is not selected gives what is recorded

  // engine_resume.cc
  void on(const event::RetryRequested& event);
  void on(const event::ResumeRequested& event);
  void on(const event::MigrateRequested& event);
  Result<Run*> run_to_go_on(RunNumber number, const std::string& verb,
                            const std::shared_ptr<const Pipeline>& version);
  Result<std::set<NodeIndex>> nodes_to_retry(const Run& run,
                                             const event::RetryRequested& event) const;
  void begin_again(Run& run);
  void retry_nodes(Run& run, const std::set<NodeIndex>& named, const std::string& who);
  bool take_late_decision(Run& run, NodeIndex index);
  /// After a retry of some of its elements; `rejected`: others stay rejected.
  void open_span(Run& run, SpanIndex span, bool rejected);
  std::vector<PlannedStep> move_run(Run& run);

  // engine_backfill.cc
  void on(const event::BackfillRequested& event);
  void on(const event::BackfillCancelRequested& event);
  Result<BackfillRow> complete_backfill(const BackfillRow& wish) const;
  Result<std::vector<PlannedSpan>> judge_backfill(const BackfillRow& wish) const;
  RunOptions backfill_options(const BackfillRow& row, std::size_t from) const;
  void advance_backfill(std::int64_t id);
  void advance_backfills(const std::string& pipeline);

  // engine_invalidate.cc
  void on(const event::InvalidateRequested& event);
  Result<std::vector<Dependent>> dependents(const event::InvalidateRequested& wish);

  // engine_step_requests.cc
  std::string refused_request(const Run& run, NodeIndex index,
                              const event::AttemptEnded& event) const;
  void perform_requests(Run& run, const ResultRow& result,
                        const std::vector<event::StepRequest>& requests);

  // engine_requests.cc
  void on(const event::PipelineApplied& event);
  void on(const event::RunRequested& event);
  void on(const event::AcceptRequested& event);
  void on(const event::RejectRequested& event);
  void on(const event::SpanRequested& event);
  void on(const event::CancelRequested& event);
  void on(const event::CapacityChanged& event);
  void on(const event::TroubleFound& event);
  void on(const event::TimeReached& event);
  void record_acceptance(Digest key, const event::AcceptRequested& event,
                         const std::string& element);
  void accept_for_later(const event::AcceptRequested& event);
  void reject_span(const std::string& pipeline, const RunSpan& span, const std::string& only_step,
                   const Reason& reason);
  void take_back_drop(Run& run, SpanIndex span);
  void go_on(Run& run);
  void cancel_run(Run& run, Reason reason);
  void drop_nodes(Run& run, SpanIndex span, const std::string& sentence);
  std::optional<NodeIndex> named_node(Run& run, const std::string& step, const std::string& element,
                                      RequestId request);
};

}  // namespace pipelined
