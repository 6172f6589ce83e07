// Versions of models and marks on them: rows that are added and never changed.
#include "daemon/store/models.h"
#include "daemon/store/rows.h"
#include "daemon/store/store.h"
#include "daemon/store/store_state.h"

namespace pipelined {
namespace {

constexpr const char* version_columns =
    "v.model, v.major, v.minor, v.patch, v.content, v.reason_code, v.reason, v.reason_details, "
    "v.pipeline, v.step, v.run, v.result, v.at, v.seq";
constexpr int version_column_count = 14;

ModelVersionRow read_version(const Query& row) {
  ModelVersionRow version;
  version.model = row.string(0);
  version.version = {row.integer(1), row.integer(2), row.integer(3)};
  version.content = row.digest(4);
  version.reason.code = row.string(5);
  version.reason.sentence = row.string(6);
  if (!row.is_null(7)) version.reason.details = parse_details(row.text(7));
  version.pipeline = row.string(8);
  version.step = row.string(9);
  version.run = row.integer(10);
  version.result = row.integer(11);
  version.at = row.integer(12);
  version.seq = row.integer(13);
  return version;
}

constexpr const char* mark_columns =
    "m.model, m.kind, m.subject, m.name, m.before_value, m.value, m.rollback, m.who, m.why, m.run, "
    "m.at, m.seq";

std::vector<ModelMarkRow> all_marks(Query& query) {
  std::vector<ModelMarkRow> marks;
  while (query.next()) {
    marks.push_back({query.string(0), query.string(1), query.string(2), query.string(3),
                     query.string(4), query.string(5), query.flag(6), query.string(7),
                     query.string(8), query.integer(9), query.integer(10), query.integer(11)});
  }
  return marks;
}

std::optional<ModelVersionRow> first_version(Database& database, Query& query) {
  if (!query.next()) return std::nullopt;
  ModelVersionRow row = read_version(query);
  row.facts = read_value_text(query.text(version_column_count));
  Query artifacts(database,
                  "SELECT a.port, a.position, o.digest, o.type, o.size FROM model_artifacts a JOIN "
                  "artifacts o ON o.id = a.artifact WHERE a.model = ?1 AND a.major = ?2 AND "
                  "a.minor = ?3 AND a.patch = ?4 ORDER BY a.ordinal",
                  row.model, row.version.major, row.version.minor, row.version.patch);
  while (artifacts.next()) {
    row.artifacts.push_back({artifacts.string(0), artifacts.integer(1),
                             {artifacts.digest(2), artifacts.string(3), artifacts.integer(4)}});
  }
  return row;
}

std::string select_versions(const char* rest) {
  return std::string("SELECT ") + version_columns + ", v.facts FROM model_versions v " + rest;
}

}  // namespace

void Store::put(const ModelVersionRow& row) {
  state_->note(row.seq);
  Database& database = *state_->database;
  database.run(
      "INSERT INTO model_versions (model, major, minor, patch, content, reason_code, reason, "
      "reason_details, pipeline, step, run, result, at, seq, facts) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
      "?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
      row.model, row.version.major, row.version.minor, row.version.patch, row.content,
      row.reason.code, row.reason.sentence, details_text(row.reason.details), row.pipeline, row.step,
      row.run, row.result, row.at, row.seq, canonical(row.facts));
  std::int64_t ordinal = 0;
  for (const Binding& binding : row.artifacts) {
    const std::int64_t artifact = state_->artifact_id(binding.artifact, row.at);
    database.run("INSERT INTO model_artifacts (model, major, minor, patch, ordinal, port, position, "
                 "artifact) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)", row.model, row.version.major,
                 row.version.minor, row.version.patch, ordinal++, binding.port, binding.position,
                 artifact);
  }
}

void Store::put(const ModelMarkRow& row) {
  state_->note(row.seq);
  state_->database->run(
      "INSERT INTO model_marks (model, kind, subject, name, before_value, value, rollback, who, why, "
      "run, at, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
      row.model, row.kind, row.subject, row.name, row.before, row.value, row.rollback, row.who,
      row.why, row.run, row.at, row.seq);
}

std::optional<ResultRow> Store::find_maker(const Digest& artifact) {
  Query query(*state_->database,
              "SELECT b.result FROM artifacts o JOIN bindings b ON b.artifact = o.id AND b.output = 1 "
              "WHERE o.digest = ?1 AND NOT EXISTS (SELECT 1 FROM bindings i WHERE i.result = "
              "b.result AND i.output = 0 AND i.artifact = o.id) AND NOT EXISTS (SELECT 1 FROM "
              "invalidations n WHERE n.result = b.result) ORDER BY b.result DESC LIMIT 1", artifact);
  if (!query.next()) return std::nullopt;
  return find_result_by_id(query.integer(0));
}

std::optional<ModelVersionRow> Store::newest_model(const std::string& model) {
  static const std::string sql = select_versions(
      "WHERE v.model = ?1 ORDER BY v.major DESC, v.minor DESC, v.patch DESC LIMIT 1");
  Query query(*state_->database, sql.c_str(), model);
  return first_version(*state_->database, query);
}

std::optional<ModelVersionRow> Store::find_model(const std::string& model,
                                                 const ModelVersion& version) {
  static const std::string sql =
      select_versions("WHERE v.model = ?1 AND v.major = ?2 AND v.minor = ?3 AND v.patch = ?4");
  Query query(*state_->database, sql.c_str(), model, version.major, version.minor, version.patch);
  return first_version(*state_->database, query);
}

std::optional<ModelVersionRow> Store::find_model_content(const std::string& model,
                                                         const Digest& content) {
  static const std::string sql = select_versions("WHERE v.model = ?1 AND v.content = ?2");
  Query query(*state_->database, sql.c_str(), model, content);
  return first_version(*state_->database, query);
}

std::vector<ModelMarkRow> Store::model_marks(const std::string& model, const std::string& kind,
                                             const std::string& subject) {
  static const std::string sql =
      select(mark_columns, "FROM model_marks m WHERE m.model = ?1 AND m.kind = ?2 AND m.subject = ?3 "
                           "ORDER BY m.id");
  Query query(*state_->database, sql.c_str(), model, kind, subject);
  return all_marks(query);
}

std::vector<std::string> list_models(Store& store) {
  std::vector<std::string> names;
  Query query(store.database(), "SELECT DISTINCT model FROM model_versions ORDER BY model");
  while (query.next()) names.push_back(query.string(0));
  return names;
}

std::vector<ModelVersionRow> list_model_versions(Store& store, const std::string& model,
                                                 int limit) {
  static const std::string sql =
      select(version_columns, "FROM model_versions v WHERE v.model = ?1 ORDER BY v.major DESC, "
                              "v.minor DESC, v.patch DESC LIMIT ?2");
  std::vector<ModelVersionRow> rows;
  Query query(store.database(), sql.c_str(), model, limit);
  while (query.next()) rows.push_back(read_version(query));
  return rows;
}

std::vector<ModelMarkRow> list_model_marks(Store& store, const std::string& model, TimeMs until,
                                           int limit) {
  static const std::string sql = select(
      mark_columns, "FROM model_marks m WHERE m.model = ?1 AND m.at <= ?2 ORDER BY m.id DESC LIMIT ?3");
  Query query(store.database(), sql.c_str(), model, until, limit);
  return all_marks(query);
}

std::vector<std::pair<std::string, std::string>> list_aliases(Store& store,
                                                              const std::string& model,
                                                              TimeMs until) {
  std::vector<std::pair<std::string, std::string>> aliases;
  Query query(store.database(),
              "SELECT m.subject, m.value FROM model_marks m WHERE m.model = ?1 AND m.kind = 'alias' "
              "AND m.id = (SELECT max(n.id) FROM model_marks n WHERE n.model = ?1 AND n.kind = 'alias' "
              "AND n.subject = m.subject AND n.at <= ?2) ORDER BY m.subject", model, until);
  while (query.next()) {
    if (!query.string(1).empty()) aliases.emplace_back(query.string(0), query.string(1));
  }
  return aliases;
}

}  // namespace pipelined
