// The fields of what travels about runs: a part of protocol_fields.h, included by it alone.
//
// Private to the codec.  Knows no more than the structs.
#pragma once

#include "daemon/api/protocol_redo.h"
#include "daemon/api/protocol_runs.h"
#include "daemon/api/protocol_versions.h"

namespace pipelined::protocol {

template <class V>
void fields(V& visit, BackfillRequest& x) {
  visit("pipeline", x.pipeline), visit("source", x.source), visit("spans", x.spans);
  visit("reprocess", x.reprocess), visit("order", x.order), visit("chunk", x.chunk);
  visit("max_active", x.max_active), visit("params", x.params), visit("force", x.force);
  visit("select", x.select), visit("why", x.why);
}
template <class V>
void fields(V& visit, PlannedSpan& x) {
  visit("span", x.span), visit("state", x.state), visit("runs", x.runs), visit("why", x.why);
  visit("steps_to_run", x.steps_to_run), visit("steps_to_reuse", x.steps_to_reuse);
}
template <class V>
void fields(V& visit, BackfillPlan& x) {
  visit("pipeline", x.pipeline), visit("spans", x.spans);
}
template <class V>
void fields(V& visit, Backfill& x) {
  visit("id", x.id), visit("pipeline", x.pipeline), visit("source", x.source);
  visit("asked", x.asked), visit("reprocess", x.reprocess), visit("order", x.order);
  visit("state", x.state), visit("chunk", x.chunk), visit("max_active", x.max_active);
  visit("spans", x.spans), visit("begun", x.begun), visit("who", x.who), visit("why", x.why);
  visit("created_at", x.created_at), visit("ended_at", x.ended_at);
}
template <class V>
void fields(V& visit, BackfillList& x) {
  visit("backfills", x.backfills);
}
template <class V>
void fields(V& visit, InvalidateRequest& x) {
  visit("key", x.key), visit("pipeline", x.pipeline), visit("step", x.step);
  visit("element", x.element), visit("below", x.below), visit("why", x.why);
}
template <class V>
void fields(V& visit, Dependent& x) {
  visit("result", x.result), visit("cause", x.cause), visit("pipeline", x.pipeline);
  visit("step", x.step), visit("element", x.element), visit("run", x.run);
  visit("artifact", x.artifact), visit("type", x.type);
}
template <class V>
void fields(V& visit, DependentList& x) {
  visit("results", x.results);
}
template <class V>
void fields(V& visit, StepRequest& x) {
  visit("step", x.step), visit("element", x.element), visit("kind", x.kind);
  visit("arguments", x.arguments), visit("state", x.state), visit("sentence", x.sentence);
  visit("at", x.at);
}
template <class V>
void fields(V& visit, RunSummary& x) {
  visit("number", x.number), visit("pipeline", x.pipeline), visit("version", x.version);
  visit("state", x.state), visit("who", x.who), visit("reason", x.reason);
  visit("end_reason", x.end_reason), visit("params", x.params);
  visit("created_at", x.created_at), visit("started_at", x.started_at);
  visit("ended_at", x.ended_at), visit("steps", x.steps);
  visit("values", x.values), visit("metrics", x.metrics);
}
template <class V>
void fields(V& visit, RunList& x) {
  visit("runs", x.runs);
}
template <class V>
void fields(V& visit, PortArtifact& x) {
  visit("port", x.port), visit("position", x.position), visit("digest", x.digest);
  visit("type", x.type), visit("size", x.size);
}
template <class V>
void fields(V& visit, Metric& x) {
  visit("name", x.name), visit("slice", x.slice), visit("value", x.value);
}
template <class V>
void fields(V& visit, Attempt& x) {
  visit("id", x.id), visit("number", x.number), visit("running", x.running);
  visit("outcome", x.outcome), visit("error", x.error), visit("machine_fault", x.machine_fault);
  visit("started_at", x.started_at), visit("ended_at", x.ended_at), visit("cpu_ms", x.cpu_ms);
  visit("memory_peak_bytes", x.memory_peak_bytes), visit("scratch_bytes", x.scratch_bytes);
  visit("failure_class", x.failure_class);
}
template <class V>
void fields(V& visit, Step& x) {
  visit("step", x.step), visit("element", x.element), visit("state", x.state);
  visit("operator", x.operator_id), visit("reason", x.reason), visit("key", x.key);
  visit("from_run", x.from_run), visit("tries", x.tries), visit("started_at", x.started_at);
  visit("ended_at", x.ended_at), visit("inputs", x.inputs), visit("outputs", x.outputs);
  visit("metrics", x.metrics), visit("notes", x.notes), visit("verdict", x.verdict);
  visit("attempts", x.attempts);
}
template <class V>
void fields(V& visit, RunSpanInfo& x) {
  visit("source", x.source), visit("span", x.span), visit("version", x.version);
  visit("left_out", x.left_out);
}
template <class V>
void fields(V& visit, RunDetail& x) {
  visit("run", x.run), visit("force", x.force), visit("select", x.select);
  visit("backfill", x.backfill), visit("requests", x.requests), visit("spans", x.spans);
  visit("steps_total", x.steps_total), visit("offset", x.offset), visit("steps", x.steps);
  visit("explanation", x.explanation), visit("ways_on", x.ways_on);
}
template <class V>
void fields(V& visit, StateTold& x) {
  visit("at", x.at), visit("state", x.state), visit("code", x.code), visit("sentence", x.sentence);
}
template <class V>
void fields(V& visit, StepExplanation& x) {
  visit("step", x.step), visit("element", x.element), visit("state", x.state);
  visit("sentences", x.sentences), visit("changes", x.changes);
  visit("history", x.history);
  visit("comparisons", x.comparisons), visit("ways_on", x.ways_on);
}
template <class V>
void fields(V& visit, Explanation& x) {
  visit("run", x.run), visit("pipeline", x.pipeline), visit("state", x.state);
  visit("sentences", x.sentences), visit("steps", x.steps);
}
template <class V>
void fields(V& visit, DiffLine& x) {
  visit("topic", x.topic), visit("step", x.step), visit("element", x.element);
  visit("name", x.name), visit("before", x.before), visit("after", x.after);
}
template <class V>
void fields(V& visit, RunDiff& x) {
  visit("first", x.first), visit("second", x.second), visit("lines", x.lines);
}
template <class V>
void fields(V& visit, HistoryLine& x) {
  visit("at", x.at), visit("rank", x.rank), visit("step", x.step), visit("element", x.element);
  visit("state", x.state), visit("code", x.code), visit("sentence", x.sentence);
}
template <class V>
void fields(V& visit, RunHistory& x) {
  visit("run", x.run), visit("lines", x.lines), visit("next", x.next);
}
template <class V>
void fields(V& visit, ReplayEvent& x) {
  visit("at", x.at), visit("kind", x.kind), visit("source", x.source), visit("span", x.span);
  visit("step", x.step), visit("element", x.element), visit("attempt", x.attempt);
  visit("outcome", x.outcome), visit("error", x.error), visit("who", x.who), visit("why", x.why);
  visit("retryable", x.retryable), visit("artifacts", x.artifacts), visit("metrics", x.metrics);
  visit("notes", x.notes);
}
template <class V>
void fields(V& visit, ReplayResult& x) {
  visit("id", x.id), visit("run", x.run), visit("key", x.key), visit("key_text", x.key_text);
  visit("step", x.step), visit("element", x.element), visit("verdict", x.verdict);
  visit("halt", x.halt), visit("accepted", x.accepted);
  visit("without_remedy", x.without_remedy), visit("outputs", x.outputs);
  visit("metrics", x.metrics), visit("notes", x.notes);
}
template <class V>
void fields(V& visit, ReplaySpan& x) {
  visit("source", x.source), visit("span", x.span), visit("version", x.version);
  visit("arrival", x.arrival), visit("fresh", x.fresh), visit("left_out", x.left_out);
  visit("digest", x.digest), visit("type", x.type), visit("size", x.size);
}
template <class V>
void fields(V& visit, ReplayResolution& x) {
  visit("scope", x.scope), visit("run", x.run), visit("port", x.port), visit("origin", x.origin);
  visit("digest", x.digest), visit("type", x.type), visit("size", x.size);
}
template <class V>
void fields(V& visit, ReplayStep& x) {
  visit("step", x.step), visit("element", x.element), visit("state", x.state);
}

template <class V>
void fields(V& visit, PipelineVersion& x) {
  visit("version", x.version), visit("applied_at", x.applied_at), visit("current", x.current);
  visit("folder", x.folder);
}
template <class V>
void fields(V& visit, PipelineVersionList& x) {
  visit("pipeline", x.pipeline), visit("versions", x.versions);
}
template <class V>
void fields(V& visit, PipelineDefinition& x) {
  visit("pipeline", x.pipeline), visit("version", x.version), visit("files", x.files);
  visit("file", x.file), visit("text", x.text), visit("binary", x.binary);
}
template <class V>
void fields(V& visit, FileDiff& x) {
  visit("name", x.name), visit("change", x.change), visit("text", x.text);
}
template <class V>
void fields(V& visit, PipelineDiff& x) {
  visit("pipeline", x.pipeline), visit("first", x.first), visit("second", x.second);
  visit("lines", x.lines), visit("files", x.files), visit("note", x.note);
}

}  // namespace pipelined::protocol
