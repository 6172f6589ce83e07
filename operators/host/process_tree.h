// How much memory the processes below this one hold, as /proc tells it.
//
// For sampling attempts that have a limit or run long; best effort, since a process may come and go
// between two looks.  Pids in the answer are those of the caller's PID namespace, whichever /proc is
// mounted.  Knows nothing of attempts.  One thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>

namespace pipelined::host {

/// What a process and all below it use.
struct TreeUsage {
  std::int64_t memory_bytes = 0;  ///< anonymous and shared memory and swap; mapped files not counted
  std::int64_t processes = 0;
};

/// One answer a child of the calling thread.  Counting stops above `processes_max` a child: a fork
/// bomb must not keep the caller busy.
std::map<pid_t, TreeUsage> sample_children(std::int64_t processes_max);

/// The kernel's count of processes killed for lack of memory since it was started; -1: unknown.
std::int64_t kernel_memory_kills();

}  // namespace pipelined::host
