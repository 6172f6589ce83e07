#include "daemon/store/schema.h"

#include <iterator>
#include <string>

#include "daemon/store/old_copy.h"

namespace pipelined {
namespace {

// The order of columns is the order in which rows.cc reads them.  `full_run` and `pipeline` repeat
// what the run says, so that a step's history is one range of one index.
constexpr const char* version_1 = R"sql(
CREATE TABLE meta (
  key TEXT PRIMARY KEY, value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE counters (
  name TEXT PRIMARY KEY, value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO counters VALUES ('seq', 0);

CREATE TABLE artifacts (
  id INTEGER PRIMARY KEY,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  type TEXT NOT NULL, size INTEGER NOT NULL, files INTEGER NOT NULL,
  created_at INTEGER NOT NULL, tombstone_at INTEGER,
  manifest TEXT
) STRICT;
CREATE INDEX artifacts_by_type ON artifacts (type, id);

CREATE TABLE pipelines (
  name TEXT NOT NULL, version BLOB NOT NULL CHECK (length(version) = 32),
  applied_at INTEGER NOT NULL, folder TEXT NOT NULL,
  current INTEGER NOT NULL CHECK (current IN (0, 1)),
  paused INTEGER NOT NULL CHECK (paused IN (0, 1)),
  seq INTEGER NOT NULL,
  PRIMARY KEY (name, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE arrivals (
  number INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL, source TEXT NOT NULL, span TEXT NOT NULL, version INTEGER NOT NULL,
  artifact INTEGER NOT NULL REFERENCES artifacts (id),
  path TEXT NOT NULL, at INTEGER NOT NULL, run INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE INDEX arrivals_unfired ON arrivals (number) WHERE run = 0;
CREATE INDEX arrivals_by_source ON arrivals (pipeline, source, number);
CREATE INDEX arrivals_by_artifact ON arrivals (artifact);

CREATE TABLE spans (
  pipeline TEXT NOT NULL, source TEXT NOT NULL, span TEXT NOT NULL, version INTEGER NOT NULL,
  arrival INTEGER NOT NULL, artifact INTEGER NOT NULL REFERENCES artifacts (id),
  state TEXT NOT NULL
    CHECK (state IN ('open', 'accepted', 'halted', 'failed', 'rejected', 'dropped')),
  why TEXT NOT NULL, who TEXT NOT NULL, definition BLOB CHECK (length(definition) = 32),
  run INTEGER NOT NULL, succeeded_run INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (pipeline, source, span, version)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  number INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL, version BLOB NOT NULL CHECK (length(version) = 32),
  state TEXT NOT NULL CHECK (state IN ('queued', 'running', 'failed', 'rejected', 'halted',
                                       'in_review', 'cancelled', 'succeeded')),
  who TEXT NOT NULL, horizon INTEGER NOT NULL, created_seq INTEGER NOT NULL,
  created_at INTEGER NOT NULL, started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
  reason_code TEXT NOT NULL, reason TEXT NOT NULL, reason_details TEXT,
  end_code TEXT NOT NULL, end_reason TEXT NOT NULL, end_details TEXT,
  options TEXT, full_run INTEGER NOT NULL CHECK (full_run IN (0, 1)),
  counts TEXT
) STRICT;
CREATE INDEX runs_open ON runs (number)
  WHERE state IN ('queued', 'running', 'halted', 'in_review');
CREATE INDEX runs_by_pipeline ON runs (pipeline, number);
CREATE INDEX runs_by_state ON runs (state, number);

CREATE TABLE run_spans (
  run INTEGER PRIMARY KEY REFERENCES runs (number) DEFERRABLE INITIALLY DEFERRED,
  spans TEXT NOT NULL
) STRICT;

CREATE TABLE steps (
  run INTEGER NOT NULL REFERENCES runs (number) DEFERRABLE INITIALLY DEFERRED,
  step TEXT NOT NULL, element TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('waiting', 'ready', 'running', 'succeeded', 'cached',
    'failed', 'halted', 'in_review', 'rejected', 'cancelled', 'skipped', 'blocked')),
  key BLOB CHECK (length(key) = 32), result INTEGER NOT NULL,
  tries INTEGER NOT NULL, faults INTEGER NOT NULL, attempts INTEGER NOT NULL,
  next_try_at INTEGER NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, seq INTEGER NOT NULL,
  reason_code TEXT NOT NULL, reason TEXT NOT NULL, reason_details TEXT,
  pipeline TEXT NOT NULL, full_run INTEGER NOT NULL,
  PRIMARY KEY (run, step, element)
) STRICT, WITHOUT ROWID;
CREATE INDEX steps_finished ON steps (pipeline, step, element, run, full_run, seq)
  WHERE state IN ('succeeded', 'cached');
CREATE INDEX steps_failed ON steps (pipeline, step, element, seq) WHERE state = 'failed';

CREATE TABLE attempts (
  id TEXT PRIMARY KEY,
  run INTEGER NOT NULL REFERENCES runs (number) DEFERRABLE INITIALLY DEFERRED,
  step TEXT NOT NULL, element TEXT NOT NULL, number INTEGER NOT NULL, fence TEXT NOT NULL,
  running INTEGER NOT NULL CHECK (running IN (0, 1)),
  outcome TEXT NOT NULL CHECK (outcome IN ('ok', 'more', 'halt', 'invalid', 'failed', 'retry',
                                           'cancelled', 'unsupported')),
  machine_fault INTEGER NOT NULL, error TEXT NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL,
  cpu_ms INTEGER NOT NULL, memory_peak_bytes INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX attempts_by_step ON attempts (run, step, element, number);

CREATE TABLE results (
  id INTEGER PRIMARY KEY,
  key BLOB CHECK (length(key) = 32), halt INTEGER NOT NULL CHECK (halt IN (0, 1)),
  pipeline TEXT NOT NULL, run INTEGER NOT NULL, step TEXT NOT NULL, element TEXT NOT NULL,
  attempt TEXT NOT NULL, verdict TEXT NOT NULL,
  started_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, seq INTEGER NOT NULL,
  bindings INTEGER NOT NULL, metrics INTEGER NOT NULL,
  notes TEXT, key_text TEXT NOT NULL
) STRICT;
CREATE INDEX results_by_key ON results (key, seq) WHERE key IS NOT NULL;
CREATE INDEX results_by_step ON results (pipeline, step, element, seq) WHERE key IS NOT NULL;

CREATE TABLE bindings (
  result INTEGER NOT NULL, output INTEGER NOT NULL CHECK (output IN (0, 1)),
  ordinal INTEGER NOT NULL, port TEXT NOT NULL, position INTEGER NOT NULL,
  artifact INTEGER NOT NULL REFERENCES artifacts (id),
  PRIMARY KEY (result, output, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX bindings_by_artifact ON bindings (artifact, output);

CREATE TABLE metrics (
  result INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  name TEXT NOT NULL, slice TEXT NOT NULL, value REAL,
  PRIMARY KEY (result, ordinal)
) STRICT, WITHOUT ROWID;

CREATE TABLE acceptances (
  key BLOB PRIMARY KEY CHECK (length(key) = 32),
  who TEXT NOT NULL, why TEXT NOT NULL, rejected INTEGER NOT NULL CHECK (rejected IN (0, 1)),
  run INTEGER NOT NULL, step TEXT NOT NULL, element TEXT NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE resolutions (
  scope BLOB NOT NULL CHECK (length(scope) = 32), run INTEGER NOT NULL,
  port TEXT, position INTEGER, artifact INTEGER REFERENCES artifacts (id),
  origin TEXT NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (scope, run)
) STRICT, WITHOUT ROWID;

CREATE TABLE alerts (
  id TEXT PRIMARY KEY,
  pipeline TEXT NOT NULL, subject TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('error', 'warning', 'info')),
  sentence TEXT NOT NULL, run INTEGER NOT NULL, step TEXT NOT NULL, element TEXT NOT NULL,
  at INTEGER NOT NULL, seq INTEGER NOT NULL, evidence TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX alerts_by_seq ON alerts (seq);
CREATE INDEX alerts_by_subject ON alerts (pipeline, subject, seq);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  alert TEXT NOT NULL REFERENCES alerts (id),
  sink TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'done', 'given_up')),
  tries INTEGER NOT NULL, not_before INTEGER NOT NULL, updated_at INTEGER NOT NULL,
  error TEXT NOT NULL,
  UNIQUE (alert, sink)
) STRICT;
CREATE INDEX outbox_open ON outbox (state, not_before) WHERE state IN ('pending', 'claimed');

CREATE TABLE decisions (
  id INTEGER PRIMARY KEY,
  kind TEXT NOT NULL, pipeline TEXT NOT NULL, subject TEXT NOT NULL,
  who TEXT NOT NULL, why TEXT NOT NULL, run INTEGER NOT NULL,
  at INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE INDEX decisions_by_run ON decisions (run, id);
)sql";

// Tables and columns since version 1.  Each topic adds its own paragraph.
constexpr const char* version_2 = R"sql(
-- Keeping the store: what must stay, what was found wrong, what was seen without a use once.
CREATE TABLE pins (
  kind TEXT NOT NULL CHECK (kind IN ('artifact', 'run')), subject TEXT NOT NULL,
  who TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL,
  PRIMARY KEY (kind, subject)
) STRICT, WITHOUT ROWID;
CREATE TABLE unused_objects (
  name TEXT PRIMARY KEY, since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
ALTER TABLE artifacts ADD COLUMN corrupt_at INTEGER;
CREATE INDEX artifacts_corrupt ON artifacts (id) WHERE corrupt_at IS NOT NULL;
-- What attempts used, and which kind of failure they came to.
ALTER TABLE attempts ADD COLUMN scratch_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE attempts ADD COLUMN failure_class TEXT NOT NULL DEFAULT '';
-- Policies of steps: what retry.max_time counts from.
ALTER TABLE steps ADD COLUMN first_try_at INTEGER NOT NULL DEFAULT 0;

-- Who may come over the port, and who did what: a log that grows at its end alone.
CREATE TABLE tokens (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
  role TEXT NOT NULL CHECK (role IN ('viewer', 'operator', 'reviewer', 'admin')),
  created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL,
  created_by TEXT NOT NULL, revoked_by TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX tokens_in_use ON tokens (name) WHERE revoked_at = 0;
CREATE TABLE audit (
  number INTEGER PRIMARY KEY, at INTEGER NOT NULL,
  who TEXT NOT NULL, role TEXT NOT NULL, origin TEXT NOT NULL,
  action TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL,
  body BLOB CHECK (length(body) = 32),
  previous BLOB NOT NULL CHECK (length(previous) = 32),
  digest BLOB NOT NULL CHECK (length(digest) = 32)
) STRICT;
CREATE TRIGGER audit_never_changes BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit log is never changed'); END;
-- Messages of several alerts, and sinks that are told at most once.
ALTER TABLE outbox ADD COLUMN message_group TEXT NOT NULL DEFAULT '';
ALTER TABLE outbox ADD COLUMN message INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN once INTEGER NOT NULL DEFAULT 0;
CREATE INDEX outbox_by_message ON outbox (message) WHERE message <> 0;
CREATE TRIGGER audit_never_shrinks BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'nothing is taken out of the audit log'); END;
-- What is held, what a review looked at, and arrivals that wait for a review.
CREATE TABLE holds (
  kind TEXT NOT NULL CHECK (kind IN ('hold', 'pause')), pipeline TEXT NOT NULL,
  run INTEGER NOT NULL, step TEXT NOT NULL, element TEXT NOT NULL,
  who TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL, until INTEGER NOT NULL,
  active INTEGER NOT NULL CHECK (active IN (0, 1)),
  ended_by TEXT NOT NULL, ended_at INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (kind, pipeline, run, step, element)
) STRICT, WITHOUT ROWID;
CREATE INDEX holds_active ON holds (seq) WHERE active;
ALTER TABLE acceptances ADD COLUMN evidence TEXT;
CREATE TABLE spans_gated (
  pipeline TEXT NOT NULL, source TEXT NOT NULL, span TEXT NOT NULL, version INTEGER NOT NULL,
  arrival INTEGER NOT NULL, artifact INTEGER NOT NULL REFERENCES artifacts (id),
  state TEXT NOT NULL
    CHECK (state IN ('open', 'accepted', 'halted', 'failed', 'rejected', 'dropped', 'in_review')),
  why TEXT NOT NULL, who TEXT NOT NULL, definition BLOB CHECK (length(definition) = 32),
  run INTEGER NOT NULL, succeeded_run INTEGER NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL,
  approved_seq INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (pipeline, source, span, version)
) STRICT, WITHOUT ROWID;
INSERT INTO spans_gated (pipeline, source, span, version, arrival, artifact, state, why, who,
                         definition, run, succeeded_run, at, seq)
  SELECT pipeline, source, span, version, arrival, artifact, state, why, who, definition, run,
         succeeded_run, at, seq FROM spans;
DROP TABLE spans;
ALTER TABLE spans_gated RENAME TO spans;
-- What triggers made of each thing that can fire them: at most once.
CREATE TABLE slots (
  pipeline TEXT NOT NULL, trigger TEXT NOT NULL, slot TEXT NOT NULL,
  outcome TEXT NOT NULL
    CHECK (outcome IN ('armed', 'fired', 'skipped', 'missed', 'came', 'late')),
  why TEXT NOT NULL, run INTEGER NOT NULL, due_at INTEGER NOT NULL, at INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (pipeline, trigger, slot)
) STRICT, WITHOUT ROWID;
-- How far query sources were read.
CREATE TABLE polls (
  pipeline TEXT NOT NULL, source TEXT NOT NULL, column_name TEXT NOT NULL,
  watermark TEXT NOT NULL, type TEXT NOT NULL,
  polls INTEGER NOT NULL, rows INTEGER NOT NULL, spans INTEGER NOT NULL,
  failures INTEGER NOT NULL, sentence TEXT NOT NULL, at INTEGER NOT NULL,
  failing_since INTEGER NOT NULL, alerted INTEGER NOT NULL CHECK (alerted IN (0, 1)),
  seq INTEGER NOT NULL,
  PRIMARY KEY (pipeline, source)
) STRICT, WITHOUT ROWID;
CREATE INDEX slots_by_time ON slots (pipeline, trigger, due_at);
CREATE INDEX decisions_by_subject ON decisions (pipeline, subject, kind, id);

-- Explaining: since when a step is as it is, how it was before, what stands in the way of a run.
ALTER TABLE steps ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN history TEXT;
ALTER TABLE attempts ADD COLUMN queued_at INTEGER NOT NULL DEFAULT 0;
DROP INDEX steps_failed;
CREATE INDEX steps_stuck ON steps (run, step, element)
  WHERE state IN ('failed', 'halted', 'in_review', 'rejected');

-- What is done again and what must not be used.
ALTER TABLE steps ADD COLUMN pass_over INTEGER NOT NULL DEFAULT 0;
-- What generates.time counts from.
ALTER TABLE steps ADD COLUMN first_call_at INTEGER NOT NULL DEFAULT 0;
CREATE TABLE invalidations (
  result INTEGER PRIMARY KEY, key BLOB CHECK (length(key) = 32), cause INTEGER NOT NULL,
  who TEXT NOT NULL, why TEXT NOT NULL, at INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE INDEX invalidations_by_key ON invalidations (key, seq) WHERE key IS NOT NULL;
CREATE TABLE backfills (
  id INTEGER PRIMARY KEY,
  pipeline TEXT NOT NULL, source TEXT NOT NULL, asked TEXT NOT NULL,
  reprocess TEXT NOT NULL CHECK (reprocess IN ('none', 'failed', 'all')),
  sort TEXT NOT NULL CHECK (sort IN ('oldest', 'newest')),
  chunk INTEGER NOT NULL, max_active INTEGER NOT NULL, options TEXT, spans TEXT NOT NULL,
  begun INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('running', 'done', 'cancelled')),
  who TEXT NOT NULL, why TEXT NOT NULL,
  created_at INTEGER NOT NULL, ended_at INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE INDEX backfills_running ON backfills (id) WHERE state = 'running';
CREATE TABLE step_requests (
  result INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  pipeline TEXT NOT NULL, step TEXT NOT NULL, element TEXT NOT NULL, run INTEGER NOT NULL,
  kind TEXT NOT NULL, arguments TEXT,
  state TEXT NOT NULL CHECK (state IN ('done', 'refused')), sentence TEXT NOT NULL,
  at INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (result, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX step_requests_by_run ON step_requests (run);

-- Registered models: versions that never change, what they are made of, what was said of them.
CREATE TABLE model_versions (
  model TEXT NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL, patch INTEGER NOT NULL,
  content BLOB NOT NULL CHECK (length(content) = 32),
  reason_code TEXT NOT NULL, reason TEXT NOT NULL, reason_details TEXT,
  pipeline TEXT NOT NULL, step TEXT NOT NULL, run INTEGER NOT NULL, result INTEGER NOT NULL,
  at INTEGER NOT NULL, seq INTEGER NOT NULL, facts TEXT NOT NULL,
  PRIMARY KEY (model, major, minor, patch), UNIQUE (model, content)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER model_versions_never_change BEFORE UPDATE ON model_versions
  BEGIN SELECT RAISE(ABORT, 'a version of a model is never changed'); END;
CREATE TRIGGER model_versions_never_go BEFORE DELETE ON model_versions
  BEGIN SELECT RAISE(ABORT, 'a version of a model is never deleted'); END;
CREATE TABLE model_artifacts (
  model TEXT NOT NULL, major INTEGER NOT NULL, minor INTEGER NOT NULL, patch INTEGER NOT NULL,
  ordinal INTEGER NOT NULL, port TEXT NOT NULL, position INTEGER NOT NULL,
  artifact INTEGER NOT NULL REFERENCES artifacts (id),
  PRIMARY KEY (model, major, minor, patch, ordinal)
) STRICT, WITHOUT ROWID;
CREATE INDEX model_artifacts_by_artifact ON model_artifacts (artifact);
CREATE TABLE model_marks (
  id INTEGER PRIMARY KEY,
  model TEXT NOT NULL, kind TEXT NOT NULL
    CHECK (kind IN ('registered', 'again', 'alias', 'tag', 'note')),
  subject TEXT NOT NULL, name TEXT NOT NULL, before_value TEXT NOT NULL, value TEXT NOT NULL,
  rollback INTEGER NOT NULL CHECK (rollback IN (0, 1)),
  who TEXT NOT NULL, why TEXT NOT NULL, run INTEGER NOT NULL,
  at INTEGER NOT NULL, seq INTEGER NOT NULL
) STRICT;
CREATE INDEX model_marks_by_subject ON model_marks (model, kind, subject, id);
)sql";

/// The step that leads to version n + 1 stands at n.  The text of a version that was released is
/// never changed; what comes later goes into the next one.
constexpr const char* steps[] = {version_1, version_2};
static_assert(std::size(steps) == schema_version);

Result<int> version_of(Database& database) {
  Query query(database, "PRAGMA user_version");
  if (!query.next()) {
    const Error error = database.failure().value_or(
        Error{ErrorCode::corrupt, "reading the schema version of " + database.path()});
    database.clear_failure();
    return error;
  }
  return static_cast<int>(query.integer(0));
}

/// Takes the steps from version `found` on in one transaction.
Result<void> migrate(Database& database, int found) {
  std::string sql;
  for (int version = found; version < schema_version; ++version) sql += steps[version];
  sql += "PRAGMA user_version=" + std::to_string(schema_version) + ";COMMIT;";
  TRY_VOID(database.execute("BEGIN IMMEDIATE"));
  auto made = database.execute(sql);
  if (made) return {};
  if (database.in_transaction()) {
    const auto undone = database.execute("ROLLBACK");
    if (!undone) return made.error().within(undone.error().message);
  }
  return made;
}

}  // namespace

Result<void> bring_up_to_date(Database& database) {
  TRY(found, version_of(database));
  if (found == schema_version) return {};
  if (found > schema_version) {
    return Error{ErrorCode::unsupported,
                 "opening the records in " + database.path() + ": they have schema version " +
                     std::to_string(found) + ", this program knows up to " +
                     std::to_string(schema_version) +
                     "; start the newer pipelined that wrote them, or restore a backup"};
  }
  if (found == 0) return migrate(database, found);
  TRY_VOID(keep_old_copy(database, found));
  if (auto made = migrate(database, found); !made) {
    return made.error().within("bringing the records in " + database.path() + " from version " +
                               std::to_string(found) + " to " + std::to_string(schema_version) +
                               " (they are unchanged)");
  }
  return {};
}

}  // namespace pipelined
