// What the parts of the store share.
//
// Included by the store's own sources only; nobody else knows that there is a database.  One thread:
// the loop's, like the Store itself.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>

#include "daemon/posix/fault.h"
#include "daemon/store/ballast.h"
#include "daemon/store/sqlite.h"
#include "daemon/store/store.h"

namespace pipelined {

/// What a step's row repeats of its run.
struct RunFacts {
  std::string pipeline;
  bool full = false;
  bool ended = false;  ///< its steps are counted once, in its row
};

/// The failure that a test asks for at this place.
Result<void> pretended(fault::Place place);

/// The inside of a Store.
struct Store::State {
  StoreOptions options;
  std::unique_ptr<Database> database;
  std::unique_ptr<Ballast> ballast;
  ObjectView* objects = nullptr;
  bool in_turn = false;
  std::size_t drained = 0;  ///< of objects->unrecorded(), recorded in this turn
  std::int64_t turn_seq = 0;  ///< the highest seq put in this turn
  std::set<RunNumber> to_count;  ///< ended runs of which this turn put a row
  /// Caches; emptied when a turn is rolled back and when they grow large.
  std::unordered_map<Digest, std::int64_t> artifact_ids;
  std::unordered_map<RunNumber, RunFacts> run_facts;

  /// Number and digest of the audit log's last row; nothing: not looked up yet.
  std::optional<std::pair<std::int64_t, Digest>> audit_head;

  /// Queues a message of an alert; one that stands already stays as it is.
  void queue(const std::string& alert, const QueuedMessage& message, TimeMs at);

  /// A row with this seq is put.  REQUIRES: an open turn.
  void note(std::int64_t seq) {
    CHECK(in_turn);
    if (seq > turn_seq) turn_seq = seq;
  }
  /// The number of the artifact's row, made if need be; `at` dates a new one.
  std::int64_t artifact_id(const ArtifactRef& artifact, TimeMs at);
  /// What is known of a run, from the cache or its row.
  const RunFacts& facts_of(RunNumber run);
  /// Bindings and metrics of a result whose own columns are read.
  void complete(ResultRow& result, std::int64_t bindings, std::int64_t metrics);
  /// The results whose ids a query gives.
  std::vector<ResultRow> good_results(Query& query);
  /// Whether its bytes were deleted or found wrong, and not made again since.
  bool is_given_up(const Digest& artifact);
  /// Counts the steps of the ended runs that changed, so that no list has to.
  void count_steps();
  /// Records the manifests that the object view remembers.
  void drain_manifests();
  /// Commits one statement's work as its own turn.
  template <class... Values>
  Result<void> run_alone(const char* sql, const Values&... values) {
    TRY_VOID(begin_alone());
    database->run(sql, values...);
    if (auto refused = pretended(fault::Place::record_commit); !refused) {
      undo();
      return refused;
    }
    TRY_VOID(commit_alone());
    fault::at(fault::Place::record_committed);
    return {};
  }
  Result<void> begin_alone();
  Result<void> commit_alone();
  /// Ends the open transaction without recording it and forgets what was cached in it.
  void undo();
};

}  // namespace pipelined
