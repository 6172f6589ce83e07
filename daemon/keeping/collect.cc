#include "daemon/keeping/collect.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <set>
#include <unordered_set>

#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/object_folder.h"
#include "daemon/keeping/fsck.h"
#include "daemon/store/manifest_text.h"
#include "daemon/store/named_digests.h"
#include "daemon/store/removal.h"
#include "daemon/store/rows.h"

namespace pipelined {
namespace {

constexpr std::int64_t checkpoints_days = 14;

/// A plan on its way.
struct Planner {
  Database& records;
  const CollectOptions& options;
  CollectPlan plan;
  std::map<RunNumber, RunVerdict> verdicts;
  std::unordered_map<std::string, TimeMs> notes;      ///< name → when it was first without a use
  std::unordered_set<std::string> still_unused;       ///< names that stay noted or are noted now
  std::unordered_set<std::int64_t> used;              ///< artifacts
  std::unordered_set<Digest> bundle_files;            ///< contents of the bundles that stay
  bool any_open = false;

  void read_notes();
  void judge_the_runs();
  void judge_the_results();
  void judge_messages();
  void judge_versions();
  void use_arrivals();
  void use_resolutions();
  void use_others();
  void judge_artifacts();
  void judge_rows();
  void judge_objects(int root);
  void judge_logs(int root);
  void judge_trees(int root);
  void judge_checkpoints(int root);
  void judge_pages();
  void forget_notes();
  Unused judge(const std::string& name, TimeMs touched_at);
  const RunVerdict* verdict_of(RunNumber run) const {
    const auto found = verdicts.find(run);
    return found != verdicts.end() ? &found->second : nullptr;
  }
  bool bytes_stay(RunNumber run) const {
    const RunVerdict* verdict = verdict_of(run);
    return verdict != nullptr && verdict->bytes;
  }
  bool stopped() const { return options.stop != nullptr && options.stop->load(); }
};

ReportRow row_of(const char* name, const char* about) {
  ReportRow row;
  row.name = name;
  row.about = about;
  return row;
}

void Planner::read_notes() {
  Query query(records, "SELECT name, since FROM unused_objects");
  while (query.next()) notes.emplace(query.string(0), query.integer(1));
}

Unused Planner::judge(const std::string& name, TimeMs touched_at) {
  const auto noted = notes.find(name);
  const Unused verdict = judge_unused(noted != notes.end() ? noted->second : 0, touched_at,
                                      options.policy, options.now);
  if (verdict == Unused::remove) return verdict;
  still_unused.insert(name);
  if (noted == notes.end()) plan.noted.push_back(name);
  return verdict;
}

void Planner::judge_the_runs() {
  std::set<RunNumber> needed, pinned;
  {
    Query query(records,
                "SELECT DISTINCT newest FROM (SELECT max(run) AS newest FROM steps WHERE state IN "
                "('succeeded', 'cached') AND full_run GROUP BY pipeline, step)");
    while (query.next()) needed.insert(query.integer(0));
    Query pins(records, "SELECT CAST(subject AS INTEGER) FROM pins WHERE kind = 'run'");
    while (pins.next()) pinned.insert(pins.integer(0));
  }
  std::vector<RunFact> facts;
  {
    Query query(records, "SELECT number, pipeline, state, ended_at, full_run FROM runs");
    while (query.next()) {
      RunFact fact;
      fact.number = query.integer(0), fact.pipeline = query.string(1);
      fact.state = parse_run_state(query.text(2)).value_or(RunState::running);
      fact.ended_at = query.integer(3), fact.full = query.flag(4);
      fact.pinned = pinned.count(fact.number) > 0, fact.needed = needed.count(fact.number) > 0;
      facts.push_back(std::move(fact));
    }
  }
  const auto judged = judge_runs(facts, options.policy, options.now);
  ReportRow row = row_of("runs", "runs with their steps and attempts");
  row.checked = static_cast<std::int64_t>(facts.size());
  for (std::size_t i = 0; i < facts.size(); ++i) {
    verdicts[facts[i].number] = judged[i];
    any_open = any_open || std::string_view(judged[i].why) == "open";
    if (judged[i].rows) continue;
    plan.runs.push_back(facts[i].number);
    row.note("run " + std::to_string(facts[i].number) + " of " + facts[i].pipeline + ": " +
             judged[i].why, facts[i].number);
  }
  plan.report.push_back(std::move(row));
}

void Planner::judge_the_results() {
  std::unordered_map<std::int64_t, std::size_t> places;
  std::vector<ResultFact> facts;
  {
    Query query(records, "SELECT id, ended_at, key IS NOT NULL FROM results");
    while (query.next()) {
      places.emplace(query.integer(0), facts.size());
      facts.push_back({query.integer(0), query.integer(1), query.flag(2), false, false, {}, {}});
    }
    Query shown(records, "SELECT DISTINCT result, run FROM steps WHERE result > 0");
    while (shown.next()) {
      const auto place = places.find(shown.integer(0));
      const RunVerdict* verdict = verdict_of(shown.integer(1));
      if (place == places.end() || verdict == nullptr) continue;
      facts[place->second].shown |= verdict->rows;
      facts[place->second].bytes_shown |= verdict->bytes;
    }
    Query bound(records, "SELECT result, output, artifact FROM bindings");
    while (bound.next()) {
      const auto place = places.find(bound.integer(0));
      if (place == places.end()) continue;
      ResultFact& fact = facts[place->second];
      (bound.flag(1) ? fact.outputs : fact.inputs).push_back(bound.integer(2));
    }
  }
  const auto judged = judge_results(facts, options.policy, options.now);
  ReportRow row = row_of("results", "results that no run shows and that are too old for reuse");
  row.checked = static_cast<std::int64_t>(facts.size());
  for (std::size_t i = 0; i < facts.size(); ++i) {
    if (judged[i].bytes) {
      used.insert(facts[i].inputs.begin(), facts[i].inputs.end());
      used.insert(facts[i].outputs.begin(), facts[i].outputs.end());
    }
    if (judged[i].rows) continue;
    plan.results.push_back(facts[i].id);
    ++row.found;
  }
  plan.report.push_back(std::move(row));
}

void Planner::judge_messages() {
  ReportRow alerts = row_of("alerts", "alerts that do not stand any more");
  {
    // Whether a step stands where its alert left it is what "open" means; those stay.
    Query query(records,
                "SELECT a.id, a.at, EXISTS (SELECT 1 FROM outbox o WHERE o.alert = a.id AND o.state "
                "IN ('pending', 'claimed')), EXISTS (SELECT 1 FROM runs r WHERE r.number = a.run "
                "AND r.state IN ('queued', 'running', 'halted', 'in_review')), EXISTS (SELECT 1 "
                "FROM alerts b WHERE b.pipeline = a.pipeline AND b.subject = a.subject AND "
                "b.seq > a.seq), a.run FROM alerts a");
    while (query.next()) {
      ++alerts.checked;
      const RunNumber run = query.integer(5);
      const bool stands = query.flag(2) || query.flag(3) || (run == 0 && !query.flag(4));
      const bool run_stays = run > 0 && verdict_of(run) != nullptr && verdict_of(run)->rows;
      if (stands || run_stays || !is_past(query.integer(1), options.policy.events_days, options.now)) {
        continue;
      }
      plan.alerts.push_back(query.string(0));
      ++alerts.found;
    }
  }
  ReportRow decisions = row_of("decisions", "decisions about runs that are gone");
  {
    Query query(records, "SELECT id, at, run FROM decisions");
    while (query.next()) {
      ++decisions.checked;
      const RunVerdict* verdict = verdict_of(query.integer(2));
      if (verdict != nullptr && verdict->rows) continue;
      if (!is_past(query.integer(1), options.policy.events_days, options.now)) continue;
      plan.decisions.push_back(query.integer(0));
      ++decisions.found;
    }
  }
  plan.report.push_back(std::move(alerts));
  plan.report.push_back(std::move(decisions));
}

void Planner::judge_versions() {
  std::set<std::pair<std::string, Digest>> shown;
  {
    Query query(records, "SELECT number, pipeline, version FROM runs");
    while (query.next()) {
      if (verdict_of(query.integer(0))->rows) shown.emplace(query.string(1), query.digest(2));
    }
  }
  ReportRow row = row_of("versions", "versions of pipelines that no run shows");
  std::unordered_set<Digest> bundles;
  Query query(records, "SELECT name, version, current, applied_at FROM pipelines");
  while (query.next()) {
    ++row.checked;
    const std::pair<std::string, Digest> version(query.string(0), query.digest(1));
    const bool stays = query.flag(2) || shown.count(version) > 0 ||
                       !is_past(query.integer(3), options.policy.runs_days, options.now);
    if (stays) {
      bundles.insert(version.second);
    } else {
      plan.versions.push_back(version);
      row.note(version.first + " " + version.second.brief());
    }
  }
  for (const auto& [name, version] : shown) bundles.insert(version);
  for (const Digest& bundle : bundles) {
    Query found(records, "SELECT id, manifest FROM artifacts WHERE digest = ?1", bundle);
    if (!found.next()) continue;
    used.insert(found.integer(0));
    const auto manifest = parse_manifest(found.text(1));
    if (!manifest) continue;
    for (const ManifestFile& file : manifest->files) bundle_files.insert(file.digest);
  }
  plan.report.push_back(std::move(row));
}

void Planner::use_arrivals() {
  // The newest version of every span is the data that a new version of a pipeline reads.
  Query newest(records,
               "SELECT s.artifact FROM spans s WHERE s.version = (SELECT max(t.version) FROM spans t "
               "WHERE t.pipeline = s.pipeline AND t.source = s.source AND t.span = s.span)");
  while (newest.next()) used.insert(newest.integer(0));
  Query arrivals(records, "SELECT artifact, at, run FROM arrivals");
  while (arrivals.next()) {
    const bool old = is_past(arrivals.integer(1), options.policy.artifacts_days, options.now);
    if (!old || arrivals.integer(2) == 0) used.insert(arrivals.integer(0));
  }
  // A run that may go on reads the versions that it saw when it was created.
  Query seen(records, "SELECT r.number, r.pipeline, t.spans FROM runs r JOIN run_spans t ON "
             "t.run = r.number WHERE r.state <> 'succeeded'");
  while (seen.next()) {
    if (!bytes_stay(seen.integer(0))) continue;
    for (const RunSpan& span : parse_run_spans(seen.text(2))) {
      Query artifact(records, "SELECT artifact FROM spans WHERE pipeline = ?1 AND source = ?2 AND "
                     "span = ?3 AND version = ?4", seen.string(1), span.source, span.span,
                     span.version);
      if (artifact.next()) used.insert(artifact.integer(0));
    }
  }
}

void Planner::use_resolutions() {
  ReportRow row = row_of("resolutions", "what inputs that look back resolved to in runs that go");
  Query query(records, "SELECT e.scope, e.run, e.artifact, e.run = (SELECT max(f.run) FROM "
              "resolutions f WHERE f.scope = e.scope) FROM resolutions e");
  while (query.next()) {
    ++row.checked;
    const RunVerdict* verdict = verdict_of(query.integer(1));
    // Open runs go by the newest answer, whoever got it.
    const bool stays = (verdict != nullptr && verdict->rows) || (any_open && query.flag(3));
    const bool bytes = bytes_stay(query.integer(1)) || (any_open && query.flag(3));
    if (bytes && !query.is_null(2)) used.insert(query.integer(2));
    if (stays) continue;
    plan.resolutions.emplace_back(query.digest(0), query.integer(1));
    ++row.found;
  }
  plan.report.push_back(std::move(row));
}

/// Pins, and whatever tables else name an artifact.
void Planner::use_others() {
  {
    Query pins(records, "SELECT a.id FROM pins p JOIN artifacts a ON lower(hex(a.digest)) = "
               "p.subject WHERE p.kind = 'artifact'");
    while (pins.next()) used.insert(pins.integer(0));
  }
  used.merge(artifacts_named(records));
  std::vector<std::pair<std::string, std::string>> columns;
  {
    Query keys(records, "SELECT t.name, k.\"from\" FROM sqlite_schema t JOIN "
               "pragma_foreign_key_list(t.name) k WHERE t.type = 'table' AND "
               "k.\"table\" = 'artifacts' AND t.name NOT IN ('bindings', 'arrivals', 'spans', "
               "'resolutions')");
    while (keys.next()) columns.emplace_back(keys.string(0), keys.string(1));
  }
  for (const auto& [table, column] : columns) {
    Query named(records, "SELECT DISTINCT " + column + " FROM " + table + " WHERE " + column +
                             " IS NOT NULL");
    while (named.next()) used.insert(named.integer(0));
  }
}

void Planner::judge_artifacts() {
  ReportRow row = row_of("artifacts", "artifacts that nothing needs any more");
  std::int64_t waiting = 0;
  Query query(records, "SELECT id, digest, type, size, created_at, manifest FROM artifacts "
              "WHERE tombstone_at IS NULL");
  while (query.next()) {
    ++row.checked;
    if (used.count(query.integer(0)) > 0) continue;
    const auto manifest = parse_manifest(query.text(5));
    if (!manifest) continue;  // fsck tells of it
    // A file of a bundle that stays is an input as soon as a step asks for it.
    const bool of_bundle =
        !manifest->files.empty() &&
        std::all_of(manifest->files.begin(), manifest->files.end(), [this](const auto& file) {
          return bundle_files.count(file.digest) > 0;
        });
    if (of_bundle) continue;
    const Digest digest = query.digest(1);
    if (judge("artifact/" + digest.hex(), query.integer(4)) != Unused::remove) {
      ++waiting;
      continue;
    }
    plan.artifacts.push_back(query.integer(0));
    std::vector<std::string>& objects = plan.objects_of[digest];
    for (const ManifestFile& file : manifest->files) objects.push_back(ObjectFolder::name_of(file));
    row.note(digest.hex() + " " + query.string(2));
    row.bytes += query.integer(3);
  }
  if (waiting > 0) {
    row.sentence = std::to_string(waiting) + " more have no use now and go when a later collection "
                   "finds the same";
  }
  plan.report.push_back(std::move(row));
}

void Planner::judge_rows() {
  std::unordered_set<std::int64_t> named;
  Query query(records, "SELECT artifact FROM arrivals UNION SELECT artifact FROM spans UNION "
              "SELECT artifact FROM resolutions WHERE artifact IS NOT NULL");
  while (query.next()) named.insert(query.integer(0));
  Query deleted(records, "SELECT a.id, a.tombstone_at FROM artifacts a WHERE a.tombstone_at IS NOT "
                "NULL AND NOT EXISTS (SELECT 1 FROM bindings b WHERE b.artifact = a.id)");
  while (deleted.next()) {
    const bool old = is_past(deleted.integer(1), std::max<std::int64_t>(options.policy.runs_days, 1),
                             options.now);
    if (old && named.count(deleted.integer(0)) == 0 && used.count(deleted.integer(0)) == 0) {
      plan.artifact_rows.push_back(deleted.integer(0));
    }
  }
}

/// Calls `take(name, facts)` for every file in a folder below the store folder.
template <class Take>
void each_file(int root, const std::string& folder, Take take) {
  auto opened = open_at(root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW);
  DIR* entries = opened ? ::fdopendir(opened->get()) : nullptr;
  if (entries == nullptr) return;
  static_cast<void>(opened->release());
  while (const dirent* entry = ::readdir(entries)) {
    struct stat found {};
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (::fstatat(::dirfd(entries), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) == 0) {
      take(name, found);
    }
  }
  ::closedir(entries);
}

TimeMs modified_ms(const struct stat& found) {
  return static_cast<TimeMs>(found.st_mtim.tv_sec) * 1000 + found.st_mtim.tv_nsec / 1'000'000;
}

void Planner::judge_objects(int root) {
  // What any artifact that is not deleted names, those included that are about to be: their objects
  // go with them, after a last look, unless one that stays names them too.
  std::unordered_set<std::string> named, staying;
  const std::unordered_set<std::int64_t> leaving(plan.artifacts.begin(), plan.artifacts.end());
  std::unordered_map<std::string, TimeMs> deleted;
  {
    Query query(records,
                "SELECT manifest, tombstone_at, id FROM artifacts WHERE manifest IS NOT NULL");
    while (query.next()) {
      const auto manifest = parse_manifest(query.text(0));
      if (!manifest) continue;
      for (const ManifestFile& file : manifest->files) {
        if (query.is_null(1)) {
          named.insert(ObjectFolder::name_of(file));
          if (leaving.count(query.integer(2)) == 0) staying.insert(ObjectFolder::name_of(file));
        } else {
          deleted.emplace(ObjectFolder::name_of(file), query.integer(1));
        }
      }
    }
  }
  for (auto& [digest, objects] : plan.objects_of) {
    std::erase_if(objects, [&staying](const std::string& name) { return staying.count(name) > 0; });
  }
  ReportRow row = row_of("objects", "files of objects that no artifact names");
  for (unsigned i = 0; i < 256 && !stopped(); ++i) {
    char part[16];
    std::snprintf(part, sizeof part, "objects/%02x", i & 0xff);
    const std::string folder = part;
    each_file(root, folder, [&](const std::string& file, const struct stat& found) {
      ++row.checked;
      const std::string name = folder + "/" + file;
      if (named.count(name) > 0 || !S_ISREG(found.st_mode)) return;
      if (const auto with = deleted.find(name); with != deleted.end()) {
        notes.emplace(name, with->second);  // its artifact was found without a use twice
      }
      if (judge(name, modified_ms(found)) != Unused::remove) return;
      plan.objects.push_back(name);
      ++row.found;
      row.bytes += found.st_size;
    });
  }
  plan.report.push_back(std::move(row));
}

void Planner::judge_logs(int root) {
  ReportRow row = row_of("logs", "what attempts printed");
  each_file(root, "logs", [&](const std::string& file, const struct stat& found) {
    ++row.checked;
    Query query(records, "SELECT run FROM attempts WHERE id = ?1", file);
    const RunVerdict* verdict = query.next() ? verdict_of(query.integer(0)) : nullptr;
    if (verdict != nullptr && verdict->logs) return;
    const TimeMs age = options.policy.unused_hours * 3'600'000;
    if (verdict == nullptr && modified_ms(found) + age > options.now) return;
    plan.logs.push_back("logs/" + file);
    ++row.found;
    row.bytes += found.st_size;
  });
  plan.report.push_back(std::move(row));
}

void Planner::judge_trees(int root) {
  ReportRow row = row_of("trees", "folders of deleted artifacts");
  each_file(root, "trees", [&](const std::string& name, const struct stat& found) {
    ++row.checked;
    const auto digest = parse_digest(name);
    if (digest) {
      Query query(records, "SELECT 1 FROM artifacts WHERE digest = ?1 AND tombstone_at IS NULL",
                  *digest);
      if (query.next()) return;
    }
    const TimeMs age = options.policy.unused_hours * 3'600'000;
    if (modified_ms(found) + age > options.now) return;
    plan.trees.push_back("trees/" + name);
    ++row.found;
  });
  plan.report.push_back(std::move(row));
}

// A checkpoint is for the next attempt of its key; 14 days after the last one left it nobody comes.
void Planner::judge_checkpoints(int root) {
  ReportRow row = row_of("checkpoints", "what lost attempts left for the next");
  each_file(root, "checkpoints", [&](const std::string& name, const struct stat& found) {
    if (!S_ISDIR(found.st_mode)) return;
    ++row.checked;
    if (!is_past(modified_ms(found), checkpoints_days, options.now)) return;
    plan.checkpoints.push_back("checkpoints/" + name);
    ++row.found;
  });
  plan.report.push_back(std::move(row));
}

// What is free already; the rows that go now make more.
void Planner::judge_pages() {
  ReportRow row = row_of("pages", "free room in the file of the records");
  row.checked = row.found = spare_pages(records);
  row.bytes = row.found * database_page_bytes;
  plan.report.push_back(std::move(row));
}

void Planner::forget_notes() {
  for (const auto& [name, since] : notes) {
    if (still_unused.count(name) == 0) plan.forgotten.push_back(name);
  }
}

}  // namespace

Result<CollectPlan> plan_collection(Database& records, const CollectOptions& options) {
  TRY(root, open_at(AT_FDCWD, options.store, O_RDONLY | O_DIRECTORY));
  Planner planner{records, options, {}, {}, {}, {}, {}, {}, false};
  records.clear_failure();
  planner.read_notes();
  planner.judge_the_runs();
  planner.judge_the_results();
  planner.judge_messages();
  planner.judge_versions();
  planner.use_arrivals();
  planner.use_resolutions();
  planner.use_others();
  planner.judge_artifacts();
  planner.judge_rows();
  planner.judge_objects(root.get());
  planner.judge_logs(root.get());
  planner.judge_trees(root.get());
  planner.judge_checkpoints(root.get());
  planner.judge_pages();
  planner.forget_notes();
  if (records.failure()) {
    const Error error = records.failure()->within("deciding what a collection removes");
    records.clear_failure();
    return error;
  }
  if (planner.stopped()) return Error{ErrorCode::cancelled, "the daemon ends"};
  return std::move(planner.plan);
}

}  // namespace pipelined
