// What makes all processes of an attempt die together.
//
// pid_namespace: every attempt is the first process of a PID namespace of its own; the kernel ends
//   the others with it.  Needs root or user namespaces.  Costs nothing over a plain fork.
// cgroup: every attempt has a control group (attempt_group.h) that is killed as a whole; its orphans
//   are reaped as below.  Needs a folder of cgroup v2 lent by the daemon.
// subreaper: the attempt adopts its orphans while it lives; when it has died, whatever is a child
//   of the host and no live attempt is a stray and is killed.  Works everywhere.
//
// Where a folder of cgroup v2 is lent, attempts have groups in the other two as well, for their limits:
// a namespace also hides the daemon from signals where Landlock cannot, a group alone does not.
// In all, a guardian process stands between daemon and host: it adopts and kills what a dead host
// leaves, and ends the host when the daemon dies.  Knows nothing of operators or frames.  One thread.
#pragma once

#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"
#include "operators/host/attempt_group.h"
#include "operators/host/unique_fd.h"

namespace pipelined::host {

enum class KillUnitKind { pid_namespace, cgroup, subreaper };

/// "pid_namespace", "cgroup" or "subreaper".
const char* name_of(KillUnitKind kind);
std::optional<KillUnitKind> parse_kill_unit(std::string_view word);

/// The best kind that this machine gives, tried out in a child process.  `group_folder`: the lent
/// folder of cgroup v2, empty if there is none.
KillUnitKind best_kill_unit(const std::string& group_folder);

/// Splits the calling process: the child returns as the host, with the kind that was possible; the
/// parent stays as its guardian and never returns.  `wanted` empty: the best that this machine
/// gives.  REQUIRES: one thread; the daemon's socket is descriptor 3.
Result<KillUnitKind> enter_guarded_process(std::optional<KillUnitKind> wanted,
                                           const std::string& group_folder);

/// Forks attempts and sees to it that nothing of them is left.  Lives in the host.
class KillUnit {
 public:
  static Result<KillUnit> create(KillUnitKind kind, const std::string& group_folder);

  KillUnitKind kind() const { return kind_; }
  /// Where attempts have groups; empty where no folder was lent.
  AttemptGroups& groups() { return groups_; }
  /// What the kernel itself holds attempts to.
  const Controllers& controllers() const { return groups_.controllers(); }
  /// fork(2) into a new kill unit: 0 in the attempt.
  Result<pid_t> fork_attempt();
  /// In the attempt, first of all: ties its life to the host's, takes in its orphans, new session.
  Result<void> enter_attempt() const;
  /// Sends `signal` to the attempt's process group; SIGKILL reaches every process of the unit
  /// (those that left the group follow when `clear` is called).  REQUIRES: `pid` not yet waited for.
  void send(pid_t pid, int signal) const;
  /// Kills and reaps what ended attempts left.  `live` are the attempts not yet waited for.
  void clear(const std::set<pid_t>& live) const;

 private:
  KillUnitKind kind_ = KillUnitKind::subreaper;
  pid_t host_ = 0;
  UniqueFd own_namespace_;  ///< to come back to after a fork into a new one
  UniqueFd children_;       ///< /proc/thread-self/children, kept open
  AttemptGroups groups_;
};

}  // namespace pipelined::host
