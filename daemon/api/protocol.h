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

#include "dag/result.h"
#include "daemon/api/protocol_basics.h"
#include "daemon/api/protocol_keeping.h"
#include "daemon/api/protocol_runs.h"

namespace pipelined::protocol {

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
  bool without_remedy = false;     ///< of accept: what the step proposes is given to nobody
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
  std::string other;               ///< a second artifact's digest, called `other`; empty: none
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
  std::string digest, type, pipeline, step, element, port;
  std::int64_t run = 0;                  ///< that made it; 0: it was delivered
  std::vector<std::int64_t> runs;        ///< that made it or reused it, newest first, at most 20
  std::vector<std::string> from;         ///< digests
  std::vector<std::string> delivered;    ///< paths at which it came, newest first, at most 10
};
struct Lineage {
  std::string digest;                    ///< the first of what was asked for
  std::vector<LineageNode> nodes;        ///< nearest first, beginning with what was asked for
  bool more = false;                     ///< there are more nodes than are told
};
/// How a column of two tables differs.
struct ColumnDifference {
  std::string column, type, other_type;  ///< types as SQL names them; empty: not there
  std::int64_t changed = 0;              ///< rows of the same key in which it differs
  std::string nulls, other_nulls, distinct, other_distinct;
  std::string mean, other_mean, lowest, other_lowest, highest, other_highest;
};
/// What differs between two tables; `other` is the second.
struct ArtifactDiff {
  std::string digest, other;
  std::vector<std::string> key;          ///< columns that name a row; empty: rows are compared whole
  std::int64_t rows = 0, other_rows = 0;
  std::int64_t added = 0, removed = 0, changed = 0, same = 0;
  bool columns_differ = false;
  std::vector<ColumnDifference> columns; ///< of both, in the first's order
  std::vector<TableRow> examples;        ///< "added", "removed" or "changed", then the key
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
