// The verbs `host` and `probe` of pipelined-worker: from the command line to the served loop.
//
// Puts the parts together in the one right order: guardian first, then the narrow environment, then
// the plugin, then the walls' preparation, then the loop.  Knows nothing of the daemon but the
// socket on descriptor 3.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dag/result.h"
#include "operators/host/host_loop.h"
#include "operators/host/kill_unit.h"
#include "operators/host/sandbox.h"

namespace pipelined::host {

/// What the command line of `host` says.
struct HostOptions {
  std::string plugin;  ///< path of a shared library; empty: the built-in operators
  /// The plugin starts threads while it loads, which a fork would lose: load it in each attempt.
  bool fresh = false;
  std::optional<KillUnitKind> kill_unit;
  std::string group_folder;  ///< of a cgroup v2, lent for the groups of attempts; empty: none
  SandboxOptions sandbox;
  HostLimits limits;
};

/// Reads the words after `host`.
Result<HostOptions> parse_host_words(const std::vector<std::string>& words);

/// Serves attempts until the socket on descriptor 3 closes; the program's exit status.
int run_host(const HostOptions& options);

/// What this machine gives to attempts, tried out and not guessed, as one JSON object.
std::string probe_json();

}  // namespace pipelined::host
