// The daemon's part of control groups (cgroup v2): its own leaf, and folders that hosts lend out.
//
// Where the service manager delegated a group to the daemon alone, the daemon moves into the leaf
// `supervisor/` below it, hands the controllers on, and gives each worker host a folder under
// `attempts/`.  What a dead life left there is killed first.  Where nothing was delegated this does
// nothing and says why.  Knows nothing of attempts.  Loop thread only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"

namespace pipelined {

class Cgroups {
 public:
  /// No groups, and no reason asked for.
  Cgroups() = default;
  /// Takes the group that this process was given, or `folder` if it is not empty.  Without one
  /// `available` is false and `words` is the reason.
  static Cgroups enter(const std::string& folder);
  ~Cgroups();
  Cgroups(Cgroups&& other) noexcept;
  Cgroups& operator=(Cgroups&& other) noexcept;

  bool available() const { return !attempts_.empty(); }
  /// Controllers that attempts' groups have: of "cpu", "memory" and "pids".
  const std::vector<std::string>& controllers() const { return controllers_; }
  bool has(std::string_view controller) const;
  /// For people: which folder, or why there is none.
  const std::string& words() const { return words_; }

  /// A folder for one host; its groups come below it.
  Result<std::string> lend();
  /// Kills everything in a folder that was lent and takes it away.
  void take_back(const std::string& folder);

 private:
  Result<void> set_up(const std::string& folder);

  std::string attempts_;  ///< empty: there are no groups
  std::vector<std::string> controllers_;
  std::string words_ = "not asked for";
  std::int64_t lent_ = 0;
};

/// Where the group of a process lies, from the texts of its /proc files cgroup and mountinfo; empty
/// if no cgroup v2 is mounted.
std::string group_folder(std::string_view cgroup, std::string_view mountinfo);

}  // namespace pipelined
