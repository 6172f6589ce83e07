// The attempt's own side of the fork: from the new process to its report.
//
// Sets the process up (session, standard streams, limits, walls), calls the operator and sends what
// it said.  Everything here runs in the attempt and ends with it; the host learns of it only
// through the report channel and the exit status.  Knows nothing of other attempts.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "operators/host/context.h"
#include "operators/host/kill_unit.h"
#include "operators/host/sandbox.h"
#include "operators/wire.h"

namespace pipelined::host {

/// Runs one operator in the calling process and returns its report.  The flag becomes true when the
/// operator should end.
using OperatorRunner =
    std::function<wire::Ended(const wire::Run&, Sink&, const std::atomic<bool>& cancelled)>;

/// What every attempt of a host has in common; made once.
struct AttemptSetup {
  const KillUnit* kill_unit = nullptr;
  const Sandbox* sandbox = nullptr;
  /// What must be done in each attempt before the walls stand: loading a plugin that cannot be
  /// loaded once for all.  May be empty.
  std::function<Result<void>()> load;
  OperatorRunner runner;
  /// Attempts are commands: they start in scratch/, and out/ and scratch/ are all that they write.
  /// Others start in their folder and make scratch/ only if they want it.
  bool commands = false;
  std::int64_t processes_max = 0;    ///< in one attempt
  std::int64_t data_base_bytes = 0;  ///< private memory that the host itself holds
};

/// The descriptor of the report channel in an attempt; 0 to 2 are the only others.
inline constexpr int report_descriptor = 3;

/// Waits in a process that was forked ahead of time until its run comes through `runs` as a frame,
/// then lives that attempt's life.  Ends when the channel closes first.  Its host puts it into the
/// attempt's group.
[[noreturn]] void await_attempt(const AttemptSetup& setup, int runs, int report, int output);

/// The name of a process that waits so, as /proc shows it.
inline constexpr const char* spare_name = "pipelined-spare";

/// Lives the attempt's life in a process that was just forked.  `report` and `output` are the
/// writing ends of its two pipes; `group` may be none.
[[noreturn]] void live_attempt(const AttemptSetup& setup, wire::Run& run,
                               const AttemptGroup& group, int report, int output);

/// Private memory of the calling process as RLIMIT_DATA counts it.
std::int64_t data_bytes_now();

/// A report of one sentence.
wire::Ended plain_report(const wire::Run& run, Outcome outcome, std::string error);

}  // namespace pipelined::host
