// How long runs, results, bytes, logs and messages are kept.
//
// Facts in, verdicts out: ages, counts and pins decide, and what open runs, the newest runs of a
// pipeline and the ancestry of kept results need is never given up.  Whether an artifact is still
// used follows from the verdicts and is collected by the caller (daemon/keeping/collect.h).  Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dag/records.h"

namespace pipelined {

/// What the configuration says; of days and counts 0 means "not bounded".
struct RetentionPolicy {
  std::int64_t runs_days = 90;       ///< since they ended
  std::int64_t runs_newest = 20;     ///< of a pipeline, kept whatever their age; at least 1
  std::int64_t runs_most = 10000;    ///< of a pipeline, kept at most
  std::int64_t artifacts_days = 90;  ///< the bytes of what those runs made and read
  std::int64_t results_days = 30;    ///< bytes that no run shows any more, for reuse
  std::int64_t logs_days = 30;       ///< what attempts printed
  std::int64_t events_days = 180;    ///< alerts that do not stand any more, decisions
  std::int64_t unused_hours = 24;    ///< nothing younger is removed; at least 1
  bool operator==(const RetentionPolicy&) const = default;
};

/// How stored bytes are read again to see whether they are still right.
struct ScrubPolicy {
  std::int64_t days = 30;            ///< all of them once in so long; 0: only when asked for
  std::int64_t mib_per_second = 20;  ///< not faster; 0: as fast as it goes
  bool operator==(const ScrubPolicy&) const = default;
};

/// What is known of a run.
struct RunFact {
  RunNumber number = 0;
  std::string pipeline;
  RunState state = RunState::queued;
  TimeMs ended_at = 0;
  bool full = true;        ///< its options are the pipeline's own (RunOptions::full)
  bool pinned = false;
  bool needed = false;     ///< has the newest output of a step that a resolver may ask for
};

/// What stays of a run, and why.
struct RunVerdict {
  bool rows = true;        ///< the run with its steps and attempts
  bool bytes = true;       ///< what it made and read
  bool logs = true;
  const char* why = "";    ///< "open", "pinned", "among the newest", "young", "old", "too many", …
};

/// One verdict a fact, in the same order.
std::vector<RunVerdict> judge_runs(const std::vector<RunFact>& runs, const RetentionPolicy& policy,
                                   TimeMs now);

/// What is known of a result.  Artifacts are numbers of the caller's.
struct ResultFact {
  std::int64_t id = 0;
  TimeMs ended_at = 0;
  bool reusable = false;      ///< it has a key
  bool shown = false;         ///< by a run whose rows stay
  bool bytes_shown = false;   ///< by a run whose bytes stay
  std::vector<std::int64_t> inputs, outputs;
};

/// What stays of a result.
struct ResultVerdict {
  bool rows = false;          ///< kept as a record, at least as somebody's ancestor
  bool bytes = false;         ///< its outputs and inputs
};

/// One verdict a fact.  A result that made what a kept one read stays as a record, and so on upwards.
std::vector<ResultVerdict> judge_results(const std::vector<ResultFact>& results,
                                         const RetentionPolicy& policy, TimeMs now);

/// Whether something of this age is past the days; 0 days: never.
bool is_past(TimeMs at, std::int64_t days, TimeMs now);

/// What a collection does with something without a use.
enum class Unused { note, wait, remove };
/// First it is noted, and removed by a later collection that finds it so again, when both the note
/// and the thing itself are older than `unused_hours`.  `noted_at` 0: not yet noted; `touched_at`
/// 0: of unknown age.
Unused judge_unused(TimeMs noted_at, TimeMs touched_at, const RetentionPolicy& policy, TimeMs now);

}  // namespace pipelined
