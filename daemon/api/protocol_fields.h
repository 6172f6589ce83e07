// The list of fields of every struct of the protocol, once.
//
// `fields(visitor, value)` calls `visitor(name, member)` for each field in order; reader, writer and
// schema (protocol_json.cc) are visitors.  Private to the codec: nobody else includes this header.
// Adding a field here and in protocol.h is all that a new field needs.
#pragma once

#include "daemon/api/protocol.h"
#include "daemon/api/protocol_fields_models.h"
#include "daemon/api/protocol_fields_runs.h"

namespace pipelined {

template <class V>
void fields(V& visit, ReasonDetail& x) {
  visit("name", x.name), visit("before", x.before), visit("after", x.after);
}

}  // namespace pipelined

namespace pipelined::protocol {

template <class V>
void fields(V& visit, Failure& x) {
  visit("code", x.code), visit("message", x.message);
}
template <class V>
void fields(V& visit, FailureReply& x) {
  visit("error", x.error);
}
template <class V>
void fields(V& visit, Done& x) {
  visit("run", x.run), visit("sentence", x.sentence);
}
template <class V>
void fields(V& visit, Finding& x) {
  visit("file", x.file), visit("line", x.line), visit("column", x.column);
  visit("message", x.message), visit("warning", x.warning);
}
template <class V>
void fields(V& visit, Upload& x) {
  visit("folder", x.folder), visit("file", x.file);
  visit("files", x.files), visit("binary", x.binary);
}
template <class V>
void fields(V& visit, CheckReply& x) {
  visit("ok", x.ok), visit("findings", x.findings);
}
template <class V>
void fields(V& visit, ApplyReply& x) {
  visit("ok", x.ok), visit("changed", x.changed), visit("pipeline", x.pipeline);
  visit("version", x.version), visit("sentence", x.sentence), visit("findings", x.findings);
}
template <class V>
void fields(V& visit, RunRequest& x) {
  visit("pipeline", x.pipeline), visit("params", x.params), visit("force", x.force);
  visit("select", x.select), visit("refresh", x.refresh), visit("revalidate", x.revalidate);
}
template <class V>
void fields(V& visit, Why& x) {
  visit("code", x.code), visit("sentence", x.sentence), visit("details", x.details);
}
template <class V>
void fields(V& visit, Planned& x) {
  visit("step", x.step), visit("element", x.element), visit("verdict", x.verdict);
  visit("reason", x.reason);
}
template <class V>
void fields(V& visit, PlanReply& x) {
  visit("pipeline", x.pipeline), visit("steps", x.steps);
}
template <class V>
void fields(V& visit, Freshness& x) {
  visit("step", x.step), visit("behind", x.behind), visit("first_behind", x.first_behind);
  visit("since", x.since), visit("run", x.run), visit("made_at", x.made_at);
}
template <class V>
void fields(V& visit, FreshnessReply& x) {
  visit("pipeline", x.pipeline), visit("steps", x.steps);
}
template <class V>
void fields(V& visit, StepUse& x) {
  visit("step", x.step), visit("attempts", x.attempts);
  visit("memory_peak_bytes", x.memory_peak_bytes);
  visit("scratch_peak_bytes", x.scratch_peak_bytes);
  visit("out_of_memory", x.out_of_memory), visit("out_of_scratch", x.out_of_scratch);
  visit("cpus_most", x.cpus_most), visit("suggestions", x.suggestions);
}
template <class V>
void fields(V& visit, UseList& x) {
  visit("pipeline", x.pipeline), visit("steps", x.steps);
}
template <class V>
void fields(V& visit, Decision& x) {
  visit("step", x.step), visit("element", x.element), visit("pipeline", x.pipeline);
  visit("source", x.source), visit("span", x.span), visit("why", x.why);
  visit("steps", x.steps), visit("select", x.select);
  visit("without_remedy", x.without_remedy);
}
template <class V>
void fields(V& visit, PauseWish& x) {
  visit("hold_steps", x.hold_steps), visit("why", x.why);
}
template <class V>
void fields(V& visit, HoldWish& x) {
  visit("pipeline", x.pipeline), visit("run", x.run), visit("step", x.step);
  visit("element", x.element), visit("why", x.why), visit("until", x.until);
}
template <class V>
void fields(V& visit, Hold& x) {
  visit("kind", x.kind), visit("pipeline", x.pipeline), visit("run", x.run);
  visit("step", x.step), visit("element", x.element), visit("who", x.who), visit("why", x.why);
  visit("at", x.at), visit("until", x.until);
}
template <class V>
void fields(V& visit, HoldList& x) {
  visit("holds", x.holds);
}
template <class V>
void fields(V& visit, PipelineInfo& x) {
  visit("name", x.name), visit("version", x.version), visit("folder", x.folder);
  visit("description", x.description), visit("owner", x.owner), visit("applied_at", x.applied_at);
  visit("paused", x.paused), visit("last_run", x.last_run), visit("last_state", x.last_state);
  visit("spans", x.spans);
}
template <class V>
void fields(V& visit, PipelineList& x) {
  visit("pipelines", x.pipelines);
}
template <class V>
void fields(V& visit, Status& x) {
  visit("protocol", x.protocol), visit("daemon", x.daemon), visit("started_at", x.started_at);
  visit("ready", x.ready), visit("read_only", x.read_only);
  visit("live_attempts", x.live_attempts), visit("outbox_waiting", x.outbox_waiting);
  visit("alerts", x.alerts), visit("open_runs", x.open_runs), visit("pipelines", x.pipelines);
}
template <class V>
void fields(V& visit, Span& x) {
  visit("pipeline", x.pipeline), visit("source", x.source), visit("span", x.span);
  visit("version", x.version), visit("state", x.state), visit("why", x.why), visit("who", x.who);
  visit("digest", x.digest), visit("run", x.run), visit("at", x.at);
}
template <class V>
void fields(V& visit, SpanList& x) {
  visit("spans", x.spans);
}
template <class V>
void fields(V& visit, ArtifactInfo& x) {
  visit("digest", x.digest), visit("type", x.type), visit("size", x.size);
  visit("pipeline", x.pipeline), visit("step", x.step), visit("element", x.element);
  visit("port", x.port), visit("run", x.run), visit("at", x.at);
}
template <class V>
void fields(V& visit, ArtifactList& x) {
  visit("artifacts", x.artifacts);
}
template <class V>
void fields(V& visit, FileInfo& x) {
  visit("path", x.path), visit("digest", x.digest), visit("size", x.size), visit("exec", x.exec);
}
template <class V>
void fields(V& visit, ArtifactDetail& x) {
  visit("digest", x.digest), visit("type", x.type), visit("size", x.size);
  visit("files", x.files), visit("bindings", x.bindings);
}
template <class V>
void fields(V& visit, QueryRequest& x) {
  visit("query", x.query), visit("other", x.other), visit("rows", x.rows);
}
template <class V>
void fields(V& visit, TableRow& x) {
  visit("cells", x.cells);
}
template <class V>
void fields(V& visit, TableReply& x) {
  visit("columns", x.columns), visit("rows", x.rows), visit("more", x.more);
}
template <class V>
void fields(V& visit, TryRequest& x) {
  visit("folder", x.folder), visit("file", x.file), visit("files", x.files);
  visit("binary", x.binary), visit("step", x.step), visit("element", x.element);
  visit("sample", x.sample), visit("params", x.params);
}
template <class V>
void fields(V& visit, TriedFile& x) {
  visit("port", x.port), visit("path", x.path), visit("size", x.size), visit("text", x.text);
}
template <class V>
void fields(V& visit, TryReply& x) {
  visit("ok", x.ok), visit("findings", x.findings), visit("step", x.step);
  visit("element", x.element), visit("outcome", x.outcome), visit("error", x.error);
  visit("from_run", x.from_run), visit("took_ms", x.took_ms), visit("cpu_ms", x.cpu_ms);
  visit("memory_peak_bytes", x.memory_peak_bytes), visit("inputs", x.inputs);
  visit("outputs", x.outputs), visit("metrics", x.metrics), visit("notes", x.notes);
  visit("log", x.log);
}
template <class V>
void fields(V& visit, LineageNode& x) {
  visit("digest", x.digest), visit("type", x.type), visit("pipeline", x.pipeline);
  visit("step", x.step), visit("element", x.element), visit("port", x.port), visit("run", x.run);
  visit("runs", x.runs), visit("from", x.from), visit("delivered", x.delivered);
}
template <class V>
void fields(V& visit, Lineage& x) {
  visit("digest", x.digest), visit("nodes", x.nodes), visit("more", x.more);
}
template <class V>
void fields(V& visit, ColumnDifference& x) {
  visit("column", x.column), visit("type", x.type), visit("other_type", x.other_type);
  visit("changed", x.changed), visit("nulls", x.nulls), visit("other_nulls", x.other_nulls);
  visit("distinct", x.distinct), visit("other_distinct", x.other_distinct);
  visit("mean", x.mean), visit("other_mean", x.other_mean), visit("lowest", x.lowest);
  visit("other_lowest", x.other_lowest), visit("highest", x.highest);
  visit("other_highest", x.other_highest);
}
template <class V>
void fields(V& visit, ArtifactDiff& x) {
  visit("digest", x.digest), visit("other", x.other), visit("key", x.key), visit("rows", x.rows);
  visit("other_rows", x.other_rows), visit("added", x.added), visit("removed", x.removed);
  visit("changed", x.changed), visit("same", x.same), visit("columns_differ", x.columns_differ);
  visit("columns", x.columns), visit("examples", x.examples);
}
template <class V>
void fields(V& visit, Alert& x) {
  visit("id", x.id), visit("pipeline", x.pipeline), visit("subject", x.subject);
  visit("severity", x.severity), visit("sentence", x.sentence), visit("run", x.run);
  visit("step", x.step), visit("element", x.element), visit("evidence", x.evidence);
  visit("at", x.at);
}
template <class V>
void fields(V& visit, AlertList& x) {
  visit("alerts", x.alerts);
}
template <class V>
void fields(V& visit, Source& x) {
  visit("pipeline", x.pipeline), visit("source", x.source), visit("kind", x.kind);
  visit("folder", x.folder), visit("pattern", x.pattern), visit("trouble", x.trouble);
  visit("settling", x.settling), visit("arrivals", x.arrivals);
  visit("newest_span", x.newest_span), visit("newest_at", x.newest_at);
}
template <class V>
void fields(V& visit, SourceList& x) {
  visit("sources", x.sources);
}
template <class V>
void fields(V& visit, Port& x) {
  visit("name", x.name), visit("type", x.type), visit("many", x.many);
  visit("optional", x.optional), visit("evidence", x.evidence), visit("pass", x.pass);
  visit("doc", x.doc);
}
template <class V>
void fields(V& visit, Param& x) {
  visit("name", x.name), visit("kind", x.kind), visit("default", x.default_value);
  visit("required", x.required), visit("choices", x.choices), visit("min", x.min);
  visit("max", x.max), visit("doc", x.doc);
}
template <class V>
void fields(V& visit, Operator& x) {
  visit("id", x.id), visit("behaviour", x.behaviour), visit("summary", x.summary);
  visit("doc", x.doc), visit("plugin", x.plugin), visit("inputs", x.inputs);
  visit("outputs", x.outputs), visit("params", x.params), visit("libraries", x.libraries);
  visit("effect", x.effect), visit("network", x.network), visit("open_inputs", x.open_inputs);
  visit("open_outputs", x.open_outputs), visit("cacheable", x.cacheable);
  visit("build", x.build), visit("cpus", x.cpus);
}
template <class V>
void fields(V& visit, RunEvents& x) {
  visit("format", x.format), visit("run", x.run), visit("horizon", x.horizon);
  visit("pipeline", x.pipeline), visit("version", x.version), visit("folder", x.folder);
  visit("state", x.state), visit("params", x.params), visit("force", x.force);
  visit("select", x.select), visit("files", x.files), visit("binary", x.binary);
  visit("operators", x.operators), visit("spans", x.spans), visit("results", x.results);
  visit("resolutions", x.resolutions), visit("events", x.events), visit("steps", x.steps);
}
template <class V>
void fields(V& visit, OperatorList& x) {
  visit("operators", x.operators), visit("problems", x.problems);
}
template <class V>
void fields(V& visit, Review& x) {
  visit("run", x.run), visit("pipeline", x.pipeline), visit("step", x.step);
  visit("element", x.element), visit("kind", x.kind), visit("sentence", x.sentence);
  visit("since", x.since);
}
template <class V>
void fields(V& visit, ReviewList& x) {
  visit("reviews", x.reviews);
}
template <class V>
void fields(V& visit, Fact& x) {
  visit("name", x.name), visit("level", x.level), visit("value", x.value);
  visit("advice", x.advice);
}
template <class V>
void fields(V& visit, DoctorReply& x) {
  visit("facts", x.facts);
}
template <class V>
void fields(V& visit, Token& x) {
  visit("name", x.name), visit("role", x.role), visit("text", x.text), visit("state", x.state);
  visit("created_at", x.created_at), visit("expires_at", x.expires_at);
  visit("revoked_at", x.revoked_at), visit("created_by", x.created_by);
  visit("revoked_by", x.revoked_by);
}
template <class V>
void fields(V& visit, TokenList& x) {
  visit("tokens", x.tokens);
}
template <class V>
void fields(V& visit, TokenRequest& x) {
  visit("name", x.name), visit("role", x.role), visit("expires_in_ms", x.expires_in_ms);
}
template <class V>
void fields(V& visit, AuditLine& x) {
  visit("number", x.number), visit("at", x.at), visit("who", x.who), visit("role", x.role);
  visit("from", x.from), visit("action", x.action), visit("subject", x.subject);
  visit("outcome", x.outcome), visit("body", x.body), visit("digest", x.digest);
}
template <class V>
void fields(V& visit, AuditLog& x) {
  visit("lines", x.lines);
}
template <class V>
void fields(V& visit, AuditVerdict& x) {
  visit("whole", x.whole), visit("lines", x.lines), visit("head", x.head);
  visit("problems", x.problems);
}
template <class V>
void fields(V& visit, ReloadReply& x) {
  visit("changed", x.changed), visit("needs_restart", x.needs_restart);
  visit("plugins", x.plugins), visit("problems", x.problems);
}
template <class V>
void fields(V& visit, JobRequest& x) {
  visit("deep", x.deep), visit("dry_run", x.dry_run), visit("folder", x.folder);
  visit("secrets", x.secrets);
}
template <class V>
void fields(V& visit, JobRow& x) {
  visit("name", x.name), visit("about", x.about), visit("verdict", x.verdict);
  visit("sentence", x.sentence), visit("checked", x.checked), visit("found", x.found);
  visit("bytes", x.bytes), visit("findings", x.findings), visit("runs", x.runs);
}
template <class V>
void fields(V& visit, JobInfo& x) {
  visit("job", x.job), visit("kind", x.kind), visit("state", x.state), visit("error", x.error);
  visit("progress", x.progress), visit("started_at", x.started_at);
  visit("ended_at", x.ended_at), visit("ok", x.ok), visit("rows", x.rows);
}
template <class V>
void fields(V& visit, PinRequest& x) {
  visit("kind", x.kind), visit("subject", x.subject), visit("why", x.why);
}
template <class V>
void fields(V& visit, PinInfo& x) {
  visit("kind", x.kind), visit("subject", x.subject), visit("who", x.who);
  visit("why", x.why), visit("at", x.at);
}
template <class V>
void fields(V& visit, PinList& x) {
  visit("pins", x.pins);
}
template <class V>
void fields(V& visit, Change& x) {
  visit("kind", x.kind), visit("pipeline", x.pipeline), visit("run", x.run);
  visit("state", x.state), visit("sentence", x.sentence);
}

}  // namespace pipelined::protocol
