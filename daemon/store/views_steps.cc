// Steps of a run with what they stand on, and how they came to be as they are.
#include <algorithm>
#include <charconv>

#include "daemon/store/rows.h"
#include "daemon/store/views.h"
#include "dag/metric_name.h"

namespace pipelined {
namespace {

int bounded(int limit) { return std::clamp(limit, 0, view_limit_max); }

/// Takes the text up to `end` away from the front.
std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = std::min(text.find(end), text.size());
  const std::string_view head = text.substr(0, at);
  text.remove_prefix(std::min(text.size(), at + 1));
  return head;
}

/// Items as store_write.cc lays them down; the first may be cut, then it is left out.
std::vector<StateChange> parse_history(std::string_view text) {
  std::vector<StateChange> past;
  while (!text.empty()) {
    std::string_view item = take_until(text, '\x1e');
    const std::string_view at = take_until(item, '\x1f');
    const auto state = parse_step_state(take_until(item, '\x1f'));
    StateChange change;
    const auto [end, error] = std::from_chars(at.data(), at.data() + at.size(), change.at);
    if (!state || error != std::errc() || end != at.data() + at.size()) continue;
    change.state = *state;
    change.reason.code = take_until(item, '\x1f');
    change.reason.sentence = item;
    past.push_back(std::move(change));
  }
  return past;
}

StepView read_view(const Query& query) {
  StepView view;
  view.row = read_step(query);
  view.past = parse_history(query.text(step_column_count));
  return view;
}

void add_surroundings(Store& store, StepView& view) {
  if (view.row.result != 0) view.result = store.find_result_by_id(view.row.result);
  if (view.row.attempts > 0) {
    view.attempts = list_attempts(store, view.row.run, view.row.step, view.row.element);
  }
}

const std::string& steps_sql(const StepFilter& filter) {
  static const std::string tail =
      "WHERE s.run = ?1 AND (s.step, s.element) > (?2, ?3) AND (?5 = '' OR s.step = ?5) ";
  static const std::string order = "ORDER BY s.step, s.element LIMIT ?4";
  static const std::string all = select(step_columns, ", s.history FROM steps s ") + tail + order;
  static const std::string stuck =
      select(step_columns, ", s.history FROM steps s INDEXED BY steps_stuck ") + tail +
      "AND s.state IN ('failed', 'halted', 'in_review', 'rejected') " + order;
  return filter.stuck_only ? stuck : all;
}

}  // namespace

std::optional<StepView> find_step(Store& store, RunNumber run, const StepName& name) {
  static const std::string sql =
      select(step_columns,
             ", s.history FROM steps s WHERE s.run = ?1 AND s.step = ?2 AND s.element = ?3");
  std::optional<StepView> view;
  {
    Query query(store.database(), sql.c_str(), run, name.step, name.element);
    if (!query.next()) return std::nullopt;
    view = read_view(query);
  }
  add_surroundings(store, *view);
  return view;
}

std::vector<StepView> list_steps(Store& store, const StepFilter& filter) {
  std::vector<StepView> views;
  {
    Query query(store.database(), steps_sql(filter).c_str(), filter.run, filter.after.step,
                filter.after.element, bounded(filter.limit), filter.step);
    while (query.next()) views.push_back(read_view(query));
  }
  for (StepView& view : views) add_surroundings(store, view);
  return views;
}

std::vector<StepRow> list_step_rows(Store& store, const StepFilter& filter) {
  Query query(store.database(), steps_sql(filter).c_str(), filter.run, filter.after.step,
              filter.after.element, bounded(filter.limit), filter.step);
  std::vector<StepRow> rows;
  while (query.next()) rows.push_back(read_step(query));
  return rows;
}

std::vector<AttemptRow> list_attempts(Store& store, RunNumber run, const std::string& step,
                                      const std::string& element) {
  static const std::string sql =
      select(attempt_columns,
             "FROM attempts a WHERE a.run = ?1 AND a.step = ?2 AND a.element = ?3 "
             "ORDER BY a.number LIMIT ?4");
  Query query(store.database(), sql.c_str(), run, step, element, view_limit_max);
  std::vector<AttemptRow> rows;
  while (query.next()) rows.push_back(read_attempt(query));
  return rows;
}

std::optional<AttemptRow> find_attempt(Store& store, const std::string& id) {
  static const std::string sql = select(attempt_columns, "FROM attempts a WHERE a.id = ?1");
  Query query(store.database(), sql.c_str(), id);
  if (!query.next()) return std::nullopt;
  return read_attempt(query);
}

std::vector<StepHistoryView> step_history(Store& store, const std::string& pipeline,
                                          const std::string& step, const std::string& element,
                                          int limit) {
  static const std::string sql =
      select(step_columns,
             ", r.state, r.created_at FROM runs r INDEXED BY runs_by_pipeline "
             "CROSS JOIN steps s ON s.run = r.number AND s.step = ?2 "
             "WHERE r.pipeline = ?1 AND (?3 = '' OR s.element = ?3) "
             "ORDER BY r.number DESC, s.element LIMIT ?4");
  Query query(store.database(), sql.c_str(), pipeline, step, element, bounded(limit));
  std::vector<StepHistoryView> views;
  while (query.next()) {
    views.push_back({read_step(query),
                     parse_run_state(query.text(step_column_count)).value_or(RunState::failed),
                     query.integer(step_column_count + 1)});
  }
  return views;
}

std::vector<DurationView> list_durations(Store& store, RunNumber run) {
  Query query(store.database(),
              "SELECT s.step, s.element, r.ended_at - r.started_at FROM steps s "
              "JOIN results r ON r.id = s.result WHERE s.run = ?1 ORDER BY s.step, s.element "
              "LIMIT ?2", run, 100 * view_limit_max);
  std::vector<DurationView> views;
  while (query.next()) views.push_back({query.string(0), query.string(1), query.integer(2)});
  return views;
}

std::optional<double> find_metric(Store& store, RunNumber run, const std::string& name) {
  const MetricName wanted = MetricName::parse(name);
  Query query(store.database(),
              "SELECT m.value FROM steps s JOIN metrics m ON m.result = s.result "
              "WHERE s.run = ?1 AND s.result <> 0 AND m.slice = ?3 "
              "AND (m.name = ?2 OR s.step || '.' || m.name = ?2) ORDER BY s.seq DESC LIMIT 1",
              run, wanted.name, wanted.slice);
  if (!query.next() || query.is_null(0)) return std::nullopt;
  return query.real(0);
}

std::optional<ResultRow> result_of_attempt(Store& store, const RunRow& run,
                                           const AttemptRow& attempt) {
  Query query(store.database(),
              "SELECT id FROM results WHERE pipeline = ?1 AND step = ?2 AND element = ?3 "
              "AND key IS NOT NULL AND attempt = ?4 LIMIT 1",
              run.pipeline, attempt.step, attempt.element, attempt.id);
  if (!query.next()) return std::nullopt;
  return store.find_result_by_id(query.integer(0));
}

std::vector<ResolutionRow> list_resolutions(Store& store, RunNumber run, int limit) {
  Query query(store.database(),
              "SELECT e.scope, e.run, e.port, e.position, e.origin, e.seq, o.digest, o.type, "
              "o.size FROM resolutions e LEFT JOIN artifacts o ON o.id = e.artifact "
              "WHERE e.run <= ?1 ORDER BY e.run DESC LIMIT ?2", run, limit);
  std::vector<ResolutionRow> rows;
  while (query.next()) {
    ResolutionRow row;
    row.scope = query.digest(0), row.run = query.integer(1);
    if (!query.is_null(2)) {
      row.answer = Binding{query.string(2), query.integer(3),
                           {query.digest(6), query.string(7), query.integer(8)}};
    }
    row.origin = query.string(4), row.seq = query.integer(5);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace pipelined
