// What the engine knows of one run, one attempt and one pipeline.  Private to dag/engine*.cc.
//
// Plain structs without decisions; engine_state.h holds them together.
#pragma once

#include <cstdint>
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
#include "dag/step_ports.h"

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
  std::shared_ptr<const ValueList> generated;  ///< the elements that it has named so far
  TimeMs first_call_at = 0;       ///< of a step that generates
  bool time_is_up = false;        ///< of one whose last call says that generates.time has passed
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
  std::vector<std::int64_t> gpus;               ///< which of them it has
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

/// The elements that a result of a generator names, over all rounds; nothing: it is none.
std::shared_ptr<const ValueList> elements_in(const ResultRow& result);
/// Takes over what a result says of its elements, and whether their time had passed.
void take_elements(Node& node, const ResultRow& result);
/// Whether it asked for more: it is called again with what came of the elements.
bool asks_for_more(const ResultRow& result);
/// Whether all that the generator wants to know of that element of it is there.
bool element_done(const Run& run, NodeIndex generator, std::size_t ordinal);
/// Whether something of that failed, so that it will not come; what a person rejected did not.
bool element_failed(const Run& run, NodeIndex generator, std::size_t ordinal);
/// The node that generates the elements of a step; nothing: they are spans, or there are none.
std::optional<NodeIndex> generator_node(const Run& run, StepIndex step);
/// Whether it belongs to an element that failed as `generates.failures` allows.
bool is_passed_by(const Run& run, NodeIndex index);

/// Whether the step's elements decide their span's state (rule 16).
inline bool decides_span(const PipelineStep& step) {
  return !step.fan_source.empty() && !is_generated_source(step.fan_source) &&
         !step.below_collector && step.spec.run_on == "success";
}

/// A query source: what is recorded of it, and the poll that is due or under way.
struct PollState {
  PollRow row;
  std::string running;                          ///< id of the poll; empty: none
  std::string upto;                             ///< that poll takes rows up to this; empty: all
  std::int64_t due_ms = 0;                      ///< steady; of the next one
  std::string seen;                             ///< a watermark that was seen and is not taken yet
  std::int64_t seen_ms = 0;                     ///< steady
};

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
  std::map<std::string, PollState> polls;       ///< by source
};

/// "is held with run 4 by alice until 2026-03-01 08:30 UTC: the disk is being changed"
std::string held_sentence(const HoldRow& hold);

/// Whether the answer to a halt was to go on without the remedy that was proposed.
bool withholds_remedy(const AcceptanceRow& answer);
/// Why a halted step is done: who accepted, `before` first.
Reason accepted_reason(const AcceptanceRow& answer, const std::string& before);
/// Whether a step that is done for this reason gives that output to others.
bool gives(const Reason& reason, const Binding& output);
/// The outputs that a step that is done for this reason gives to others.
std::shared_ptr<const std::vector<Binding>> outputs_given(const ResultRow& result,
                                                          const Reason& reason);

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
    deadline, poll,
  } kind;
  std::string pipeline;
  std::size_t trigger = 0;
  RunNumber run = 0;
  NodeIndex node = 0;
  std::string attempt;     ///< or the source of a poll
  TimeMs review_ends = 0;  ///< the node's next_try_at when it was armed: a later review has another
};

}  // namespace pipelined
