// The questions of the engine.
#include <algorithm>
#include <limits>
#include <queue>
#include <unordered_set>

#include "daemon/store/manifest_text.h"
#include "daemon/store/rows.h"
#include "daemon/store/store.h"
#include "daemon/store/store_state.h"

namespace pipelined {
namespace {

/// The first row of a query over results, without bindings and metrics.
struct FoundResult {
  ResultRow row;
  std::int64_t bindings = 0, metrics = 0;
};

std::optional<FoundResult> first_of(Query& query) {
  if (!query.next()) return std::nullopt;
  return FoundResult{read_result(query), query.integer(12), query.integer(13)};
}

}  // namespace

void Store::State::complete(ResultRow& result, std::int64_t bindings, std::int64_t metrics) {
  if (bindings > 0) {
    Query query(*database,
                "SELECT b.output, b.port, b.position, o.digest, o.type, o.size FROM bindings b "
                "JOIN artifacts o ON o.id = b.artifact WHERE b.result = ?1 "
                "ORDER BY b.output, b.ordinal", result.id);
    while (query.next()) {
      (query.flag(0) ? result.outputs : result.inputs)
          .push_back({query.string(1), query.integer(2),
                      {query.digest(3), query.string(4), query.integer(5)}});
    }
  }
  if (metrics > 0) {
    Query query(*database, "SELECT name, slice, value FROM metrics WHERE result = ?1 "
                "ORDER BY ordinal", result.id);
    while (query.next()) {
      result.metrics.push_back({query.string(0), query.string(1), query.real(2)});
    }
  }
}

bool Store::State::is_given_up(const Digest& artifact) {
  // Its bytes may lie there until they are removed, which may be at any moment.
  if (objects->find_unrecorded(artifact) != nullptr) return false;
  Query query(*database, "SELECT tombstone_at IS NOT NULL OR corrupt_at IS NOT NULL FROM artifacts "
              "WHERE digest = ?1", artifact);
  return query.next() && query.flag(0);
}

std::optional<ResultRow> Store::find_result(const Digest& key, std::int64_t before_seq) {
  static const std::string sql = select(
      result_columns, "FROM results r WHERE r.key = ?1 AND r.seq < ?2 AND NOT EXISTS (SELECT 1 "
      "FROM invalidations i WHERE i.result = r.id) ORDER BY r.seq DESC LIMIT 1");
  Query query(*state_->database, sql.c_str(), key, before_seq);
  auto found = first_of(query);
  if (!found) return std::nullopt;
  state_->complete(found->row, found->bindings, found->metrics);
  return std::move(found->row);
}

std::optional<ResultRow> Store::find_result_by_id(std::int64_t id) {
  static const std::string sql = select(result_columns, "FROM results r WHERE r.id = ?1");
  Query query(*state_->database, sql.c_str(), id);
  auto found = first_of(query);
  if (!found) return std::nullopt;
  state_->complete(found->row, found->bindings, found->metrics);
  return std::move(found->row);
}

std::optional<Digest> Store::first_lost(const ResultRow& result) {
  if (state_->objects == nullptr) return std::nullopt;
  for (const Binding& output : result.outputs) {
    const auto manifest = find_manifest(output.artifact.digest);
    const bool whole = manifest && !state_->is_given_up(output.artifact.digest) &&
                       state_->objects->is_whole(*manifest);
    if (!whole) return output.artifact.digest;
  }
  return std::nullopt;
}

std::optional<Manifest> Store::find_manifest(const Digest& artifact) {
  {
    Query query(*state_->database,
                "SELECT manifest FROM artifacts WHERE digest = ?1 AND manifest IS NOT NULL",
                artifact);
    if (query.next()) {
      auto manifest = parse_manifest(query.text(0));
      if (manifest) return *std::move(manifest);
      return std::nullopt;
    }
  }
  if (state_->objects == nullptr) return std::nullopt;
  const Manifest* manifest = state_->objects->find_unrecorded(artifact);
  return manifest != nullptr ? std::optional<Manifest>(*manifest) : std::nullopt;
}

std::optional<ResultRow> Store::nearest_result(const std::string& pipeline, const std::string& step,
                                               const std::string& element) {
  static const std::string exact =
      select(result_columns,
             "FROM results r WHERE r.pipeline = ?1 AND r.step = ?2 AND r.element = ?3 "
             "AND r.key IS NOT NULL ORDER BY r.seq DESC LIMIT 1");
  static const std::string any =
      select(result_columns,
             "FROM results r WHERE r.pipeline = ?1 AND r.step = ?2 AND r.key IS NOT NULL "
             "ORDER BY r.seq DESC LIMIT 1");
  std::optional<FoundResult> found;
  {
    Query query(*state_->database, exact.c_str(), pipeline, step, element);
    found = first_of(query);
  }
  if (!found && element.empty()) {
    Query query(*state_->database, any.c_str(), pipeline, step);
    found = first_of(query);
  }
  if (!found) return std::nullopt;
  state_->complete(found->row, found->bindings, found->metrics);
  return std::move(found->row);
}

std::optional<std::int64_t> Store::find_duration(const std::string& pipeline,
                                                 const std::string& step) {
  // The last of the index, so that not all results of the step are looked at.
  Query query(*state_->database,
              "SELECT ended_at - started_at FROM results WHERE pipeline = ?1 AND step = ?2 "
              "AND key IS NOT NULL ORDER BY element DESC, seq DESC LIMIT 1", pipeline, step);
  if (!query.next()) return std::nullopt;
  return query.integer(0);
}

std::optional<AcceptanceRow> Store::find_acceptance(const Digest& key) {
  static const std::string sql = select(acceptance_columns, "FROM acceptances a WHERE a.key = ?1");
  Query query(*state_->database, sql.c_str(), key);
  if (!query.next()) return std::nullopt;
  return read_acceptance(query);
}

std::optional<ResolutionRow> Store::find_resolution(const Digest& scope, std::int64_t before_seq) {
  Query query(*state_->database,
              "SELECT e.run, e.port, e.position, e.origin, e.seq, o.digest, o.type, o.size "
              "FROM resolutions e LEFT JOIN artifacts o ON o.id = e.artifact "
              "WHERE e.scope = ?1 AND e.seq < ?2 ORDER BY e.run DESC LIMIT 1", scope, before_seq);
  if (!query.next()) return std::nullopt;
  ResolutionRow row;
  row.scope = scope;
  row.run = query.integer(0);
  row.origin = query.string(3);
  row.seq = query.integer(4);
  if (!query.is_null(1)) {
    row.answer = Binding{query.string(1), query.integer(2),
                         {query.digest(5), query.string(6), query.integer(7)}};
  }
  return row;
}

std::vector<StepRow> Store::finished_steps(const std::string& pipeline, const std::string& step,
                                           const std::string& element, bool full_only,
                                           std::int64_t before_seq, int offset, int limit) {
  static const std::string sql = select(
      step_columns,
      "FROM steps s INDEXED BY steps_finished WHERE s.pipeline = ?1 AND s.step = ?2 "
      "AND s.element = ?3 AND s.state IN ('succeeded', 'cached') AND s.full_run >= ?4 "
      "AND s.seq < ?5 AND NOT EXISTS (SELECT 1 FROM invalidations i WHERE i.result = s.result) "
      "ORDER BY s.run DESC LIMIT ?6 OFFSET ?7");
  Query query(*state_->database, sql.c_str(), pipeline, step, element, full_only, before_seq,
              limit, offset);
  std::vector<StepRow> rows;
  while (query.next()) rows.push_back(read_step(query));
  return rows;
}

std::vector<Digest> Store::ancestors(const Digest& artifact, int limit) {
  // What was made later is nobody's ancestor: equal content has one digest, and may be made again
  // from other things.  So each input is followed to results older than the one that read it, and
  // the youngest reader is looked at first: every artifact is visited once.
  struct Reader {
    std::int64_t result, artifact;
    bool operator<(const Reader& other) const {
      return result != other.result ? result < other.result : artifact > other.artifact;
    }
  };
  std::vector<Digest> found;
  std::unordered_set<std::int64_t> known, visited;
  std::priority_queue<Reader> open;
  {
    Query query(*state_->database, "SELECT id FROM artifacts WHERE digest = ?1", artifact);
    if (!query.next()) return found;
    open.push({std::numeric_limits<std::int64_t>::max(), query.integer(0)});
    known.insert(open.top().artifact);
  }
  while (!open.empty() && found.size() < static_cast<std::size_t>(std::max(limit, 0))) {
    const Reader current = open.top();
    open.pop();
    if (!visited.insert(current.artifact).second) continue;
    Query query(*state_->database,
                "SELECT max(b.result), i.artifact, o.digest FROM bindings b INDEXED BY "
                "bindings_by_artifact JOIN bindings i ON i.result = b.result AND i.output = 0 "
                "JOIN artifacts o ON o.id = i.artifact "
                "WHERE b.artifact = ?1 AND b.output = 1 AND b.result < ?2 "
                "GROUP BY i.artifact ORDER BY i.artifact", current.artifact, current.result);
    while (query.next() && found.size() < static_cast<std::size_t>(limit)) {
      open.push({query.integer(0), query.integer(1)});
      if (known.insert(query.integer(1)).second) found.push_back(query.digest(2));
    }
  }
  return found;
}

std::vector<StepRow> Store::steps_of(RunNumber run) {
  static const std::string sql =
      select(step_columns, "FROM steps s WHERE s.run = ?1 ORDER BY s.step, s.element");
  Query query(*state_->database, sql.c_str(), run);
  std::vector<StepRow> rows;
  while (query.next()) rows.push_back(read_step(query));
  return rows;
}

std::optional<RunRow> Store::find_run(RunNumber run) {
  static const std::string sql = select(run_columns, "FROM runs r WHERE r.number = ?1");
  Query query(*state_->database, sql.c_str(), run);
  if (!query.next()) return std::nullopt;
  RunRow row = read_run(query);
  Query spans(*state_->database, "SELECT spans FROM run_spans WHERE run = ?1", run);
  if (spans.next()) row.spans = parse_run_spans(spans.text(0));
  return row;
}

}  // namespace pipelined
