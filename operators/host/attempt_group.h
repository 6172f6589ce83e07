// One control group (cgroup v2) for each attempt: what it may use, what it used, its end.
//
// The daemon lends its worker a folder of the cgroup file system; groups are made in it as attempts
// start and removed as they end.  Killing a group ends every process in it at once, whatever they
// forked or left.  Limits hold where their controller is enabled in the folder; what is not enabled
// is not there and nothing is pretended.  Knows nothing of operators or frames.  One thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dag/result.h"
#include "operators/host/unique_fd.h"

namespace pipelined::host {

/// Which controllers a folder gives to the groups in it.
struct Controllers {
  bool memory = false, processes = false, cpu = false;
};

/// What one group may use; 0: not limited.
struct GroupLimits {
  std::int64_t memory_bytes = 0, processes_max = 0;
  double cpus = 0;
};

/// Files of a group and what is to be written into them for these limits.
std::vector<std::pair<std::string, std::string>> limit_lines(const GroupLimits& limits,
                                                             const Controllers& controllers);

/// The controllers named in the text of a cgroup.controllers file.
Controllers read_controllers(std::string_view text);

/// What a group's processes used together.
struct GroupUse {
  std::int64_t cpu_ms = 0, memory_peak_bytes = 0;  ///< 0: not known
  bool out_of_memory = false;                      ///< the kernel killed for its limit
};

/// A group; dies with its owner if it was not removed.
class AttemptGroup {
 public:
  AttemptGroup() = default;
  AttemptGroup(AttemptGroup&&) noexcept = default;
  AttemptGroup& operator=(AttemptGroup&&) noexcept = default;

  explicit operator bool() const { return static_cast<bool>(folder_); }
  /// Moves the calling process into the group.
  Result<void> enter() const;
  /// Moves another process of ours into the group.
  Result<void> take_in(int pid) const;
  /// SIGKILL for every process in it, also those being forked.
  void kill() const;
  GroupUse use() const;

 private:
  friend class AttemptGroups;
  UniqueFd folder_, processes_;
  std::string name_;
};

/// The lent folder.
class AttemptGroups {
 public:
  AttemptGroups() = default;
  /// An error if the folder is none of a cgroup v2 that can be written.
  static Result<AttemptGroups> open(const std::string& folder);

  explicit operator bool() const { return static_cast<bool>(folder_); }
  const Controllers& controllers() const { return controllers_; }
  Result<AttemptGroup> make(const GroupLimits& limits);
  /// Kills what is left in the group and takes it away.  REQUIRES: its first process was reaped.
  void remove(AttemptGroup group);
  /// Kills whatever runs in any group of the folder.
  void kill_all() const;

 private:
  void sweep();

  UniqueFd folder_;
  Controllers controllers_;
  std::int64_t made_ = 0;
  std::vector<std::string> left_;  ///< that could not be removed at once
};

}  // namespace pipelined::host
