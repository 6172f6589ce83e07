// What travels about runs, their steps, their history and their replay: a part of protocol.h.
//
// Plain structs like the others there, with the same readers and writers.  Knows nothing of HTTP,
// sockets or the engine.
#pragma once

#include <map>

#include "daemon/api/protocol_basics.h"

namespace pipelined::protocol {

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
                                   ///< accept_without_remedy, reject, cancel, retry, span_drop or span_restore
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
  bool halt = false, accepted = false, without_remedy = false;
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

}  // namespace pipelined::protocol
