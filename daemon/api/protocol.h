// What travels between the daemon and its clients: plain structs and their JSON.
//
// One struct a reply or request; `to_json` and `from_json` are generated from one list of fields a
// struct (protocol.cc), as is the JSON schema in the OpenAPI document.  Readers ignore fields that
// they do not know; requests with unknown fields are refused.  Times are milliseconds here and
// ISO-8601 UTC text in JSON (null: never).  Knows nothing of HTTP, sockets or the engine.
//
// History of the protocol (the number is `protocol` in `Status`; it rises when a meaning changes,
// not when a field is added):
//   1  the first.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/records.h"
#include "dag/result.h"
#include "dag/value.h"

namespace pipelined::protocol {

/// The version of the protocol that this source speaks.
inline constexpr std::int64_t version = 1;

/// A moment in milliseconds since 1970 UTC; 0: never.
struct Time {
  TimeMs ms = 0;
  bool operator==(const Time&) const = default;
};
/// "2026-01-31T08:15:00.250Z"; empty for 0.
std::string iso_time(TimeMs ms);
/// The reverse; nothing if it is no such text.
std::optional<TimeMs> parse_iso_time(std::string_view text);

/// Standard base64 with padding, for files that are no text.
std::string base64_encode(std::string_view bytes);
/// The reverse; nothing if it is no such text.
std::optional<std::string> base64_decode(std::string_view text);
/// Escapes all but letters, digits and `-._~` for a request target.
std::string percent_encode(std::string_view text);
/// Whether the text is valid UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text);

/// Why a request was not done.
struct Failure {
  std::string code, message;       ///< code: a name of ErrorCode, or "unauthorized", "too_large"
};
struct FailureReply {
  Failure error;
};

/// The answer to a request that the engine carried out.
struct Done {
  std::int64_t run = 0;            ///< the run that was made or touched; 0: none
  std::string sentence;
};

/// One thing wrong with a pipeline file.
struct Finding {
  std::string file;
  std::int64_t line = 0, column = 0;
  std::string message;
  bool warning = false;
};

/// Request of `check` and `apply`.  A file's text is plain; one that is no UTF-8 is in `binary` as
/// base64.
struct Upload {
  std::string folder, file;
  std::map<std::string, std::string> files, binary;
};
struct CheckReply {
  bool ok = false;
  std::vector<Finding> findings;
};
struct ApplyReply {
  bool ok = false, changed = false;
  std::string pipeline, version, sentence;
  std::vector<Finding> findings;
};

/// Request of `run` and `plan`.
struct RunRequest {
  std::string pipeline;
  ValueTable params;
  std::vector<std::string> force;
  std::string select;
  bool refresh = false, revalidate = false;
};

struct Why {
  std::string code, sentence;
  std::vector<ReasonDetail> details;
};
struct Planned {
  std::string step, element, verdict;
  Why reason;
};
struct PlanReply {
  std::string pipeline;
  std::vector<Planned> steps;
};

/// How a step's outputs stand against what has arrived.
struct Freshness {
  std::string step;
  std::int64_t behind = 0;         ///< spans that it has not taken in; 0: it is fresh
  std::string first_behind;        ///< the first of them, "flights/2013-12"
  Time since;                      ///< stale since then
  std::int64_t run = 0;            ///< the newest full run that finished it; 0: none, or by element
  Time made_at;
};
struct FreshnessReply {
  std::string pipeline;
  std::vector<Freshness> steps;    ///< those that data reach
};

/// What a step's attempts used, and what it should ask for.
struct StepUse {
  std::string step;
  std::int64_t attempts = 0, memory_peak_bytes = 0, scratch_peak_bytes = 0;
  std::int64_t out_of_memory = 0, out_of_scratch = 0;  ///< attempts that ended so
  double cpus_most = 0;
  std::vector<std::string> suggestions;  ///< sentences
};
struct UseList {
  std::string pipeline;
  std::vector<StepUse> steps;
};

/// Request of everything that a person decides about a run, a step or a span.
struct Decision {
  std::string step, element;       ///< of accept, reject, approve
  std::string pipeline, source, span;  ///< of span drop, restore; of pause
  std::string why;
  std::vector<std::string> steps;  ///< of retry: only these, "train" or "validate/2013-12"
  std::string select;              ///< of retry: a selection of steps instead
};

/// Request of pause.
struct PauseWish {
  bool hold_steps = false;         ///< no further step of its open runs either
  std::string why;
};

/// Request of hold and release: a pipeline, a run, or a step of either.
struct HoldWish {
  std::string pipeline;            ///< empty: a run is meant
  std::int64_t run = 0;            ///< 0: all runs of the pipeline
  std::string step, element;
  std::string why;
  Time until;                      ///< of hold; 0: until it is released
};

/// Something that is held.
struct Hold {
  std::string kind, pipeline;      ///< kind: hold or pause
  std::int64_t run = 0;
  std::string step, element, who, why;
  Time at, until;
};
struct HoldList {
  std::vector<Hold> holds;
};

/// A run in a list.
struct RunSummary {
  std::int64_t number = 0;
  std::string pipeline, version, state, who;
  Why reason, end_reason;
  ValueTable params;
  Time created_at, started_at, ended_at;
  std::map<std::string, std::int64_t> steps;   ///< state → how many steps and elements
  ValueTable values;               ///< all parameters, also those left as they are; if asked for
  std::map<std::string, double> metrics;       ///< those asked for, where the run has them
};
struct RunList {
  std::vector<RunSummary> runs;
};

/// An artifact at a port.
struct PortArtifact {
  std::string port;
  std::int64_t position = 0;
  std::string digest, type;
  std::int64_t size = 0;
};
struct Metric {
  std::string name, slice;
  double value = 0;
};
struct Attempt {
  std::string id;
  std::int64_t number = 0;
  bool running = false;
  std::string outcome, error;
  bool machine_fault = false;
  Time started_at, ended_at;
  std::int64_t cpu_ms = 0, memory_peak_bytes = 0, scratch_bytes = 0;
  std::string failure_class;       ///< "out_of_memory", "scratch", "timeout", "killed", "crash", "exit"
};

/// A step or element of a run.
struct Step {
  std::string step, element, state, operator_id;
  Why reason;
  std::string key;
  std::int64_t from_run = 0;       ///< the run that made the outputs; another one if reused
  std::int64_t tries = 0;
  Time started_at, ended_at;
  std::vector<PortArtifact> inputs, outputs;
  std::vector<Metric> metrics;
  Value notes;
  std::string verdict;             ///< the operator's sentence on a halt
  std::vector<Attempt> attempts;
};
struct RunSpanInfo {
  std::string source, span;
  std::int64_t version = 0;
  std::string left_out;            ///< why it takes no part; empty: it does
};
/// What a step asked the system to do.
struct StepRequest {
  std::string step, element, kind;
  Value arguments;
  std::string state, sentence;
  Time at;
};
struct RunDetail {
  RunSummary run;
  std::vector<std::string> force;
  std::string select;              ///< the selection that was asked for; empty: the whole pipeline
  std::int64_t backfill = 0;       ///< the backfill that it belongs to; 0: none
  std::vector<StepRequest> requests;
  std::vector<RunSpanInfo> spans;
  std::int64_t steps_total = 0;    ///< steps and elements of the run
  std::int64_t offset = 0;         ///< of the first one listed
  std::vector<Step> steps;         ///< in topological order, elements in span order
  std::vector<std::string> explanation;  ///< sentences on what stands in the way, if anything does
  std::vector<std::string> ways_on;      ///< what a person can do, as commands
};

/// A state that a step was in, since when and why.
struct StateTold {
  Time at;
  std::string state, code, sentence;
};
/// Why a step or element is as it is.
struct StepExplanation {
  std::string step, element, state;
  std::vector<std::string> sentences;
  std::vector<ReasonDetail> changes;     ///< what differs from the nearest earlier result
  std::vector<StateTold> history;        ///< every state so far, oldest first; of a named step
  Value comparisons;                     ///< measured values beside thresholds, as the operator noted
  std::vector<std::string> ways_on;
};
struct Explanation {
  std::int64_t run = 0;
  std::string pipeline, state;
  std::vector<std::string> sentences;
  std::vector<StepExplanation> steps;
};

/// One thing in which two runs differ, or are alike if that was asked for.
struct DiffLine {
  std::string topic;               ///< run, definition, parameter, input, metric or duration
  std::string step, element, name;
  std::string before, after;       ///< in the first and in the second run; empty: not there
};
struct RunDiff {
  RunSummary first, second;
  std::vector<DiffLine> lines;
};

/// A state that a step, or with an empty `step` the run itself, came to.
struct HistoryLine {
  Time at;
  std::int64_t rank = 0;           ///< orders what happened in one millisecond
  std::string step, element, state, code, sentence;
};
/// One page of the history of a run, step by step; clients sort all pages by time and rank.
struct RunHistory {
  RunSummary run;
  std::vector<HistoryLine> lines;
  std::string next;                ///< `after` of the next page; empty: that was the last
};

/// A fact that the engine was told, with all that it needs to be told again.
struct ReplayEvent {
  Time at;
  std::string kind;                ///< run, arrived, attempt_ended, attempt_lost, accept, approve,
                                   ///< reject, cancel, retry, span_drop or span_restore
  std::string source, span, step, element;
  std::int64_t attempt = 0;        ///< its number among those of the step
  std::string outcome, error, who, why;
  bool retryable = false;
  std::vector<PortArtifact> artifacts;  ///< what was delivered, or made
  std::vector<Metric> metrics;
  Value notes;
};
/// What was recorded before and is looked up while the run goes on.
struct ReplayResult {
  std::int64_t id = 0, run = 0;
  std::string key, key_text, step, element, verdict;
  bool halt = false, accepted = false;
  std::vector<PortArtifact> outputs;
  std::vector<Metric> metrics;
  Value notes;
};
struct ReplaySpan {
  std::string source, span, left_out, digest, type;
  std::int64_t version = 0, arrival = 0, size = 0;
  bool fresh = false;
};
struct ReplayResolution {
  std::string scope, port, digest, type, origin;
  std::int64_t run = 0, size = 0;
};
struct ReplayStep {
  std::string step, element, state;
};

struct PipelineInfo {
  std::string name, version, folder, description, owner;
  Time applied_at;
  bool paused = false;
  std::int64_t last_run = 0;
  std::string last_state;
  std::map<std::string, std::int64_t> spans;   ///< state → how many newest versions
};
struct PipelineList {
  std::vector<PipelineInfo> pipelines;
};
struct Status {
  std::int64_t protocol = version;
  std::string daemon;                    ///< its version
  Time started_at;
  bool ready = false;
  std::string read_only;
  std::int64_t live_attempts = 0, outbox_waiting = 0, alerts = 0;
  std::map<std::string, std::int64_t> open_runs;
  std::vector<PipelineInfo> pipelines;
};

struct Span {
  std::string pipeline, source, span;
  std::int64_t version = 0;
  std::string state, why, who, digest;
  std::int64_t run = 0;
  Time at;
};
struct SpanList {
  std::vector<Span> spans;
};

/// An artifact and one place where it stood.
struct ArtifactInfo {
  std::string digest, type;
  std::int64_t size = 0;
  std::string pipeline, step, element, port;
  std::int64_t run = 0;
  Time at;
};
struct ArtifactList {
  std::vector<ArtifactInfo> artifacts;
};
struct FileInfo {
  std::string path, digest;
  std::int64_t size = 0;
  bool exec = false;
};
struct ArtifactDetail {
  std::string digest, type;
  std::int64_t size = 0;
  std::vector<FileInfo> files;
  std::vector<ArtifactInfo> bindings;    ///< where it stood
};
/// Request: one SELECT over an artifact, which the query calls `data`.
struct QueryRequest {
  std::string query;
  std::int64_t rows = 10;          ///< at most so many are told
};
struct TableRow {
  std::vector<std::string> cells;  ///< as text; null is the empty text
};
/// What a query found, as the worker wrote it.
struct TableReply {
  std::vector<std::string> columns;
  std::vector<TableRow> rows;
  bool more = false;               ///< there are further rows
};

/// Request: one step of a pipeline that is not put in force.
struct TryRequest {
  std::string folder, file;
  std::map<std::string, std::string> files, binary;  ///< as in an Upload
  std::string step, element;
  double sample = 0;               ///< this share of the rows of tables; 0: all
  ValueTable params;
};
/// A file that a tried step wrote.
struct TriedFile {
  std::string port, path;
  std::int64_t size = 0;
  std::string text;                ///< the file, if it is small and plain text
};
struct TryReply {
  bool ok = false;
  std::vector<Finding> findings;   ///< what is wrong with the pipeline; nothing was tried then
  std::string step, element, outcome, error;
  std::int64_t from_run = 0;       ///< the run whose result is the same; 0: it was tried
  std::int64_t took_ms = 0, cpu_ms = 0, memory_peak_bytes = 0;
  std::vector<PortArtifact> inputs;
  std::vector<TriedFile> outputs;
  std::vector<Metric> metrics;
  Value notes;
  std::string log;                 ///< the end of what it printed
};

/// One artifact with the artifacts that it was made from.
struct LineageNode {
  std::string digest, type, step, element, port;
  std::int64_t run = 0;
  std::vector<std::string> from;         ///< digests
};
struct Lineage {
  std::string digest;
  std::vector<LineageNode> nodes;        ///< nearest first; the first is the artifact itself
};

struct Alert {
  std::string id, pipeline, subject, severity, sentence;
  std::int64_t run = 0;
  std::string step, element;
  Value evidence;
  Time at;
};
struct AlertList {
  std::vector<Alert> alerts;
};
struct Source {
  std::string pipeline, source, kind, folder, pattern, trouble;
  std::vector<std::string> settling;
  std::int64_t arrivals = 0;
  std::string newest_span;
  Time newest_at;
};
struct SourceList {
  std::vector<Source> sources;
};
struct Port {
  std::string name, type;
  bool many = false, optional = false, evidence = false;
  std::string pass, doc;
};
struct Param {
  std::string name, kind;
  Value default_value;
  bool required = false;
  std::vector<std::string> choices;
  std::optional<double> min, max;
  std::string doc;
};
/// All that `check` needs to know of an operator.
struct Operator {
  std::string id;
  std::int64_t behaviour = 1;
  std::string summary, doc, plugin;
  std::vector<Port> inputs, outputs;
  std::vector<Param> params;
  std::map<std::string, std::string> libraries;
  bool effect = false, network = false, open_inputs = false, open_outputs = false;
  bool cacheable = true;
  std::string build;               ///< digest of the plugin in a development build
  double cpus = 1;
};
/// A run as the engine saw it: enough to give the same facts to another engine, which comes to the
/// same states.  What is not in it: times that depend on chance (back-off) and other runs.
struct RunEvents {
  std::int64_t format = 1;
  std::int64_t run = 0, horizon = 0;
  std::string pipeline, version, folder, state;
  ValueTable params;
  std::vector<std::string> force;
  std::string select;
  std::map<std::string, std::string> files, binary;  ///< as in an Upload
  std::vector<Operator> operators;
  std::vector<ReplaySpan> spans;
  std::vector<ReplayResult> results;
  std::vector<ReplayResolution> resolutions;
  std::vector<ReplayEvent> events;
  std::vector<ReplayStep> steps;   ///< what became of every step
};
struct OperatorList {
  std::vector<Operator> operators;
  std::vector<std::string> problems;
};
struct Review {
  std::int64_t run = 0;
  std::string pipeline, step, element, kind;   ///< kind: halted or in_review
  std::string sentence;
  Time since;
};
struct ReviewList {
  std::vector<Review> reviews;
};
struct Fact {
  std::string name, level, value, advice;      ///< level: ok, warning or missing
};
struct DoctorReply {
  std::vector<Fact> facts;
};
/// A token that was made or is wished for; `text` is shown when it is made, never again.
struct Token {
  std::string name, role, text;
  Time created_at, expires_at, revoked_at;
  std::string created_by, revoked_by, state;   ///< state: good expired revoked
};
struct TokenList {
  std::vector<Token> tokens;
};
struct TokenRequest {
  std::string name, role;
  std::int64_t expires_in_ms = 0;              ///< 0: never
};
struct AuditLine {
  std::int64_t number = 0;
  Time at;
  std::string who, role, from, action, subject, outcome, body, digest;
};
struct AuditLog {
  std::vector<AuditLine> lines;
};
struct AuditVerdict {
  bool whole = false;
  std::int64_t lines = 0;
  std::string head;                            ///< digest of the last line
  std::vector<std::string> problems;
};
struct ReloadReply {
  std::vector<std::string> changed, needs_restart, plugins, problems;
};
/// Long work on the store.
struct JobRequest {
  bool deep = false, dry_run = false;
  std::string folder;
  std::vector<std::string> secrets;
};
struct JobRow {
  std::string name, about, verdict, sentence;  ///< verdict: ok, violated or not_possible
  std::int64_t checked = 0, found = 0, bytes = 0;
  std::vector<std::string> findings;
  std::vector<std::int64_t> runs;              ///< affected ones
};
struct JobInfo {
  std::int64_t job = 0;
  std::string kind, state, error;              ///< state: copying, working, done or failed
  std::int64_t progress = 0;
  Time started_at, ended_at;
  bool ok = false;                             ///< done, and no row is violated
  std::vector<JobRow> rows;
};
struct PinRequest {
  std::string kind, subject, why;              ///< kind: artifact or run
};
struct PinInfo {
  std::string kind, subject, who, why;
  Time at;
};
struct PinList {
  std::vector<PinInfo> pins;
};
/// One server-sent event.
struct Change {
  std::string kind, pipeline;                  ///< kind: run alert pipeline source
  std::int64_t run = 0;
  std::string state, sentence;
};

/// One line of JSON, fields in the order of the struct.
template <class T>
std::string to_json(const T& value);
/// Reads a reply: fields that this program does not know are ignored.
template <class T>
Result<T> from_json(std::string_view text);
/// Reads a request: an unknown field is an error that names it.
template <class T>
Result<T> from_json_strictly(std::string_view text);
/// The JSON schema of T, as JSON.
template <class T>
std::string json_schema();

}  // namespace pipelined::protocol
