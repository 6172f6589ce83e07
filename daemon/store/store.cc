#include "daemon/store/store.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <random>

#include "daemon/posix/fault.h"
#include "daemon/store/schema.h"
#include "daemon/store/store_state.h"

namespace pipelined {
namespace {

// Below this size the check at start reads the file well within the time that a start may take;
// larger files are checked by `check`.
constexpr std::int64_t quick_check_bytes_max = 32 << 20;
constexpr std::size_t cached_artifacts_max = 20000;
constexpr std::size_t cached_runs_max = 1000;

std::string random_name() {
  std::random_device source;
  std::string name;
  for (int i = 0; i < 4; ++i) {
    const unsigned word = source();
    for (int digit = 0; digit < 8; ++digit) name += "0123456789abcdef"[word >> digit * 4 & 15];
  }
  return name;
}

Error taken(Database& database) {
  const Error error = database.failure().value_or(Error{ErrorCode::internal, "no failure"});
  database.clear_failure();
  return error;
}

Result<void> quick_check(Database& database) {
  std::error_code ignored;
  const auto size = std::filesystem::file_size(database.path(), ignored);
  const bool small = !ignored && static_cast<std::int64_t>(size) <= quick_check_bytes_max;
  // The root pages of all tables are read even if the file is too large for more.
  Query query(database, small ? "PRAGMA quick_check(1)"
                              : "SELECT 'ok' FROM sqlite_schema LIMIT 1");
  if (!query.next() && database.failure()) return taken(database);
  if (query.text(0) == "ok") return {};
  return Error{ErrorCode::corrupt, "checking the records in " + database.path() + ": " +
                                       query.string(0) +
                                       "; restore the state folder from a backup"};
}

}  // namespace

Result<void> pretended(fault::Place place) {
  const int error = fault::at(place);
  if (error <= 0) return {};
  return Error{error == ENOSPC ? ErrorCode::exhausted : ErrorCode::io,
               std::string("using the records: ") + std::strerror(error)};
}

const char* name_of(DeliveryState state) {
  switch (state) {
    case DeliveryState::pending: return "pending";
    case DeliveryState::claimed: return "claimed";
    case DeliveryState::done: return "done";
    case DeliveryState::given_up: return "given_up";
  }
  return "pending";
}

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
  auto state = std::make_unique<State>();
  state->options = options;
  state->ballast = std::make_unique<Ballast>(
      (std::filesystem::path(options.path).parent_path() / "ballast").string(),
      options.ballast_bytes);
  TRY(database, Database::open({options.path, options.page_count_max}));
  state->database = std::move(database);
  TRY_VOID(bring_up_to_date(*state->database));
  TRY_VOID(quick_check(*state->database));
  ::chmod(options.path.c_str(), 0600);
  std::unique_ptr<Store> store(new Store(std::move(state)));
  State& opened = *store->state_;
  // What was being sent when the process died is sent again under the same id.  On a full disk
  // these writes fail and the records can still be read.
  auto started = opened.run_alone(
      "UPDATE outbox SET state = CASE once WHEN 0 THEN 'pending' ELSE 'given_up' END, error = CASE "
      "once WHEN 0 THEN error ELSE 'not known: the daemon ended while it was being sent, and this "
      "sink is told at most once' END WHERE state = 'claimed'");
  if (started && !store->meta("instance")) started = store->set_meta("instance", random_name());
  if (started) started = store->set_meta("product_version", options.product_version);
  if (!started && started.error().code != ErrorCode::exhausted) return started.error();
  if (started) opened.ballast->fill();
  return store;
}

Store::~Store() { rollback(); }

void Store::set_sinks(std::vector<AlertSink> sinks, AlertRouter router) {
  state_->options.sinks = std::move(sinks);
  state_->options.router = std::move(router);
}

void Store::set_objects(ObjectView* objects) { state_->objects = objects; }

void Store::forget_cached() {
  state_->artifact_ids.clear();
  state_->run_facts.clear();
}

Database& Store::database() { return *state_->database; }

Result<void> Store::begin() {
  CHECK(!state_->in_turn);
  TRY_VOID(pretended(fault::Place::turn_begin));
  TRY_VOID(state_->begin_alone());
  state_->in_turn = true;
  state_->drained = 0;
  state_->turn_seq = 0;
  state_->to_count.clear();
  state_->drain_manifests();
  return {};
}

Result<void> Store::commit() {
  CHECK(state_->in_turn);
  state_->drain_manifests();
  state_->count_steps();
  if (state_->turn_seq > 0) {
    state_->database->run("UPDATE counters SET value = ?1 WHERE name = 'seq' AND value < ?1",
                          state_->turn_seq);
  }
  state_->in_turn = false;
  const std::size_t drained = state_->drained;
  state_->drained = 0;
  if (auto refused = pretended(fault::Place::turn_commit); !refused) {
    state_->undo();
    return refused.error();
  }
  TRY_VOID(state_->commit_alone());
  fault::at(fault::Place::turn_committed);
  if (state_->objects != nullptr) state_->objects->forget_unrecorded(drained);
  return {};
}

void Store::rollback() {
  if (!state_->in_turn) return;
  state_->in_turn = false;
  state_->drained = 0;
  state_->undo();
}

Result<void> Store::probe() {
  TRY_VOID(pretended(fault::Place::probe));
  auto written = state_->run_alone(
      "INSERT INTO meta VALUES ('probe', hex(randomblob(2048))) "
      "ON CONFLICT (key) DO UPDATE SET value = excluded.value");
  if (written) state_->ballast->fill();
  return written;
}

Result<void> Store::State::begin_alone() {
  CHECK(!database->in_transaction());
  database->clear_failure();
  if (!database->run("BEGIN IMMEDIATE")) return taken(*database);
  return {};
}

Result<void> Store::State::commit_alone() {
  if (!database->failure() && database->run("COMMIT")) return {};
  const Error error = taken(*database).within("recording a turn");
  undo();
  if (error.code == ErrorCode::exhausted) ballast->release();
  return error;
}

void Store::State::undo() {
  // After some failures SQLite has rolled back by itself.
  if (database->in_transaction()) database->run("ROLLBACK");
  database->clear_failure();
  artifact_ids.clear();
  run_facts.clear();
  audit_head.reset();
}

std::int64_t Store::State::artifact_id(const ArtifactRef& artifact, TimeMs at) {
  if (const auto found = artifact_ids.find(artifact.digest); found != artifact_ids.end()) {
    return found->second;
  }
  if (artifact_ids.size() >= cached_artifacts_max) artifact_ids.clear();
  std::int64_t id = 0;
  {
    Query query(*database, "SELECT id, created_at, tombstone_at FROM artifacts WHERE digest = ?1",
                artifact.digest);
    if (query.next()) {
      id = query.integer(0);
      const bool undated = query.integer(1) == 0;
      if (!undated && query.is_null(2)) return artifact_ids[artifact.digest] = id;
    }
  }
  if (id != 0) {
    database->run("UPDATE artifacts SET created_at = CASE created_at WHEN 0 THEN ?2 ELSE created_at "
                  "END, tombstone_at = NULL WHERE id = ?1", id, at);
  } else {
    database->run("INSERT INTO artifacts (digest, type, size, files, created_at) "
                  "VALUES (?1, ?2, ?3, 0, ?4)", artifact.digest, artifact.type, artifact.size, at);
    id = database->last_insert_id();
  }
  return artifact_ids[artifact.digest] = id;
}

const RunFacts& Store::State::facts_of(RunNumber run) {
  const auto found = run_facts.find(run);
  if (found != run_facts.end()) return found->second;
  if (run_facts.size() >= cached_runs_max) run_facts.clear();
  RunFacts facts;
  Query query(*database,
              "SELECT pipeline, full_run, state IN ('failed', 'rejected', 'cancelled', 'succeeded') "
              "FROM runs WHERE number = ?1", run);
  if (query.next()) facts = {query.string(0), query.flag(1), query.flag(2)};
  return run_facts[run] = std::move(facts);
}

void Store::State::count_steps() {
  for (const RunNumber run : to_count) {
    database->run("UPDATE runs SET counts = (SELECT group_concat(state || ' ' || number) FROM "
                  "(SELECT state, count(*) AS number FROM steps WHERE run = ?1 GROUP BY state)) "
                  "WHERE number = ?1", run);
  }
  to_count.clear();
}

void Store::State::drain_manifests() {
  if (objects == nullptr) return;
  const std::vector<Manifest>& manifests = objects->unrecorded();
  for (; drained < manifests.size(); ++drained) {
    const Manifest& manifest = manifests[drained];
    const std::string text = manifest.text();
    database->run(
        "INSERT INTO artifacts (digest, type, size, files, created_at, manifest) "
        "VALUES (?1, ?2, ?3, ?4, 0, ?5) ON CONFLICT (digest) DO UPDATE SET files = excluded.files, "
        "manifest = excluded.manifest, tombstone_at = NULL, corrupt_at = NULL "
        "WHERE manifest IS NULL OR tombstone_at IS NOT NULL OR corrupt_at IS NOT NULL",
        sha256(text), manifest.type, manifest.size(),
        static_cast<std::int64_t>(manifest.files.size()), text);
  }
}

std::optional<std::string> Store::meta(const std::string& key) {
  Query query(*state_->database, "SELECT value FROM meta WHERE key = ?1", key);
  if (!query.next()) return std::nullopt;
  return query.string(0);
}

Result<void> Store::set_meta(const std::string& key, const std::string& value) {
  return state_->run_alone("INSERT INTO meta VALUES (?1, ?2) "
                           "ON CONFLICT (key) DO UPDATE SET value = excluded.value "
                           "WHERE value <> excluded.value", key, value);
}

std::vector<std::string> Store::check() {
  std::vector<std::string> wrong;
  Query integrity(*state_->database, "PRAGMA integrity_check(100)");
  while (integrity.next()) {
    if (integrity.text(0) != "ok") wrong.push_back("the database: " + integrity.string(0));
  }
  Query keys(*state_->database, "PRAGMA foreign_key_check");
  while (keys.next() && wrong.size() < 200) {
    wrong.push_back("a row of " + keys.string(0) + " names a row of " + keys.string(2) +
                    " that does not exist");
  }
  return wrong;
}

Result<void> Store::back_up(const std::string& path) {
  CHECK(!state_->in_turn);
  return state_->database->copy_to(path);
}

}  // namespace pipelined
