// The store's rows and questions about triggers.
#include "daemon/store/rows.h"
#include "daemon/store/store_state.h"

namespace pipelined {
namespace {

constexpr const char* slot_columns =
    "s.pipeline, s.trigger, s.slot, s.outcome, s.why, s.run, s.due_at, s.at, s.seq";

SlotRow read_slot(const Query& row) {
  return {row.string(0),  row.string(1),  row.string(2),  row.string(3), row.string(4),
          row.integer(5), row.integer(6), row.integer(7), row.integer(8)};
}

std::optional<ArrivalRow> first_arrival(Query& query) {
  if (!query.next()) return std::nullopt;
  return read_arrival(query);
}

}  // namespace

void Store::put(const SlotRow& row) {
  state_->note(row.seq);
  state_->database->run(
      "INSERT INTO slots (pipeline, trigger, slot, outcome, why, run, due_at, at, seq) "
      "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (pipeline, trigger, slot) DO NOTHING",
      row.pipeline, row.trigger, row.slot, row.outcome, row.why, row.run, row.due_at, row.at,
      row.seq);
}

std::optional<SlotRow> Store::find_slot(const std::string& pipeline, const std::string& trigger,
                                        const std::string& slot) {
  static const std::string sql = select(
      slot_columns, "FROM slots s WHERE s.pipeline = ?1 AND s.trigger = ?2 AND s.slot = ?3");
  Query query(*state_->database, sql.c_str(), pipeline, trigger, slot);
  if (!query.next()) return std::nullopt;
  return read_slot(query);
}

std::optional<SlotRow> Store::last_slot(const std::string& pipeline, const std::string& trigger,
                                        TimeMs not_after) {
  static const std::string sql =
      select(slot_columns,
             "FROM slots s WHERE s.pipeline = ?1 AND s.trigger = ?2 AND s.due_at <= ?3 "
             "ORDER BY s.due_at DESC LIMIT 1");
  Query query(*state_->database, sql.c_str(), pipeline, trigger, not_after);
  if (!query.next()) return std::nullopt;
  return read_slot(query);
}

void Store::put(const PollRow& row) {
  state_->note(row.seq);
  state_->database->run(
      "INSERT INTO polls (pipeline, source, column_name, watermark, type, polls, rows, spans, "
      "failures, sentence, at, failing_since, alerted, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
      "?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (pipeline, source) DO UPDATE SET "
      "column_name = excluded.column_name, watermark = excluded.watermark, type = excluded.type, "
      "polls = excluded.polls, rows = excluded.rows, spans = excluded.spans, "
      "failures = excluded.failures, sentence = excluded.sentence, at = excluded.at, "
      "failing_since = excluded.failing_since, alerted = excluded.alerted, seq = excluded.seq",
      row.pipeline, row.source, row.column, row.watermark, row.type, row.polls, row.rows, row.spans,
      row.failures, row.sentence, row.at, row.failing_since, static_cast<std::int64_t>(row.alerted),
      row.seq);
}

std::optional<PollRow> Store::find_poll(const std::string& pipeline, const std::string& source) {
  Query query(*state_->database,
              "SELECT column_name, watermark, type, polls, rows, spans, failures, sentence, at, "
              "failing_since, alerted, seq FROM polls WHERE pipeline = ?1 AND source = ?2",
              pipeline, source);
  if (!query.next()) return std::nullopt;
  return PollRow{pipeline,          source,           query.string(0),  query.string(1),
                 query.string(2),   query.integer(3), query.integer(4), query.integer(5),
                 query.integer(6),  query.string(7),  query.integer(8), query.integer(9),
                 query.flag(10),    query.integer(11)};
}

std::vector<RunRow> Store::ended_runs(const std::string& pipeline, int limit) {
  static const std::string sql =
      select(run_columns,
             "FROM runs r WHERE r.pipeline = ?1 AND r.state IN ('failed', 'rejected', "
             "'cancelled', 'succeeded') ORDER BY r.number DESC LIMIT ?2");
  Query query(*state_->database, sql.c_str(), pipeline, limit);
  std::vector<RunRow> rows;
  while (query.next()) rows.push_back(read_run(query));
  return rows;
}

std::optional<DecisionRow> Store::last_decision(const std::string& pipeline,
                                                const std::string& kind) {
  Query query(*state_->database,
              "SELECT who, why, run, at, seq FROM decisions WHERE pipeline = ?1 AND subject = ?1 "
              "AND kind = ?2 ORDER BY id DESC LIMIT 1",
              pipeline, kind);
  if (!query.next()) return std::nullopt;
  return DecisionRow{kind,            pipeline,         pipeline,         query.string(0),
                     query.string(1), query.integer(2), query.integer(3), query.integer(4)};
}

std::optional<ArrivalRow> Store::find_arrival(std::int64_t number) {
  static const std::string sql =
      select(arrival_columns,
             "FROM arrivals a JOIN artifacts o ON o.id = a.artifact WHERE a.number = ?1");
  Query query(*state_->database, sql.c_str(), number);
  return first_arrival(query);
}

std::optional<ArrivalRow> Store::newest_span(const std::string& pipeline,
                                             const std::string& source) {
  static const std::string sql =
      select(arrival_columns,
             "FROM arrivals a JOIN artifacts o ON o.id = a.artifact WHERE a.pipeline = ?1 "
             "AND a.source = ?2 AND a.version = 1 ORDER BY a.number DESC LIMIT 1");
  Query query(*state_->database, sql.c_str(), pipeline, source);
  return first_arrival(query);
}

}  // namespace pipelined
