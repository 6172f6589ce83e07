// What the engine is given after a start.
#include "daemon/store/rows.h"
#include "daemon/store/store.h"
#include "daemon/store/store_state.h"

namespace pipelined {
namespace {

template <class Row>
std::vector<Row> all_of(Database& database, const std::string& sql, Row (*read)(const Query&)) {
  std::vector<Row> rows;
  Query query(database, sql);
  while (query.next()) rows.push_back(read(query));
  return rows;
}

// The same words as the partial index runs_open, so that only open runs are looked at.
constexpr const char* open_runs =
    "SELECT number FROM runs WHERE state IN ('queued', 'running', 'halted', 'in_review')";

}  // namespace

Result<Recovered> Store::recover() {
  Database& database = *state_->database;
  database.clear_failure();
  Recovered found;
  found.pipelines = all_of(
      database, select(pipeline_columns, "FROM pipelines p WHERE p.current ORDER BY p.name"),
      read_pipeline);
  found.spans = all_of(database,
                       select(span_columns,
                              "FROM spans s JOIN artifacts o ON o.id = s.artifact "
                              "ORDER BY s.pipeline, s.source, s.span, s.version"),
                       read_span);
  found.unfired = all_of(database,
                         select(arrival_columns,
                                "FROM arrivals a JOIN artifacts o ON o.id = a.artifact "
                                "WHERE a.run = 0 ORDER BY a.number"),
                         read_arrival);
  found.holds = all_of(
      database, select(hold_columns, "FROM holds h WHERE h.active ORDER BY h.seq"), read_hold);
  {
    Query open(database, std::string(open_runs) + " ORDER BY number");
    while (open.next()) {
      if (auto run = find_run(open.integer(0))) found.runs.push_back(*std::move(run));
    }
  }
  for (const RunRow& run : found.runs) {
    for (StepRow& step : steps_of(run.number)) found.steps.push_back(std::move(step));
  }
  found.attempts =
      all_of(database,
             select(attempt_columns, "FROM attempts a WHERE a.running AND a.run IN (") + open_runs +
                 ") ORDER BY a.run, a.step, a.element, a.number",
             read_attempt);
  recover_backfills(found);
  Query last(database,
             "SELECT (SELECT value FROM counters WHERE name = 'seq'), "
             "(SELECT max(number) FROM runs), (SELECT max(number) FROM arrivals), "
             "(SELECT max(id) FROM results)");
  if (last.next()) {
    found.last_seq = last.integer(0);
    found.last_run = last.integer(1);
    found.last_arrival = last.integer(2);
    found.last_result = last.integer(3);
  }
  if (!database.failure()) return found;
  const Error error = database.failure()->within("reading what was recorded before the start");
  database.clear_failure();
  return error;
}

}  // namespace pipelined
