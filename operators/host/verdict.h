// What is to be said of an attempt that has ended.
//
// A pure function from what the host saw (the attempt's own report, the exit status, why it was
// killed) to the `ended` message.  No system call is made here; nothing is known of how an attempt
// is run.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "operators/wire.h"

namespace pipelined::host {

/// Why the host itself killed an attempt.
enum class KilledFor { nothing, cancel, memory, processes, scratch, files, report_closed };

/// An attempt's exit status with which its own crash handler says "signal N": this plus N.  The
/// first process of a PID namespace cannot die of a signal that it sends to itself, as abort(3) does.
inline constexpr int crash_status_base = 192;

/// The memory allocator gave up in the attempt: its exit status.
inline constexpr int out_of_memory_status = 191;

/// What the host saw of an attempt.
struct AttemptFacts {
  std::optional<wire::Ended> report;  ///< its own report, if it came with the right id and fence
  std::string bad_report;             ///< what was wrong with what came instead, or after it
  int wait_status = 0;                ///< as waitpid(2) gives it
  KilledFor killed_for = KilledFor::nothing;
  std::int64_t grace_ms = 0;          ///< of a cancel
  bool grace_expired = false;
  std::int64_t memory_peak_bytes = 0, cpu_ms = 0, scratch_bytes = 0;
  std::int64_t processes_max = 0, files_max = 0;
  bool kernel_memory_kill = false;    ///< the kernel killed something for lack of memory meanwhile
  std::string last_lines;             ///< of its output
};

/// The message for the daemon.
wire::Ended decide(const wire::Run& run, const AttemptFacts& facts);

/// "SIGSEGV"; "signal 63" when it has no name.
std::string signal_name(int signal);

/// "4 GiB", "1.5 MiB", "812 bytes".
std::string show_bytes(std::int64_t bytes);

}  // namespace pipelined::host
