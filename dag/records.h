// The rows that the engine writes and reads: everything that must survive a crash.
//
// Plain structs with public fields; the store gives each its table, the simulator keeps them in
// maps.  Times are milliseconds since 1970 UTC.  `seq` is a number that the engine gives to every
// row that it writes, rising for ever: "before" between rows means a smaller seq.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dag/digest.h"
#include "dag/manifest.h"
#include "dag/value.h"

namespace pipelined {

using RunNumber = std::int64_t;
using TimeMs = std::int64_t;

/// One changed thing in a reason: a parameter, an input, a library, a threshold.
struct ReasonDetail {
  std::string name, before, after;
  bool operator==(const ReasonDetail&) const = default;
};

/// Why the engine did something: a stable word for machines, a sentence for people.
struct Reason {
  std::string code;      ///< "same_inputs", "parameter_changed", "halted", …
  std::string sentence;
  std::vector<ReasonDetail> details;
  bool operator==(const Reason&) const = default;
};

/// waiting and ready are never stored; a step row of an open run that is absent is waiting.
enum class StepState {
  waiting, ready, running, succeeded, cached, failed, halted, in_review, rejected, cancelled,
  skipped, blocked,
};
enum class RunState { queued, running, failed, rejected, halted, in_review, cancelled, succeeded };
enum class SpanState { open, accepted, halted, failed, rejected, dropped, in_review };
enum class Outcome { ok, more, halt, invalid, failed, retry, cancelled, unsupported };

/// The word of a state as people and scripts see it ("in_review").
const char* name_of(StepState state);
const char* name_of(RunState state);
const char* name_of(SpanState state);
const char* name_of(Outcome outcome);
std::optional<StepState> parse_step_state(std::string_view word);
std::optional<RunState> parse_run_state(std::string_view word);
std::optional<SpanState> parse_span_state(std::string_view word);
/// Case does not matter: the wire says "HALT", rows say "halt".
std::optional<Outcome> parse_outcome(std::string_view word);

/// A version of a pipeline: the digest of its bundle (an artifact of type `bundle/1`).
struct PipelineRow {
  std::string name;
  Digest version;
  TimeMs applied_at = 0;
  std::string folder;         ///< absolute; source paths are relative to it
  bool current = false;       ///< the version that new runs take; one a pipeline
  bool paused = false;
  std::int64_t seq = 0;
};

/// One delivery.  Identity: (pipeline, source, span, digest) next to the newest version of the span.
struct ArrivalRow {
  std::int64_t number = 0;    ///< rises over all sources; a run's horizon is one of these
  std::string pipeline, source, span;
  std::int64_t version = 0;   ///< of the span, from 1
  ArtifactRef artifact;       ///< files/1
  std::string path;           ///< where it was delivered, for people
  TimeMs at = 0;
  RunNumber run = 0;          ///< the run that its trigger started; 0: none yet
  std::int64_t seq = 0;
};

/// The state of a span's version in its pipeline.
struct SpanRow {
  std::string pipeline, source, span;
  std::int64_t version = 0;
  std::int64_t arrival = 0;   ///< its arrival number
  ArtifactRef artifact;
  SpanState state = SpanState::open;
  std::string why, who;       ///< of drop and reject, or the step that failed or halted
  Digest definition;          ///< of the failed step and its ancestors: defined otherwise, it is open again
  RunNumber run = 0;          ///< the run that decided the state
  std::int64_t approved_seq = 0;  ///< of its review's approval: runs created before do not see it
  RunNumber succeeded_run = 0; ///< the first run with it that succeeded; 0: it is "new"
  TimeMs at = 0;
  std::int64_t seq = 0;
};

/// A span as a run saw it when it was created.
struct RunSpan {
  std::string source, span;
  std::int64_t version = 0;
  bool fresh = false;         ///< no run with it had succeeded yet ("new")
  std::string left_out;       ///< why it takes no part; empty: it does
  bool operator==(const RunSpan&) const = default;
};

/// What a run was asked to do beside its pipeline's text.
struct RunOptions {
  ValueTable params;                   ///< --param
  std::vector<std::string> force;      ///< steps whose earlier results are passed over
  std::string select;                  ///< --select; empty: the whole pipeline
  bool refresh = false, revalidate = false;
  std::string source;                  ///< with `spans`: whose they are
  std::vector<std::string> spans;      ///< only these spans of it take part; empty: all
  std::int64_t backfill = 0;           ///< the backfill that it belongs to; 0: none
  bool operator==(const RunOptions&) const = default;
  /// Whether it does only a part of the pipeline's work.
  bool partial() const { return !select.empty() || !spans.empty(); }
  /// Whether its outputs count as the pipeline's own (see `{ latest = … }`).
  bool full() const { return params.empty() && !partial(); }
};

struct RunRow {
  RunNumber number = 0;
  std::string pipeline;
  Digest version;
  RunState state = RunState::queued;
  Reason reason;              ///< why it was started
  Reason end_reason;          ///< why it ended, halted or was superseded
  RunOptions options;
  std::int64_t horizon = 0;
  std::int64_t created_seq = 0;
  std::vector<RunSpan> spans; ///< in span order, source by source
  std::string who;            ///< who asked; "arrival" for the machine
  TimeMs created_at = 0, started_at = 0, ended_at = 0;
};

/// The newest state of a step or element in a run.  Identity: (run, step, element).
struct StepRow {
  RunNumber run = 0;
  std::string step, element;  ///< element empty: the step is not fanned out
  StepState state = StepState::waiting;
  std::optional<Digest> key;
  std::int64_t result = 0;    ///< ResultRow::id of its outputs; 0: none
  std::int64_t tries = 0;     ///< tries that count
  std::int64_t faults = 0;    ///< machine faults in a row
  std::int64_t attempts = 0;  ///< all attempts so far, machine faults included
  TimeMs next_try_at = 0;     ///< while waiting for back-off
  TimeMs first_try_at = 0;    ///< start of the first try that counts against retry.max_time
  TimeMs first_call_at = 0;   ///< of a step that generates: its first attempt in the run
  std::int64_t pass_over = 0; ///< results with a smaller seq are not reused: it is to run anew
  Reason reason;
  TimeMs started_at = 0, ended_at = 0;
  TimeMs at = 0;              ///< since when it is in this state for this reason
  std::int64_t seq = 0;
};

struct AttemptRow {
  std::string id;             ///< 26 characters, sorts by time
  RunNumber run = 0;
  std::string step, element;
  std::int64_t number = 0;    ///< from 1, machine faults included
  std::string fence;          ///< 32 hexadecimal digits; a report with another fence is ignored
  bool running = true;
  Outcome outcome = Outcome::failed;
  bool machine_fault = false;
  std::string error;          ///< a sentence; empty on success
  TimeMs queued_at = 0;       ///< its inputs were there and it began to wait for a slot
  TimeMs started_at = 0, ended_at = 0;
  std::int64_t cpu_ms = 0, memory_peak_bytes = 0, scratch_bytes = 0;
  /// Of one that did not succeed: "out_of_memory", "scratch", "timeout", "killed", "crash" or "exit";
  /// empty when the operator itself said what was wrong.
  std::string failure_class;
};

/// One artifact at one port.
struct Binding {
  std::string port;
  std::int64_t position = 0;  ///< in a MANY port
  ArtifactRef artifact;
  bool operator==(const Binding&) const = default;
};

struct MetricFact {
  std::string name, slice;
  double value = 0;
  bool operator==(const MetricFact&) const = default;
};

/// What an execution made: the outputs of a key.  A cached step points at the result that it reuses.
struct ResultRow {
  std::int64_t id = 0;
  std::optional<Digest> key;  ///< none: never reused (effects, run_on, cache = false)
  std::string key_text;
  bool halt = false;          ///< the operator's verdict was that the data is wrong
  std::string pipeline;
  RunNumber run = 0;
  std::string step, element, attempt;
  std::vector<Binding> inputs, outputs;
  std::vector<MetricFact> metrics;
  Value notes;                ///< what the operator noted, a table
  std::string verdict;        ///< the operator's sentence on a halt
  TimeMs started_at = 0, ended_at = 0;
  std::int64_t seq = 0;
};

/// A person's answer for exactly this key: "these data are wrong" overruled, or a review decided
/// (its key is the digest of pipeline, step and evidence).
struct AcceptanceRow {
  Digest key;
  bool rejected = false;      ///< of a review: the answer was no
  std::string who, why;
  RunNumber run = 0;
  std::string step, element;
  Value evidence;             ///< of a review: what was looked at, digests by port
  TimeMs at = 0;
  std::int64_t seq = 0;
};

/// What a resolver returned, so that running again returns the same.
struct ResolutionRow {
  Digest scope;               ///< of pipeline, step, element, port and what the answer hangs on
  RunNumber run = 0;
  std::optional<Binding> answer;
  std::string origin;         ///< for people: "run 1 train"
  std::int64_t seq = 0;
};

/// Something that a person should know.  A second row with the same id is ignored.
struct AlertRow {
  std::string id;             ///< "flights/2013-12/validate/<key>"
  std::string pipeline, subject, severity;  ///< severity: error warning info
  std::string sentence;
  RunNumber run = 0;
  std::string step, element;
  Value evidence;             ///< a table: comparisons, file and line, …
  TimeMs at = 0;
  std::int64_t seq = 0;
};

/// A wish that something waits.  Identity: (kind, pipeline, run, step, element).
struct HoldRow {
  std::string kind = "hold";  ///< or "pause": it goes with the pause of its pipeline
  std::string pipeline;
  RunNumber run = 0;          ///< 0: all runs of the pipeline
  std::string step, element;  ///< empty: all of them
  std::string who, why;
  TimeMs at = 0, until = 0;   ///< until 0: until somebody releases it
  bool active = true;
  std::string ended_by;       ///< a person, or "time", or "end of the run"
  TimeMs ended_at = 0;
  std::int64_t seq = 0;
};

/// What a trigger made of one thing that can fire it: a slot of its schedule, a delivery of its
/// webhook, an artifact, an alert; or, for a source, of a time at which a span was expected.  That
/// this row is there is why the same thing never fires again.
struct SlotRow {
  std::string pipeline, trigger;  ///< TriggerSpec::id, or "expect/SOURCE"
  std::string slot;               ///< what it was: "2026-03-29T01:00:00Z", a delivery's id, a digest
  std::string outcome;            ///< armed fired skipped missed came late
  std::string why;                ///< a sentence
  RunNumber run = 0;              ///< of fired: the run
  TimeMs due_at = 0;              ///< of a schedule: its time; else when it was seen
  TimeMs at = 0;
  std::int64_t seq = 0;
};

/// How far a query source was read, and how its last poll ended.  One a source.
struct PollRow {
  std::string pipeline, source;
  std::string column;         ///< that the watermark is of; empty: the whole answer is taken
  std::string watermark;      ///< the greatest value taken, as the database writes it; empty: none yet
  std::string type;           ///< of it: int date time string
  std::int64_t polls = 0, rows = 0, spans = 0;  ///< since the source is there
  std::int64_t failures = 0;  ///< in a row
  std::string sentence;       ///< what the last poll did or why it failed
  TimeMs at = 0;              ///< when it ended
  TimeMs failing_since = 0;   ///< 0: the last one did not fail
  bool alerted = false;       ///< the failures since then were told
  std::int64_t seq = 0;
  bool operator==(const PollRow&) const = default;
};

/// A result that is known to be bad: never reused, never resolved to.
struct InvalidationRow {
  std::int64_t result = 0;    ///< ResultRow::id
  std::optional<Digest> key;  ///< of that result
  std::int64_t cause = 0;     ///< the bad result that this one was made from; 0: named itself
  std::string who, why;
  TimeMs at = 0;
  std::int64_t seq = 0;
};

/// Spans to be worked through again, a few at a time, behind all fresh work.
struct BackfillRow {
  std::int64_t id = 0;
  std::string pipeline, source;
  std::string asked;          ///< "2013-01..2013-06", as it was asked for
  std::string reprocess;      ///< none failed all
  std::string order;          ///< oldest newest
  std::int64_t chunk = 1;     ///< spans a run
  std::int64_t max_active = 1;  ///< runs at the same time
  RunOptions options;         ///< of its runs, but for the spans
  std::vector<std::string> spans;  ///< in the order of their runs
  std::int64_t begun = 0;     ///< so many of them have a run
  std::string state;          ///< running done cancelled
  std::string who, why;
  TimeMs created_at = 0, ended_at = 0;
  std::int64_t seq = 0;
};

/// What a step asked the system to do, and what became of it.
struct StepRequestRow {
  std::int64_t result = 0;    ///< the result that carried it
  std::int64_t ordinal = 0;   ///< among the requests of that result
  std::string pipeline, step, element;
  RunNumber run = 0;
  std::string kind;           ///< add_span raise_alert
  Value arguments;            ///< a table
  std::string state;          ///< done refused
  std::string sentence;
  TimeMs at = 0;
  std::int64_t seq = 0;
};

/// A decision that a person took, for the record.
struct DecisionRow {
  std::string kind;           ///< accept reject drop restore approve cancel retry pause …
  std::string pipeline, subject, who, why;
  RunNumber run = 0;
  TimeMs at = 0;
  std::int64_t seq = 0;
};

}  // namespace pipelined
