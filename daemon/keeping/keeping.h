// Long work on the store as the interface asks for it: jobs that are told by number, and pins.
//
// The daemon implements it (daemon/keeping/keeper.h), tests fake it.  Plain data; all calls and
// callbacks on the loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "daemon/keeping/report.h"
#include "daemon/store/pins.h"
#include "dag/records.h"
#include "dag/result.h"

namespace pipelined {

enum class JobState { copying, working, done, failed };
/// "copying", "working", "done", "failed".
const char* name_of(JobState state);

/// One piece of long work.
struct Job {
  std::int64_t number = 0;
  std::string kind;                ///< "fsck", "gc", "scrub", "backup", "vacuum"
  JobState state = JobState::copying;
  std::string error;               ///< of a failed one
  std::int64_t progress = 0;       ///< things looked at so far
  TimeMs started_at = 0, ended_at = 0;
  Report report;                   ///< of a done one
  /// Neither under way nor failed.
  bool done() const { return state == JobState::done; }
  bool ended() const { return done() || state == JobState::failed; }
};

/// What a job is asked to do; each kind reads the fields that concern it.
struct JobOrder {
  std::string kind;
  bool deep = false;                  ///< fsck: read every byte
  bool dry_run = false;               ///< gc: tell, change nothing
  std::string folder;                 ///< backup: where to, absolute
  std::vector<std::string> secrets;   ///< fsck: texts that may stand nowhere
  std::string who;
  bool portion = false;               ///< scrub: go on where the last one ended, for some minutes
};

/// What the interface asks of whoever keeps the store.
class Keeping {
 public:
  virtual ~Keeping() = default;

  /// Starts a job.  `conflict`: another one is under way; `invalid`: no such kind or order.
  virtual Result<std::int64_t> start(JobOrder order) = 0;
  /// A job by number; nothing: unknown or long forgotten.
  virtual std::optional<Job> find_job(std::int64_t number) = 0;
  /// Calls back once when the job has ended; later, never inside this call.
  virtual void when_ended(std::int64_t number, std::function<void()> done) = 0;

  virtual std::vector<Pin> pins() = 0;
  /// The same pin again takes over the new reason.  `not_found`: there is no such thing.
  virtual Result<void> pin(Pin pin) = 0;
  virtual Result<void> unpin(const std::string& kind, const std::string& subject) = 0;
};

}  // namespace pipelined
