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

#include "dag/engine_run.h"

namespace pipelined {

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
  void start_or_queue(Run& run);
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
  std::optional<ResultRow> result_to_use(const Run& run, NodeIndex index, Reason& why_not) const;
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
  /// Who approved what this attempt was given, and why: the evidence of its review.
  ValueList approvals_of(const Run& run, const LiveAttempt& attempt);
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
  std::vector<std::int64_t> free_gpus(std::int64_t count) const;
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

  // engine_polls.cc
  void on(const event::PollEnded& event);
  void wind_polls(PipelineState& pipeline);     ///< of the version that is in force now
  void poll_at(PipelineState& pipeline, const std::string& source, std::int64_t wait_ms);
  void start_polls();                           ///< those that are due, a few at a time
  void start_poll(PipelineState& pipeline, const SourceSpec& source, PollState& poll);
  void take_poll(PipelineState& pipeline, const SourceSpec& source, PollState& poll,
                 const event::PollEnded& event);
  void poll_failed(PipelineState& pipeline, const SourceSpec& source, PollState& poll,
                   const std::string& why, bool retryable);

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
  void take_up_node(Run& run, NodeIndex index);
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

  // engine_generators.cc
  /// The parameters of a node: those of its step, with the values of a generated element.
  /// `own` holds them if they are not those of all elements.
  const ValueTable& params_of_node(const Run& run, NodeIndex index, ValueTable& own) const;
  std::string wrong_for_steps(const Run& run, NodeIndex index, const Value& element) const;
  /// What is wrong with the elements that a step names now; empty: nothing.
  std::string refused_elements(const Run& run, NodeIndex index,
                               const event::AttemptEnded& event) const;
  /// Puts all elements so far into the notes of a result.
  void note_elements(const Run& run, NodeIndex index, const event::AttemptEnded& event,
                     ResultRow& result) const;
  void take_round(Run& run, NodeIndex index, const ResultRow& result);
  /// Whether generates.time has passed since its first call, so that it is called to end.
  bool has_no_time_left(const Run& run, NodeIndex index) const;
  Reason no_time_left(const Run& run, NodeIndex index) const;

  // engine_step_requests.cc
  std::string refused_request(const Run& run, NodeIndex index,
                              const event::AttemptEnded& event) const;
  void perform_requests(Run& run, const LiveAttempt& attempt, const ResultRow& result,
                        const std::vector<event::StepRequest>& requests);

  // engine_remedy.cc
  /// The answer to a halt at that key: a person's, else the policy's of the run's pipeline.
  std::optional<AcceptanceRow> answer_to(const Run& run, const Digest& key);
  void pass_halt(Run& run, NodeIndex index, const AcceptanceRow& answer);
  std::string remedy_of(const Run& run, NodeIndex index);
  bool accept_by_policy(const Run& run, NodeIndex index, const std::string& method,
                        RunNumber remedied);
  bool remedied(Run& run);
  void remedy_at_rest(const std::string& pipeline);  ///< after a pause

  // engine_models.cc
  void on(const event::ModelMarkRequested& event);
  Result<ModelMarkRow> complete_mark(const event::ModelMarkRequested& event);
  std::string wrong_registration(const std::vector<PortInputs>& inputs,
                                 const Value& arguments) const;
  std::optional<Reason> not_blessed(const PipelineStep& step,
                                    const std::vector<event::StepRequest>& requests) const;
  ModelVersionRow version_row(const Run& run, const LiveAttempt& attempt, const ResultRow& result,
                              const Value& arguments);
  void register_model(const Run& run, const LiveAttempt& attempt, const ResultRow& result,
                      StepRequestRow& request);

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
  void accept_key(const event::AcceptRequested& event, const std::string& pipeline,
                  const Digest& key, const std::string& element);
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
