// The rows that the engine puts, one statement a table.
#include "daemon/store/rows.h"
#include "daemon/store/store.h"
#include "daemon/store/store_state.h"

namespace pipelined {

void Store::put(const PipelineRow& row) {
  state_->note(row.seq);
  Database& database = *state_->database;
  if (row.current) {
    database.run("UPDATE pipelines SET current = 0 WHERE name = ?1 AND version <> ?2 AND current",
                 row.name, row.version);
  }
  database.run(
      "INSERT INTO pipelines (name, version, applied_at, folder, current, paused, seq) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (name, version) DO UPDATE SET "
      "applied_at = excluded.applied_at, folder = excluded.folder, current = excluded.current, "
      "paused = excluded.paused, seq = excluded.seq",
      row.name, row.version, row.applied_at, row.folder, row.current, row.paused, row.seq);
}

void Store::put(const ArrivalRow& row) {
  state_->note(row.seq);
  const std::int64_t artifact = state_->artifact_id(row.artifact, row.at);
  state_->database->run(
      "INSERT INTO arrivals (number, pipeline, source, span, version, artifact, path, at, run, seq) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (number) DO UPDATE SET "
      "pipeline = excluded.pipeline, source = excluded.source, span = excluded.span, "
      "version = excluded.version, artifact = excluded.artifact, path = excluded.path, "
      "at = excluded.at, run = excluded.run, seq = excluded.seq",
      row.number, row.pipeline, row.source, row.span, row.version, artifact, row.path, row.at,
      row.run, row.seq);
}

void Store::put(const SpanRow& row) {
  state_->note(row.seq);
  const std::int64_t artifact = state_->artifact_id(row.artifact, row.at);
  std::optional<Digest> definition;
  if (row.definition) definition = row.definition;
  state_->database->run(
      "INSERT INTO spans (pipeline, source, span, version, arrival, artifact, state, why, who, "
      "definition, run, succeeded_run, at, seq, approved_seq) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15) "
      "ON CONFLICT (pipeline, source, span, version) DO UPDATE SET arrival = excluded.arrival, "
      "artifact = excluded.artifact, state = excluded.state, why = excluded.why, "
      "who = excluded.who, definition = excluded.definition, run = excluded.run, "
      "succeeded_run = excluded.succeeded_run, at = excluded.at, seq = excluded.seq, "
      "approved_seq = excluded.approved_seq",
      row.pipeline, row.source, row.span, row.version, row.arrival, artifact, name_of(row.state),
      row.why, row.who, definition, row.run, row.succeeded_run, row.at, row.seq, row.approved_seq);
}

void Store::put(const RunRow& row) {
  state_->note(row.created_seq);
  state_->database->run(
      "INSERT INTO runs (number, pipeline, version, state, who, horizon, created_seq, created_at, "
      "started_at, ended_at, reason_code, reason, reason_details, end_code, end_reason, "
      "end_details, options, full_run) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, "
      "?13, ?14, ?15, ?16, ?17, ?18) ON CONFLICT (number) DO UPDATE SET "
      "pipeline = excluded.pipeline, version = excluded.version, state = excluded.state, "
      "who = excluded.who, horizon = excluded.horizon, created_seq = excluded.created_seq, "
      "created_at = excluded.created_at, started_at = excluded.started_at, "
      "ended_at = excluded.ended_at, reason_code = excluded.reason_code, "
      "reason = excluded.reason, reason_details = excluded.reason_details, "
      "end_code = excluded.end_code, end_reason = excluded.end_reason, "
      "end_details = excluded.end_details, options = excluded.options, "
      "full_run = excluded.full_run, counts = NULL",
      row.number, row.pipeline, row.version, name_of(row.state), row.who, row.horizon,
      row.created_seq, row.created_at, row.started_at, row.ended_at, row.reason.code,
      row.reason.sentence, details_text(row.reason.details), row.end_reason.code,
      row.end_reason.sentence, details_text(row.end_reason.details), options_text(row.options),
      row.options.full());
  const bool ended = row.state == RunState::failed || row.state == RunState::rejected ||
                     row.state == RunState::cancelled || row.state == RunState::succeeded;
  state_->run_facts[row.number] = {row.pipeline, row.options.full(), ended};
  if (ended) state_->to_count.insert(row.number);
  // The spans of a run may be thousands and hardly ever change: written only when they do.
  state_->database->run("INSERT INTO run_spans (run, spans) VALUES (?1, ?2) "
                        "ON CONFLICT (run) DO UPDATE SET spans = excluded.spans "
                        "WHERE spans <> excluded.spans", row.number, spans_text(row.spans));
}

// What a row said before stands behind it in `history`: no row and no index more a transition, and
// nothing at all for a step that ran once and succeeded, since its attempt tells when it ran.
void Store::put(const StepRow& row) {
  state_->note(row.seq);
  const RunFacts& facts = state_->facts_of(row.run);
  if (facts.ended) state_->to_count.insert(row.run);
  state_->database->run(
      "INSERT INTO steps (run, step, element, state, key, result, tries, faults, next_try_at, "
      "started_at, ended_at, seq, reason_code, reason, reason_details, pipeline, full_run, "
      "attempts, first_try_at, at, pass_over, first_call_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, "
      "?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22) "
      "ON CONFLICT (run, step, element) DO UPDATE SET state = excluded.state, key = excluded.key, "
      "result = excluded.result, tries = excluded.tries, faults = excluded.faults, "
      "next_try_at = excluded.next_try_at, started_at = excluded.started_at, "
      "ended_at = excluded.ended_at, seq = excluded.seq, reason_code = excluded.reason_code, "
      "reason = excluded.reason, reason_details = excluded.reason_details, "
      "pipeline = excluded.pipeline, full_run = excluded.full_run, attempts = excluded.attempts, "
      "first_try_at = excluded.first_try_at, at = excluded.at, "
      "pass_over = excluded.pass_over, first_call_at = excluded.first_call_at, "
      "history = CASE WHEN steps.state = 'running' AND steps.reason = "
      "excluded.reason THEN steps.history ELSE substr(coalesce(steps.history, '') || steps.at || "
      "char(31) || steps.state || char(31) || steps.reason_code || char(31) || steps.reason || "
      "char(30), -16384) END",
      row.run, row.step, row.element, name_of(row.state), row.key, row.result, row.tries,
      row.faults, row.next_try_at, row.started_at, row.ended_at, row.seq, row.reason.code,
      row.reason.sentence, details_text(row.reason.details), facts.pipeline, facts.full,
      row.attempts, row.first_try_at, row.at, row.pass_over, row.first_call_at);
}

void Store::put(const AttemptRow& row) {
  CHECK(state_->in_turn);
  state_->database->run(
      "INSERT INTO attempts (id, run, step, element, number, fence, running, outcome, "
      "machine_fault, error, queued_at, started_at, ended_at, cpu_ms, memory_peak_bytes, "
      "scratch_bytes, failure_class) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) "
      "ON CONFLICT (id) DO UPDATE SET run = excluded.run, step = excluded.step, "
      "element = excluded.element, number = excluded.number, fence = excluded.fence, "
      "running = excluded.running, outcome = excluded.outcome, "
      "machine_fault = excluded.machine_fault, error = excluded.error, "
      "queued_at = excluded.queued_at, "
      "started_at = excluded.started_at, ended_at = excluded.ended_at, cpu_ms = excluded.cpu_ms, "
      "memory_peak_bytes = excluded.memory_peak_bytes, scratch_bytes = excluded.scratch_bytes, "
      "failure_class = excluded.failure_class",
      row.id, row.run, row.step, row.element, row.number, row.fence, row.running,
      name_of(row.outcome), row.machine_fault, row.error, row.queued_at, row.started_at,
      row.ended_at, row.cpu_ms, row.memory_peak_bytes, row.scratch_bytes, row.failure_class);
}

void Store::put(const ResultRow& row) {
  state_->note(row.seq);
  Database& database = *state_->database;
  const auto count = [](const auto& list) { return static_cast<std::int64_t>(list.size()); };
  database.run(
      "INSERT INTO results (id, key, halt, pipeline, run, step, element, attempt, verdict, "
      "started_at, ended_at, seq, bindings, metrics, notes, key_text) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)",
      row.id, row.key, row.halt, row.pipeline, row.run, row.step, row.element, row.attempt,
      row.verdict, row.started_at, row.ended_at, row.seq, count(row.inputs) + count(row.outputs),
      count(row.metrics), value_text(row.notes), row.key_text);
  for (const bool output : {false, true}) {
    std::int64_t ordinal = 0;
    for (const Binding& binding : output ? row.outputs : row.inputs) {
      const std::int64_t artifact = state_->artifact_id(binding.artifact, row.ended_at);
      database.run("INSERT INTO bindings (result, output, ordinal, port, position, artifact) "
                   "VALUES (?1, ?2, ?3, ?4, ?5, ?6)", row.id, output, ordinal++, binding.port,
                   binding.position, artifact);
    }
  }
  std::int64_t ordinal = 0;
  for (const MetricFact& metric : row.metrics) {
    database.run("INSERT INTO metrics (result, ordinal, name, slice, value) "
                 "VALUES (?1, ?2, ?3, ?4, ?5)", row.id, ordinal++, metric.name, metric.slice,
                 metric.value);
  }
}

void Store::put(const AcceptanceRow& row) {
  state_->note(row.seq);
  state_->database->run(
      "INSERT INTO acceptances (key, who, why, rejected, run, step, element, at, seq, evidence) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT (key) DO UPDATE SET "
      "who = excluded.who, why = excluded.why, rejected = excluded.rejected, run = excluded.run, "
      "step = excluded.step, element = excluded.element, at = excluded.at, seq = excluded.seq, "
      "evidence = excluded.evidence",
      row.key, row.who, row.why, row.rejected, row.run, row.step, row.element, row.at, row.seq,
      value_text(row.evidence));
}

void Store::put(const HoldRow& row) {
  state_->note(row.seq);
  state_->database->run(
      "INSERT INTO holds (kind, pipeline, run, step, element, who, why, at, until, active, "
      "ended_by, ended_at, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) "
      "ON CONFLICT (kind, pipeline, run, step, element) DO UPDATE SET who = excluded.who, "
      "why = excluded.why, at = excluded.at, until = excluded.until, active = excluded.active, "
      "ended_by = excluded.ended_by, ended_at = excluded.ended_at, seq = excluded.seq",
      row.kind, row.pipeline, row.run, row.step, row.element, row.who, row.why, row.at, row.until,
      row.active, row.ended_by, row.ended_at, row.seq);
}

void Store::put(const ResolutionRow& row) {
  state_->note(row.seq);
  constexpr const char* sql =
      "INSERT INTO resolutions (scope, run, port, position, artifact, origin, seq) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (scope, run) DO UPDATE SET "
      "port = excluded.port, position = excluded.position, artifact = excluded.artifact, "
      "origin = excluded.origin, seq = excluded.seq";
  if (!row.answer) {
    state_->database->run(sql, row.scope, row.run, nullptr, nullptr, nullptr, row.origin, row.seq);
    return;
  }
  const std::int64_t artifact = state_->artifact_id(row.answer->artifact, 0);
  state_->database->run(sql, row.scope, row.run, row.answer->port, row.answer->position, artifact,
                        row.origin, row.seq);
}

void Store::put(const AlertRow& row) {
  state_->note(row.seq);
  Database& database = *state_->database;
  database.run(
      "INSERT INTO alerts (id, pipeline, subject, severity, sentence, run, step, element, at, seq, "
      "evidence) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT (id) DO NOTHING",
      row.id, row.pipeline, row.subject, row.severity, row.sentence, row.run, row.step, row.element,
      row.at, row.seq, value_text(row.evidence));
  if (database.changes() == 0) return;
  if (state_->options.router) {
    for (const QueuedMessage& message : state_->options.router(row)) {
      state_->queue(row.id, message, row.at);
    }
    return;
  }
  for (const AlertSink& sink : state_->options.sinks) {
    state_->queue(row.id, {sink.name, "", "", 0}, row.at);
  }
}

void Store::put(const DecisionRow& row) {
  state_->note(row.seq);
  state_->database->run(
      "INSERT INTO decisions (kind, pipeline, subject, who, why, run, at, seq) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
      row.kind, row.pipeline, row.subject, row.who, row.why, row.run, row.at, row.seq);
}

void Store::mark_fired(const std::vector<std::int64_t>& arrivals, RunNumber run) {
  CHECK(state_->in_turn);
  for (const std::int64_t number : arrivals) {
    state_->database->run("UPDATE arrivals SET run = ?2 WHERE number = ?1", number, run);
  }
}

void Store::put_artifact(const Manifest& manifest) {
  CHECK(state_->in_turn);
  const std::string text = manifest.text();
  state_->database->run(
      "INSERT INTO artifacts (digest, type, size, files, created_at, manifest) "
      "VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT (digest) DO UPDATE SET files = excluded.files, "
      "manifest = excluded.manifest, tombstone_at = NULL, corrupt_at = NULL",
      sha256(text), manifest.type, manifest.size(),
      static_cast<std::int64_t>(manifest.files.size()), text);
}

}  // namespace pipelined
