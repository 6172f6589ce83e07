// I4 to I8: attempts, results and the states of steps and runs agree with each other.
#include "daemon/keeping/fsck.h"
#include "dag/run_state.h"

namespace pipelined {
namespace {

/// Adds a finding for every row of a query whose columns are a run, a step, an element and a text.
void find_steps(Database& records, const char* sql, const char* what, ReportRow& row) {
  {
    Query query(records, sql);
    while (query.next()) {
      const std::string extra = query.string(3);
      row.violate("run " + std::to_string(query.integer(0)) + " " +
                      step_path(query.string(1), query.string(2)) + ": " + what +
                      (extra.empty() ? "" : " (" + extra + ")"),
                  query.integer(0));
    }
  }
  take_failure(records, row);
}

std::int64_t count_of(Database& records, const char* sql) {
  Query query(records, sql);
  return query.next() ? query.integer(0) : 0;
}

void check_live(Database& records, const FsckOptions& options, Report& report) {
  ReportRow& row = add_row(report, "I5", "no attempt is marked running without its process");
  std::int64_t running = 0;
  {
    Query query(records, "SELECT a.id, a.run, a.step, a.element FROM attempts a WHERE a.running");
    while (query.next()) {
      ++running;
      if (!options.live || options.live->attempts.count(query.string(0)) > 0) continue;
      row.violate("attempt " + query.string(0) + " of run " + std::to_string(query.integer(1)) + " " +
                      step_path(query.string(2), query.string(3)) +
                      " is marked running, but the daemon does not run it",
                  query.integer(1));
    }
  }
  row.checked = running;
  take_failure(records, row);
  find_steps(records,
             "SELECT a.run, a.step, a.element, r.state FROM attempts a JOIN runs r ON "
             "r.number = a.run WHERE a.running AND r.state IN ('failed', 'rejected', 'cancelled', "
             "'succeeded')",
             "an attempt is marked running though its run has ended", row);
  if (!options.live && running > 0) {
    row.give_up("the daemon is stopped; its next start takes up " + std::to_string(running) +
                " attempts that were running and begins them anew");
  }
}

void check_once(Database& records, Report& report) {
  ReportRow& row = add_row(report, "I6", "one live attempt and one success a step");
  row.checked = count_of(records, "SELECT count(*) FROM attempts");
  find_steps(records,
             "SELECT run, step, element, count(*) FROM attempts WHERE running "
             "GROUP BY run, step, element HAVING count(*) > 1",
             "more than one attempt is marked running", row);
  find_steps(records,
             "SELECT run, step, element, number FROM attempts "
             "GROUP BY run, step, element, number HAVING count(*) > 1",
             "two attempts have the same number", row);
  find_steps(records,
             "SELECT min(run), min(step), min(element), fence FROM attempts "
             "GROUP BY fence HAVING count(*) > 1",
             "two attempts have the same fence", row);
  // What was lost in between is rightly made a second time.
  find_steps(records,
             "SELECT r.run, r.step, r.element, count(*) FROM results r JOIN steps s ON "
             "s.run = r.run AND s.step = r.step AND s.element = r.element "
             "WHERE r.key IS NOT NULL AND s.reason_code <> 'output_lost' "
             "GROUP BY r.run, r.step, r.element, r.key HAVING count(*) > 1",
             "it succeeded twice on the same inputs", row);
}

void check_inputs(Database& records, Report& report) {
  ReportRow& row = add_row(report, "I7", "what was done stands on recorded inputs");
  row.checked = count_of(records, "SELECT count(*) FROM steps WHERE result > 0");
  find_steps(records,
             "SELECT s.run, s.step, s.element, s.state FROM steps s LEFT JOIN results r ON "
             "r.id = s.result WHERE s.state IN ('succeeded', 'cached') AND s.result > 0 "
             "AND r.id IS NULL",
             "the result that it names does not exist", row);
  find_steps(records,
             "SELECT s.run, s.step, s.element, '' FROM steps s JOIN results r ON r.id = s.result "
             "WHERE s.state IN ('succeeded', 'cached') AND s.key <> r.key",
             "it names a result of another key", row);
  find_steps(records,
             "SELECT r.run, r.step, r.element, r.bindings || ' recorded' FROM results r "
             "WHERE r.bindings <> (SELECT count(*) FROM bindings b WHERE b.result = r.id)",
             "inputs or outputs of its result are missing", row);
  find_steps(records,
             "SELECT s.run, s.step, s.element, '' FROM steps s WHERE s.state = 'running' AND NOT "
             "EXISTS (SELECT 1 FROM attempts a WHERE a.run = s.run AND a.step = s.step AND "
             "a.element = s.element AND a.running)",
             "it is recorded as running without an attempt", row);
}

void check_ends(Database& records, Report& report) {
  ReportRow& row = add_row(report, "I8", "a run has ended exactly when its steps have");
  row.checked = count_of(records, "SELECT count(*) FROM runs");
  find_steps(records,
             "SELECT s.run, s.step, s.element, s.state FROM steps s JOIN runs r ON "
             "r.number = s.run WHERE r.state IN ('failed', 'rejected', 'cancelled', 'succeeded') "
             "AND s.state IN ('waiting', 'ready', 'running')",
             "its run has ended, it has not", row);
  find_steps(records,
             "SELECT s.run, s.step, s.element, s.state FROM steps s JOIN runs r ON "
             "r.number = s.run WHERE r.state = 'succeeded' AND s.state IN ('halted', 'in_review')",
             "its run succeeded while it is held", row);
  find_steps(records,
             "SELECT number, pipeline, '', state FROM runs WHERE state IN ('failed', 'rejected', "
             "'cancelled', 'succeeded') AND ended_at = 0",
             "the run has ended without a time", row);
}

}  // namespace

void check_work(Database& records, const FsckOptions& options, Report& report) {
  check_answered(records, options, report);
  check_live(records, options, report);
  check_once(records, report);
  check_inputs(records, report);
  check_ends(records, report);
}

}  // namespace pipelined
