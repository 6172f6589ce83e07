// What a collection would remove: decided on a copy of the records, before anything is touched.
//
// Facts are read from the copy and the folders, verdicts come from dag/retention.h.  Removing is
// another matter (collection.h), which looks again at each thing.  Any thread; reads only.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "daemon/keeping/report.h"
#include "daemon/store/sqlite.h"
#include "dag/retention.h"

namespace pipelined {

/// What a collection looks at.
struct CollectOptions {
  std::string store;                       ///< the store folder
  RetentionPolicy policy;
  TimeMs now = 0;
  const std::atomic<bool>* stop = nullptr;
};

/// Everything that may go, by kind; and the report that tells of it.
struct CollectPlan {
  std::vector<RunNumber> runs;
  std::vector<std::int64_t> results;
  std::vector<std::pair<Digest, RunNumber>> resolutions;
  std::vector<std::string> alerts;
  std::vector<std::int64_t> decisions;
  std::vector<std::pair<std::string, Digest>> versions;
  std::vector<std::int64_t> artifacts;        ///< to be marked as deleted
  std::vector<std::int64_t> artifact_rows;    ///< deleted long ago and named by nothing
  std::vector<std::string> objects;           ///< names below the store folder
  std::vector<std::string> logs;              ///< the same
  std::vector<std::string> trees;             ///< the same
  std::vector<std::string> checkpoints;       ///< the same
  std::vector<std::string> noted, forgotten;  ///< notes of what has no use
  /// Objects that go with an artifact, if that is still unused when it is marked.
  std::unordered_map<Digest, std::vector<std::string>> objects_of;
  Report report;
};

/// Decides.  An error: the copy or a folder cannot be read.
Result<CollectPlan> plan_collection(Database& records, const CollectOptions& options);

}  // namespace pipelined
