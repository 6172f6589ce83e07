#include "daemon/store/removal.h"

#include <unordered_set>

#include "daemon/store/named_digests.h"
#include "daemon/store/sqlite.h"

namespace pipelined {
namespace {

// So much room is taken again soon; giving it back would be work for nothing.
constexpr std::int64_t pages_kept = 1000;

/// Runs `work` as one turn.
template <class Work>
Result<void> as_turn(Store& store, Work work) {
  TRY_VOID(store.begin());
  work(store.database());
  store.forget_cached();
  return store.commit();
}

/// Deletes row by row with one statement; tells how many went.
template <class Rows, class Delete>
Result<std::int64_t> delete_each(Store& store, const Rows& rows, Delete remove) {
  std::int64_t removed = 0;
  TRY_VOID(as_turn(store, [&](Database& database) {
    for (const auto& row : rows) {
      remove(database, row);
      removed += database.changes();
    }
  }));
  return removed;
}

// Runs that are open, began or ended since the copy.
constexpr const char* results_in_use =
    "SELECT DISTINCT s.result FROM runs r JOIN steps s ON s.run = r.number WHERE s.result > 0 AND "
    "(r.state IN ('queued', 'running', 'halted', 'in_review') OR r.number > ?1 OR "
    "r.ended_at >= ?2)";

/// Results that a step has named since the copy, or may name again without asking.
std::unordered_set<std::int64_t> used_results(Database& database, const CopyMark& copied) {
  std::unordered_set<std::int64_t> used;
  Query query(database, results_in_use, copied.run, copied.at);
  while (query.next()) used.insert(query.integer(0));
  return used;
}

/// Artifacts that something has named since the copy.
std::unordered_set<std::int64_t> used_artifacts(Database& database, const CopyMark& copied) {
  std::unordered_set<std::int64_t> used;
  const auto take = [&used](Query& query) {
    while (query.next()) used.insert(query.integer(0));
  };
  for (const std::int64_t result : used_results(database, copied)) {
    Query outputs(database, "SELECT artifact FROM bindings WHERE result = ?1", result);
    take(outputs);
  }
  Query made(database, "SELECT b.artifact FROM results r JOIN bindings b ON b.result = r.id "
             "WHERE r.seq > ?1", copied.seq);
  take(made);
  Query arrived(database, "SELECT artifact FROM arrivals WHERE seq > ?1 OR run = 0", copied.seq);
  take(arrived);
  Query resolved(database, "SELECT artifact FROM resolutions WHERE seq > ?1 AND artifact "
                 "IS NOT NULL", copied.seq);
  take(resolved);
  Query bundles(database, "SELECT a.id FROM pipelines p JOIN artifacts a ON a.digest = p.version "
                "WHERE p.current OR p.seq > ?1", copied.seq);
  take(bundles);
  Query pins(database, "SELECT a.id FROM pins p JOIN artifacts a ON lower(hex(a.digest)) = "
             "p.subject WHERE p.kind = 'artifact' AND p.at >= ?1", copied.at);
  take(pins);
  used.merge(artifacts_named(database));
  return used;
}

}  // namespace

CopyMark mark_of(Store& store, TimeMs now) {
  CopyMark mark;
  mark.at = now;
  Query query(store.database(), "SELECT (SELECT value FROM counters WHERE name = 'seq'), "
              "(SELECT coalesce(max(number), 0) FROM runs)");
  if (query.next()) {
    mark.seq = query.integer(0);
    mark.run = query.integer(1);
  }
  return mark;
}

Result<bool> remove_run(Store& store, RunNumber run, int limit) {
  bool gone = false;
  TRY_VOID(as_turn(store, [&](Database& database) {
    {
      Query stands(database,
                   "SELECT 1 FROM runs WHERE number = ?1 AND state IN ('failed', 'rejected', "
                   "'cancelled', 'succeeded') AND NOT EXISTS (SELECT 1 FROM pins WHERE "
                   "kind = 'run' AND subject = CAST(?1 AS TEXT))", run);
      if (!stands.next()) {
        gone = true;  // nothing more to do about it
        return;
      }
    }
    database.run("DELETE FROM steps WHERE (run, step, element) IN (SELECT run, step, element FROM "
                 "steps WHERE run = ?1 LIMIT ?2)", run, limit);
    if (database.changes() >= limit) return;
    database.run("DELETE FROM attempts WHERE run = ?1", run);
    database.run("DELETE FROM run_spans WHERE run = ?1", run);
    database.run("DELETE FROM runs WHERE number = ?1", run);
    // So that a run that is missing can be told from one that was removed (fsck's I4).
    database.run("INSERT INTO meta VALUES ('runs_removed_to', ?1) ON CONFLICT (key) DO UPDATE SET "
                 "value = max(CAST(value AS INTEGER), CAST(?1 AS INTEGER))", std::to_string(run));
    gone = true;
  }));
  return gone;
}

Result<std::int64_t> remove_results(Store& store, const std::vector<std::int64_t>& results,
                                    const CopyMark& copied) {
  std::int64_t removed = 0;
  TRY_VOID(as_turn(store, [&](Database& database) {
    const auto used = used_results(database, copied);
    for (const std::int64_t id : results) {
      if (used.count(id) > 0) continue;
      database.run("DELETE FROM metrics WHERE result = ?1", id);
      database.run("DELETE FROM bindings WHERE result = ?1", id);
      database.run("DELETE FROM results WHERE id = ?1", id);
      removed += database.changes();
    }
  }));
  return removed;
}

Result<std::vector<Digest>> tombstone(Store& store, const std::vector<std::int64_t>& artifacts,
                                      const CopyMark& copied, TimeMs now) {
  std::vector<Digest> marked;
  TRY_VOID(as_turn(store, [&](Database& database) {
    const auto used = used_artifacts(database, copied);
    for (const std::int64_t id : artifacts) {
      if (used.count(id) > 0) continue;
      database.run("UPDATE artifacts SET tombstone_at = ?2 WHERE id = ?1 AND tombstone_at IS NULL",
                   id, now);
      if (database.changes() == 0) continue;
      Query digest(database, "SELECT digest FROM artifacts WHERE id = ?1", id);
      if (digest.next()) marked.push_back(digest.digest(0));
    }
  }));
  return marked;
}

Result<std::int64_t> remove_artifact_rows(Store& store,
                                          const std::vector<std::int64_t>& artifacts) {
  return delete_each(store, artifacts, [](Database& database, std::int64_t id) {
    database.run("DELETE FROM artifacts WHERE id = ?1 AND tombstone_at IS NOT NULL AND NOT EXISTS "
                 "(SELECT 1 FROM bindings WHERE artifact = ?1)", id);
  });
}

Result<std::int64_t> remove_resolutions(
    Store& store, const std::vector<std::pair<Digest, RunNumber>>& rows) {
  return delete_each(store, rows, [](Database& database, const auto& row) {
    database.run("DELETE FROM resolutions WHERE scope = ?1 AND run = ?2", row.first, row.second);
  });
}

Result<std::int64_t> remove_alerts(Store& store, const std::vector<std::string>& ids) {
  return delete_each(store, ids, [](Database& database, const std::string& id) {
    database.run("DELETE FROM outbox WHERE alert = ?1 AND state IN ('done', 'given_up')", id);
    database.run("DELETE FROM alerts WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM outbox WHERE "
                 "alert = ?1)", id);
  });
}

Result<std::int64_t> remove_decisions(Store& store, const std::vector<std::int64_t>& ids) {
  return delete_each(store, ids, [](Database& database, std::int64_t id) {
    database.run("DELETE FROM decisions WHERE id = ?1", id);
  });
}

Result<std::int64_t> remove_versions(Store& store,
                                     const std::vector<std::pair<std::string, Digest>>& rows) {
  return delete_each(store, rows, [](Database& database, const auto& row) {
    database.run("DELETE FROM pipelines WHERE name = ?1 AND version = ?2 AND current = 0 AND NOT "
                 "EXISTS (SELECT 1 FROM runs WHERE pipeline = ?1 AND version = ?2)",
                 row.first, row.second);
  });
}

std::int64_t spare_pages(Database& database) {
  Query incremental(database, "SELECT 1 FROM pragma_auto_vacuum WHERE auto_vacuum = 2");
  if (!incremental.next()) return 0;
  Query free(database, "PRAGMA freelist_count");
  return free.next() ? std::max<std::int64_t>(0, free.integer(0) - pages_kept) : 0;
}

Result<std::int64_t> give_back_pages(Store& store, std::int64_t most) {
  std::int64_t given = 0;
  TRY_VOID(as_turn(store, [&](Database& database) {
    const std::int64_t spare = spare_pages(database);
    if (spare == 0) return;
    Query giving(database, "PRAGMA incremental_vacuum(" + std::to_string(std::min(spare, most)) + ")");
    while (giving.next()) {
    }
    given = spare - spare_pages(database);
  }));
  return given;
}

Result<void> note_unused(Store& store, const std::vector<std::string>& noted,
                         const std::vector<std::string>& forgotten, TimeMs now) {
  return as_turn(store, [&](Database& database) {
    for (const std::string& name : noted) {
      database.run("INSERT INTO unused_objects (name, since) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
                   name, now);
    }
    for (const std::string& name : forgotten) {
      database.run("DELETE FROM unused_objects WHERE name = ?1", name);
    }
  });
}

Result<void> mark_corrupt(Store& store, const Digest& artifact, TimeMs now) {
  const std::optional<std::int64_t> at = now > 0 ? std::optional(now) : std::nullopt;
  return as_turn(store, [&](Database& database) {
    if (at) {
      database.run("UPDATE artifacts SET corrupt_at = coalesce(corrupt_at, ?2) WHERE digest = ?1",
                   artifact, *at);
    } else {
      database.run("UPDATE artifacts SET corrupt_at = NULL WHERE digest = ?1", artifact);
    }
  });
}

}  // namespace pipelined
