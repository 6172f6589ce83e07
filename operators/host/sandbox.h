// The walls around one attempt: Landlock for files, seccomp for system calls, no capabilities.
//
// `Sandbox::prepare` does once in the host what is dear (opening the system's folders, compiling
// the two seccomp programs); `enter` is called in the freshly forked attempt and is some twenty
// system calls.  If a wall cannot be set up the attempt must not run: `enter` says so and the
// caller ends the process.  Knows nothing of operators, frames or how attempts are killed.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <string>
#include <vector>

#include "dag/result.h"
#include "operators/host/unique_fd.h"

namespace pipelined::host {

/// The version of Landlock that this kernel offers, 0 if none.
int landlock_abi();

/// What one attempt may touch beside the system's own folders.
struct SandboxPaths {
  std::vector<std::string> readable;  ///< inputs: files or folders, read and execute
  std::vector<std::string> writable;  ///< a command's out/ and scratch/
  /// Writable too, but only files and folders can be made there: no links, pipes or sockets.
  std::vector<std::string> writable_plainly;
  std::vector<std::string> devices;   ///< read, write and control
  bool network = false;               ///< sockets of the internet families
};

struct SandboxOptions {
  bool allow_unsandboxed = false;        ///< the administrator's word: run without walls if need be
  std::vector<std::string> readable;     ///< more folders that every attempt may read
  int landlock_abi_max = 1 << 20;        ///< build the walls of an older kernel, for trying them
};

class Sandbox {
 public:
  /// An error when the walls cannot be built here and nobody allowed to go without.
  static Result<Sandbox> prepare(const SandboxOptions& options);

  /// Walls the host itself in, as far as its own work allows; attempts inherit that and it is not
  /// paid for each.  REQUIRES: no_new_privs is set; the plugin is loaded.
  Result<void> enter_host() const;

  /// Walls the calling process in, for good.  REQUIRES: it was forked from a host that is
  /// walled in, one thread.
  Result<void> enter(const SandboxPaths& paths) const;

  /// Whether attempts run without walls because they are impossible here and that was allowed.
  bool open() const { return open_; }

 private:
  Result<void> enter_landlock(const SandboxPaths& paths) const;

  struct SystemPath {
    UniqueFd fd;
    std::uint64_t access = 0;
  };
  int abi_ = 0;
  bool open_ = false;
  std::vector<SystemPath> system_;
  std::vector<sock_filter> host_;              ///< what neither host nor attempts may
  std::vector<sock_filter> offline_, online_;  ///< the rest, without and with network
};

/// Gives up every capability and the right to gain any; inherited by all children.
Result<void> drop_capabilities();

/// Sets no_new_privs; inherited by all children.
Result<void> forbid_new_privileges();

}  // namespace pipelined::host
