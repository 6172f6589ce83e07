// I9 to I12: deliveries, alerts on their way and triggers are each recorded once.
#include "daemon/keeping/fsck.h"

namespace pipelined {
namespace {

/// Adds a finding for every row of a query of a run and a text.
void find(Database& records, const char* sql, const std::string& what, ReportRow& row) {
  {
    Query query(records, sql);
    while (query.next()) row.violate(query.string(1) + ": " + what, query.integer(0));
  }
  take_failure(records, row);
}

std::int64_t count_of(Database& records, const char* sql) {
  Query query(records, sql);
  return query.next() ? query.integer(0) : 0;
}

void check_arrivals(Database& records, Report& report) {
  ReportRow& row = add_row(report, "I9", "every delivery was taken once");
  row.checked = count_of(records, "SELECT count(*) FROM arrivals");
  find(records,
       "SELECT max(run), pipeline || ' ' || source || '/' || span || ' version ' || version "
       "FROM arrivals GROUP BY pipeline, source, span, version HAVING count(*) > 1",
       "two deliveries have this version", row);
  find(records,
       "SELECT b.run, b.pipeline || ' ' || b.source || '/' || b.span FROM arrivals a JOIN arrivals b "
       "ON b.pipeline = a.pipeline AND b.source = a.source AND b.span = a.span AND "
       "b.version = a.version + 1 AND b.artifact = a.artifact",
       "the same content was taken twice in a row", row);
  find(records,
       "SELECT s.run, s.pipeline || ' ' || s.source || '/' || s.span || ' version ' || s.version "
       "FROM spans s LEFT JOIN arrivals a ON a.number = s.arrival WHERE a.number IS NULL OR "
       "a.artifact <> s.artifact OR a.span <> s.span OR a.source <> s.source OR "
       "a.pipeline <> s.pipeline",
       "the span does not stand on its delivery", row);
  find(records,
       "SELECT a.run, 'delivery ' || a.number || ' ' || a.source || '/' || a.span FROM arrivals a "
       "LEFT JOIN spans s ON s.pipeline = a.pipeline AND s.source = a.source AND s.span = a.span "
       "AND s.version = a.version WHERE s.span IS NULL",
       "it made no span", row);
  find(records,
       "SELECT a.run, 'delivery ' || a.number || ' ' || a.source || '/' || a.span FROM arrivals a "
       "WHERE a.run > (SELECT coalesce(max(number), 0) FROM runs)",
       "it names a run that never was", row);
  row.sentence = "what lies in a folder and was not taken yet is looked at by `pipectl sources`";
}

void check_outbox(Database& records, Report& report) {
  ReportRow& row = add_row(report, "I10", "every alert goes to every receiver once");
  row.checked = count_of(records, "SELECT count(*) FROM outbox");
  find(records,
       "SELECT a.run, o.alert || ' to ' || o.sink FROM outbox o JOIN alerts a ON a.id = o.alert "
       "GROUP BY o.alert, o.sink HAVING count(*) > 1",
       "it stands twice in the outbox", row);
  find(records,
       "SELECT a.run, o.alert || ' to ' || o.sink FROM outbox o JOIN alerts a ON a.id = o.alert "
       "WHERE o.state = 'done' AND o.tries = 0",
       "it counts as delivered without a try", row);
  row.sentence = "a crash between sending and marking sends again under the same id; that a receiver "
                 "drops the second is its own to show";
}

// A slot's row stands in the turn of the run that it began, so each such run has exactly one.
void check_slots(Database& records, Report& report) {
  ReportRow& row = add_row(report, "I12", "nothing that can fire a trigger fires it twice");
  row.checked = count_of(records, "SELECT count(*) FROM slots");
  find(records,
       "SELECT max(run), pipeline || ' ' || trigger || ' due at ' || min(slot) FROM slots "
       "WHERE outcome IN ('fired', 'skipped', 'missed') AND slot LIKE '____-__-__T__:__:__Z' "
       "GROUP BY pipeline, trigger, datetime(slot) HAVING count(*) > 1",
       "it was decided twice", row);
  find(records,
       "SELECT run, pipeline || ' ' || trigger || ' ' || slot FROM slots WHERE outcome = 'fired' "
       "AND slot LIKE '____-__-__T__:__:__Z' AND at < due_at",
       "it fired before its time", row);
  find(records,
       "SELECT run, 'run ' || run FROM slots WHERE run > 0 GROUP BY run HAVING count(*) > 1",
       "several slots say that they began it", row);
  find(records,
       "SELECT r.number, 'run ' || r.number || ' of ' || r.pipeline FROM runs r WHERE "
       "r.reason_code = 'schedule' AND NOT EXISTS (SELECT 1 FROM slots s WHERE s.run = r.number)",
       "a schedule began it, but no slot is recorded for it", row);
}

}  // namespace

void check_facts(Database& records, const FsckOptions&, Report& report) {
  check_arrivals(records, report);
  check_outbox(records, report);
  check_in_force(records, report);
  check_slots(records, report);
}

}  // namespace pipelined
