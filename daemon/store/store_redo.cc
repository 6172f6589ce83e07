// What is done again and what must not be used: backfills, results declared bad, requests of steps.
#include "daemon/store/rows.h"
#include "daemon/store/store.h"
#include "daemon/store/store_state.h"
#include "daemon/store/views.h"

namespace pipelined {
namespace {

constexpr const char* backfill_columns =
    "b.id, b.pipeline, b.source, b.asked, b.reprocess, b.sort, b.chunk, b.max_active, b.options, "
    "b.spans, b.begun, b.state, b.who, b.why, b.created_at, b.ended_at, b.seq";

BackfillRow read_backfill(const Query& row) {
  BackfillRow backfill;
  backfill.id = row.integer(0);
  backfill.pipeline = row.string(1);
  backfill.source = row.string(2);
  backfill.asked = row.string(3);
  backfill.reprocess = row.string(4);
  backfill.order = row.string(5);
  backfill.chunk = row.integer(6);
  backfill.max_active = row.integer(7);
  if (!row.is_null(8)) backfill.options = parse_options(row.text(8));
  const Value spans = read_value_text(row.text(9));
  if (const ValueList* list = spans.as_list()) {
    for (const Value& span : *list) {
      if (span.as_text() != nullptr) backfill.spans.push_back(*span.as_text());
    }
  }
  backfill.begun = row.integer(10);
  backfill.state = row.string(11);
  backfill.who = row.string(12);
  backfill.why = row.string(13);
  backfill.created_at = row.integer(14);
  backfill.ended_at = row.integer(15);
  backfill.seq = row.integer(16);
  return backfill;
}

std::vector<BackfillRow> all_backfills(Query& query) {
  std::vector<BackfillRow> rows;
  while (query.next()) rows.push_back(read_backfill(query));
  return rows;
}

}  // namespace

void Store::put(const InvalidationRow& row) {
  state_->note(row.seq);
  state_->database->run(
      "INSERT INTO invalidations (result, key, cause, who, why, at, seq) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (result) DO NOTHING",
      row.result, row.key, row.cause, row.who, row.why, row.at, row.seq);
}

void Store::put(const BackfillRow& row) {
  state_->note(row.seq);
  ValueList spans;
  for (const std::string& span : row.spans) spans.push_back(span);
  state_->database->run(
      "INSERT INTO backfills (id, pipeline, source, asked, reprocess, sort, chunk, max_active, "
      "options, spans, begun, state, who, why, created_at, ended_at, seq) VALUES (?1, ?2, ?3, ?4, "
      "?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT (id) DO UPDATE SET "
      "begun = excluded.begun, state = excluded.state, why = excluded.why, "
      "ended_at = excluded.ended_at, seq = excluded.seq",
      row.id, row.pipeline, row.source, row.asked, row.reprocess, row.order, row.chunk,
      row.max_active, options_text(row.options), canonical(spans), row.begun, row.state, row.who,
      row.why, row.created_at, row.ended_at, row.seq);
}

void Store::put(const StepRequestRow& row) {
  state_->note(row.seq);
  state_->database->run(
      "INSERT INTO step_requests (result, ordinal, pipeline, step, element, run, kind, arguments, "
      "state, sentence, at, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) "
      "ON CONFLICT (result, ordinal) DO UPDATE SET state = excluded.state, "
      "sentence = excluded.sentence, at = excluded.at, seq = excluded.seq",
      row.result, row.ordinal, row.pipeline, row.step, row.element, row.run, row.kind,
      value_text(row.arguments), row.state, row.sentence, row.at, row.seq);
}

std::optional<InvalidationRow> Store::find_invalidation(const Digest& key) {
  Query query(*state_->database,
              "SELECT result, cause, who, why, at, seq FROM invalidations WHERE key = ?1 "
              "ORDER BY seq DESC LIMIT 1", key);
  if (!query.next()) return std::nullopt;
  return InvalidationRow{query.integer(0), key, query.integer(1), query.string(2), query.string(3),
                         query.integer(4), query.integer(5)};
}

bool Store::is_bad(const Digest& artifact) {
  Query query(*state_->database,
              "SELECT count(*), count(i.result) FROM artifacts o JOIN bindings b ON "
              "b.artifact = o.id AND b.output = 1 LEFT JOIN invalidations i ON i.result = b.result "
              "WHERE o.digest = ?1", artifact);
  return query.next() && query.integer(0) > 0 && query.integer(0) == query.integer(1);
}

std::vector<ResultRow> Store::State::good_results(Query& query) {
  std::vector<std::int64_t> ids;
  while (query.next()) ids.push_back(query.integer(0));
  std::vector<ResultRow> rows;
  static const std::string sql = select(result_columns, "FROM results r WHERE r.id = ?1");
  for (const std::int64_t id : ids) {
    Query one(*database, sql.c_str(), id);
    if (!one.next()) continue;
    rows.push_back(read_result(one));
    complete(rows.back(), one.integer(12), one.integer(13));
  }
  return rows;
}

std::vector<ResultRow> Store::results_with_key(const Digest& key, std::int64_t after, int limit) {
  Query query(*state_->database,
              "SELECT r.id FROM results r WHERE r.key = ?1 AND r.id > ?2 AND NOT EXISTS "
              "(SELECT 1 FROM invalidations i WHERE i.result = r.id) ORDER BY r.id LIMIT ?3",
              key, after, limit);
  return state_->good_results(query);
}

std::vector<ResultRow> Store::results_of_step(const std::string& pipeline, const std::string& step,
                                              const std::string& element, std::int64_t after,
                                              int limit) {
  Query query(*state_->database,
              "SELECT r.id FROM results r WHERE r.pipeline = ?1 AND r.step = ?2 AND "
              "(?3 = '' OR r.element = ?3) AND r.id > ?4 AND NOT EXISTS "
              "(SELECT 1 FROM invalidations i WHERE i.result = r.id) ORDER BY r.id LIMIT ?5",
              pipeline, step, element, after, limit);
  return state_->good_results(query);
}

std::vector<ResultRow> Store::results_from(const Digest& artifact, std::int64_t after, int limit) {
  Query query(*state_->database,
              "SELECT DISTINCT b.result FROM artifacts o JOIN bindings b ON b.artifact = o.id AND "
              "b.output = 0 WHERE o.digest = ?1 AND b.result > ?2 AND NOT EXISTS "
              "(SELECT 1 FROM invalidations i WHERE i.result = b.result) "
              "ORDER BY b.result LIMIT ?3", artifact, after, limit);
  return state_->good_results(query);
}

void Store::recover_backfills(Recovered& found) {
  static const std::string sql =
      select(backfill_columns, "FROM backfills b WHERE b.state = 'running' ORDER BY b.id");
  Query query(*state_->database, sql.c_str());
  found.backfills = all_backfills(query);
  Query last(*state_->database, "SELECT max(id) FROM backfills");
  if (last.next()) found.last_backfill = last.integer(0);
}

std::vector<BackfillRow> list_backfills(Store& store, const std::string& pipeline, int limit) {
  static const std::string sql =
      select(backfill_columns,
             "FROM backfills b WHERE ?1 = '' OR b.pipeline = ?1 ORDER BY b.id DESC LIMIT ?2");
  Query query(store.database(), sql.c_str(), pipeline, limit);
  return all_backfills(query);
}

std::vector<StepRequestRow> list_step_requests(Store& store, RunNumber run, int limit) {
  Query query(store.database(),
              "SELECT result, ordinal, pipeline, step, element, kind, arguments, state, sentence, "
              "at, seq FROM step_requests WHERE run = ?1 ORDER BY result, ordinal LIMIT ?2",
              run, limit);
  std::vector<StepRequestRow> rows;
  while (query.next()) {
    StepRequestRow row;
    row.result = query.integer(0), row.ordinal = query.integer(1);
    row.pipeline = query.string(2), row.step = query.string(3), row.element = query.string(4);
    row.run = run, row.kind = query.string(5);
    if (!query.is_null(6)) row.arguments = read_value_text(query.text(6));
    row.state = query.string(7), row.sentence = query.string(8);
    row.at = query.integer(9), row.seq = query.integer(10);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace pipelined
