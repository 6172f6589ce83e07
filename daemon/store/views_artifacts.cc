// Artifacts and where they stood, for people.
#include <algorithm>

#include "daemon/store/rows.h"
#include "daemon/store/views.h"

namespace pipelined {
namespace {

constexpr const char* artifact_columns =
    "o.id, o.digest, o.type, o.size, o.files, o.created_at, o.tombstone_at, o.manifest IS NOT NULL";

ArtifactView read_artifact(const Query& query) {
  return {query.integer(0),
          {query.digest(1), query.string(2), query.integer(3)},
          query.integer(4),
          query.integer(5),
          query.integer(6),
          query.flag(7)};
}

int bounded(int limit) { return std::clamp(limit, 0, view_limit_max); }

std::vector<BindingView> bindings_of(Store& store, std::int64_t artifact, bool output, int limit) {
  Query query(store.database(),
              "SELECT r.pipeline, r.step, r.element, b.port, b.position, r.run, r.id, r.ended_at "
              "FROM bindings b JOIN results r ON r.id = b.result "
              "WHERE b.artifact = ?1 AND b.output = ?2 ORDER BY r.id DESC LIMIT ?3",
              artifact, output, bounded(limit));
  std::vector<BindingView> views;
  while (query.next()) {
    views.push_back({output, query.string(0), query.string(1), query.string(2), query.string(3),
                     query.integer(4), query.integer(5), query.integer(6), query.integer(7)});
  }
  return views;
}

/// The digest that begins with these digits and goes on with `fill`.
std::optional<Digest> completed(const std::string& prefix, char fill) {
  if (prefix.size() > 64) return std::nullopt;
  return parse_digest(prefix + std::string(64 - prefix.size(), fill));
}

}  // namespace

std::vector<ArtifactView> list_artifacts(Store& store, const ArtifactFilter& filter) {
  static const std::string all =
      select(artifact_columns, "FROM artifacts o WHERE o.id < ?1 ORDER BY o.id DESC LIMIT ?2");
  static const std::string typed = select(
      artifact_columns,
      "FROM artifacts o WHERE o.id < ?1 AND o.type = ?3 ORDER BY o.id DESC LIMIT ?2");
  Query query(store.database(), filter.type.empty() ? all.c_str() : typed.c_str(),
              filter.before > 0 ? filter.before : INT64_MAX, bounded(filter.limit));
  if (!filter.type.empty()) query.bind(3, filter.type);
  std::vector<ArtifactView> views;
  while (query.next()) views.push_back(read_artifact(query));
  return views;
}

std::vector<Digest> find_artifacts(Store& store, const std::string& prefix, int limit) {
  const auto lowest = completed(prefix, '0'), highest = completed(prefix, 'f');
  std::vector<Digest> found;
  if (prefix.size() < 4 || !lowest || !highest) return found;
  Query query(store.database(),
              "SELECT digest FROM artifacts WHERE digest BETWEEN ?1 AND ?2 ORDER BY digest LIMIT ?3",
              *lowest, *highest, bounded(limit));
  while (query.next()) found.push_back(query.digest(0));
  return found;
}

std::optional<ArtifactDetail> show_artifact(Store& store, const Digest& digest, int limit) {
  static const std::string sql = select(artifact_columns, "FROM artifacts o WHERE o.digest = ?1");
  static const std::string arrivals = select(
      arrival_columns,
      "FROM arrivals a JOIN artifacts o ON o.id = a.artifact WHERE a.artifact = ?1 "
      "ORDER BY a.number DESC LIMIT ?2");
  ArtifactDetail detail;
  {
    Query query(store.database(), sql.c_str(), digest);
    if (!query.next()) return std::nullopt;
    detail.view = read_artifact(query);
  }
  detail.manifest = store.find_manifest(digest);
  detail.producers = bindings_of(store, detail.view.number, true, limit);
  detail.consumers = bindings_of(store, detail.view.number, false, limit);
  Query query(store.database(), arrivals.c_str(), detail.view.number, bounded(limit));
  while (query.next()) detail.arrivals.push_back(read_arrival(query));
  return detail;
}

std::vector<RunNumber> runs_with(Store& store, const ResultRow& result, int limit) {
  std::vector<RunNumber> runs;
  Query query(store.database(),
              "SELECT DISTINCT run FROM steps WHERE pipeline = ?1 AND step = ?2 AND element = ?3 "
              "AND state IN ('succeeded', 'cached') AND result = ?4 ORDER BY run DESC LIMIT ?5",
              result.pipeline, result.step, result.element, result.id, bounded(limit));
  while (query.next()) runs.push_back(query.integer(0));
  if (runs.empty()) runs.push_back(result.run);  // its row has gone or was done again since
  return runs;
}

std::vector<Digest> delivered_as(Store& store, const std::string& text, int limit) {
  std::vector<Digest> found;
  Query query(store.database(),
              "SELECT o.digest, max(a.number) AS newest FROM arrivals a JOIN artifacts o ON "
              "o.id = a.artifact WHERE a.path = ?1 OR a.source || '/' || a.span = ?1 OR "
              "a.pipeline || '/' || a.source || '/' || a.span = ?1 "
              "GROUP BY o.digest ORDER BY newest DESC LIMIT ?2",
              text, bounded(limit));
  while (query.next()) found.push_back(query.digest(0));
  return found;
}

}  // namespace pipelined
