// Runs, steps, alerts, spans and the outbox for people.
#include "daemon/store/views.h"

#include <algorithm>
#include <charconv>

#include "daemon/store/rows.h"

namespace pipelined {
namespace {

int bounded(int limit) { return std::clamp(limit, 0, view_limit_max); }

void count_step(StepCounts& counts, StepState state, std::int64_t number) {
  switch (state) {
    case StepState::running: counts.running += number; break;
    case StepState::succeeded: counts.succeeded += number; break;
    case StepState::cached: counts.cached += number; break;
    case StepState::failed: counts.failed += number; break;
    case StepState::halted: counts.halted += number; break;
    case StepState::in_review: counts.in_review += number; break;
    case StepState::rejected: counts.rejected += number; break;
    case StepState::cancelled: counts.cancelled += number; break;
    case StepState::skipped: counts.skipped += number; break;
    case StepState::blocked: counts.blocked += number; break;
    case StepState::waiting:
    case StepState::ready: break;
  }
}

/// Counts as the run's row has them: "cached 36,succeeded 9"; ended runs only.
StepCounts parse_counts(std::string_view text) {
  StepCounts counts;
  while (!text.empty()) {
    const std::string_view item = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), item.size() + 1));
    const std::size_t blank = item.find(' ');
    const auto state = parse_step_state(item.substr(0, blank));
    std::int64_t number = 0;
    if (blank == std::string_view::npos || !state) continue;
    std::from_chars(item.data() + blank + 1, item.data() + item.size(), number);
    count_step(counts, *state, number);
  }
  return counts;
}

StepCounts counts_of(Database& database, RunNumber run) {
  StepCounts counts;
  Query query(database, "SELECT state, count(*) FROM steps WHERE run = ?1 GROUP BY state", run);
  while (query.next()) {
    const auto state = parse_step_state(query.text(0));
    if (state) count_step(counts, *state, query.integer(1));
  }
  return counts;
}

/// SELECTs of the run list: by number alone, by pipeline, by state, by both.
const std::string& run_list_sql(const RunFilter& filter) {
  static const std::string tail = " ORDER BY r.number DESC LIMIT ?2";
  static const std::string all = select(run_columns, ", r.counts FROM runs r WHERE r.number < ?1") + tail;
  static const std::string one =
      select(run_columns, ", r.counts FROM runs r WHERE r.number < ?1 AND r.pipeline = ?3") + tail;
  static const std::string state =
      select(run_columns, ", r.counts FROM runs r WHERE r.number < ?1 AND r.state = ?4") + tail;
  static const std::string both =
      select(run_columns, ", r.counts FROM runs r INDEXED BY runs_by_pipeline "
                          "WHERE r.number < ?1 AND r.pipeline = ?3 AND r.state = ?4") + tail;
  if (filter.pipeline.empty()) return filter.state ? state : all;
  return filter.state ? both : one;
}

}  // namespace

std::vector<RunView> list_runs(Store& store, const RunFilter& filter) {
  Database& database = store.database();
  const RunNumber before = filter.before > 0 ? filter.before : INT64_MAX;
  std::vector<RunView> views;
  {
    Query query(database, run_list_sql(filter).c_str(), before, bounded(filter.limit));
    if (!filter.pipeline.empty()) query.bind(3, filter.pipeline);
    if (filter.state) query.bind(4, name_of(*filter.state));
    while (query.next()) {
      views.push_back({read_run(query), parse_counts(query.text(run_column_count))});
    }
  }
  for (RunView& view : views) {
    if (view.counts.total() == 0) view.counts = counts_of(database, view.row.number);
  }
  return views;
}

RunNumber newest_run(Store& store, const std::string& pipeline) {
  Query query(store.database(),
              "SELECT max(number) FROM runs WHERE ?1 = '' OR pipeline = ?1", pipeline);
  return query.next() ? query.integer(0) : 0;
}

std::optional<RunView> find_run_view(Store& store, RunNumber run) {
  auto row = store.find_run(run);
  if (!row) return std::nullopt;
  RunView view{*std::move(row), {}};
  Query query(store.database(), "SELECT counts FROM runs WHERE number = ?1", run);
  if (query.next()) view.counts = parse_counts(query.text(0));
  if (view.counts.total() == 0) view.counts = counts_of(store.database(), run);
  return view;
}

std::vector<MetricView> list_metrics(Store& store, const std::vector<RunNumber>& runs) {
  std::vector<MetricView> views;
  for (const RunNumber run : runs) {
    Query query(store.database(),
                "SELECT s.step, s.element, m.name, m.slice, m.value FROM steps s "
                "JOIN metrics m ON m.result = s.result WHERE s.run = ?1 AND s.result <> 0 "
                "ORDER BY s.step, s.element, m.ordinal LIMIT ?2", run, 100 * view_limit_max);
    while (query.next()) {
      views.push_back({run, query.string(0), query.string(1),
                       {query.string(2), query.string(3), query.real(4)}});
    }
  }
  return views;
}

std::vector<PipelineRow> list_pipelines(Store& store) {
  static const std::string sql =
      select(pipeline_columns, "FROM pipelines p WHERE p.current ORDER BY p.name LIMIT ?1");
  Query query(store.database(), sql.c_str(), view_limit_max);
  std::vector<PipelineRow> rows;
  while (query.next()) rows.push_back(read_pipeline(query));
  return rows;
}

std::vector<PipelineRow> list_versions(Store& store, const std::string& pipeline, int limit) {
  static const std::string sql = select(
      pipeline_columns, "FROM pipelines p WHERE p.name = ?1 ORDER BY p.seq DESC LIMIT ?2");
  Query query(store.database(), sql.c_str(), pipeline, bounded(limit));
  std::vector<PipelineRow> rows;
  while (query.next()) rows.push_back(read_pipeline(query));
  return rows;
}

std::vector<SpanRow> list_spans(Store& store, const SpanFilter& filter) {
  static const std::string sql = select(
      span_columns,
      "FROM spans s JOIN artifacts o ON o.id = s.artifact "
      "WHERE (?1 = '' OR s.pipeline = ?1) AND (?2 = '' OR s.source = ?2) "
      "AND (?3 = '' OR s.span = ?3) AND (?4 = 0 OR NOT EXISTS (SELECT 1 FROM spans n "
      "WHERE n.pipeline = s.pipeline AND n.source = s.source AND n.span = s.span "
      "AND n.version > s.version)) "
      "ORDER BY s.pipeline, s.source, s.span, s.version LIMIT ?5 OFFSET ?6");
  Query query(store.database(), sql.c_str(), filter.pipeline, filter.source, filter.span,
              filter.newest_only, bounded(filter.limit), std::max(filter.offset, 0));
  std::vector<SpanRow> rows;
  while (query.next()) rows.push_back(read_span(query));
  return rows;
}

std::vector<SourceView> list_sources(Store& store, const std::string& pipeline) {
  std::vector<SourceView> views;
  Query query(store.database(),
              "SELECT pipeline, source, count(*), count(DISTINCT span) FROM arrivals "
              "WHERE ?1 = '' OR pipeline = ?1 GROUP BY pipeline, source "
              "ORDER BY pipeline, source LIMIT ?2", pipeline, view_limit_max);
  while (query.next()) {
    SourceView view{query.string(0), query.string(1), query.integer(2), query.integer(3), {}};
    const auto newest = list_arrivals(store, view.pipeline, view.source, 0, 1);
    if (!newest.empty()) view.newest = newest.front();
    views.push_back(std::move(view));
  }
  return views;
}

std::vector<ArrivalRow> list_arrivals(Store& store, const std::string& pipeline,
                                      const std::string& source, std::int64_t before, int limit) {
  static const std::string sql = select(
      arrival_columns,
      "FROM arrivals a JOIN artifacts o ON o.id = a.artifact WHERE (?1 = '' OR a.pipeline = ?1) "
      "AND (?2 = '' OR a.source = ?2) AND a.number < ?3 ORDER BY a.number DESC LIMIT ?4");
  Query query(store.database(), sql.c_str(), pipeline, source, before > 0 ? before : INT64_MAX,
              bounded(limit));
  std::vector<ArrivalRow> rows;
  while (query.next()) rows.push_back(read_arrival(query));
  return rows;
}

std::vector<DecisionRow> list_decisions(Store& store, const std::string& pipeline, RunNumber run,
                                        int limit) {
  Query query(store.database(),
              "SELECT kind, pipeline, subject, who, why, run, at, seq FROM decisions "
              "WHERE (?1 = '' OR pipeline = ?1) AND (?2 = 0 OR run = ?2) "
              "ORDER BY id DESC LIMIT ?3", pipeline, run, bounded(limit));
  std::vector<DecisionRow> rows;
  while (query.next()) {
    rows.push_back({query.string(0), query.string(1), query.string(2), query.string(3),
                    query.string(4), query.integer(5), query.integer(6), query.integer(7)});
  }
  return rows;
}

std::vector<AcceptanceRow> list_acceptances(Store& store, int limit) {
  static const std::string sql =
      select(acceptance_columns, "FROM acceptances a ORDER BY a.seq DESC LIMIT ?1");
  Query query(store.database(), sql.c_str(), bounded(limit));
  std::vector<AcceptanceRow> rows;
  while (query.next()) rows.push_back(read_acceptance(query));
  return rows;
}

}  // namespace pipelined
