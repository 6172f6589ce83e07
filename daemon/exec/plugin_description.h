// Asks pipelined-worker what plugins declare, each in a child with a time limit.
//
// Loading a plugin runs its constructors, which may crash, hang, print or start processes; none of
// that reaches the daemon.  Knows no cache, no folder rules and nothing of what the answers mean.
// Blocks its thread until all children have ended or were killed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dag/result.h"

namespace pipelined {

/// Runs `worker describe FILE` for every file, all at the same time, and gives each one's JSON text
/// in the same order.  Errors (invalid): the plugin was refused, crashed or took longer than
/// `timeout_ms`; the sentence names the file.  Errors (io): the worker could not be started.
std::vector<Result<std::string>> describe_plugins(const std::string& worker,
                                                  const std::vector<std::string>& files,
                                                  std::int64_t timeout_ms);

}  // namespace pipelined
