// The operators of the plugins that lie beside pipectl, for checking without a daemon.
//
// Runs `pipelined-worker describe` on each plugin file in a process of its own and reads what it
// prints; no plugin is ever loaded here.
#pragma once

#include <string>
#include <vector>

#include "dag/pipeline.h"
#include "dag/result.h"
#include "operators/descriptor.h"

namespace pipelined::cli {

/// The worker and the folder of plugins that belong to a pipectl.
struct LocalPrograms {
  std::string worker, plugins;         ///< `plugins` is empty when there is no such folder
};

/// `worker` and `plugins` name the program and the folder; empty: those that belong to the program
/// in `program_folder`.  An error when there is no worker.
Result<LocalPrograms> find_programs(std::string worker, std::string plugins,
                                    const std::string& program_folder);

/// What a plugin's file declares, asked of the worker.
Result<PluginInfo> describe_plugin(const LocalPrograms& programs, const std::string& file);

/// What was found.
struct LocalOperators {
  OperatorSet operators;
  std::vector<std::string> problems;   ///< plugins that could not be described
};

/// All operators of such programs; parameters and errors as above.
Result<LocalOperators> describe_local(std::string worker, std::string plugins,
                                      const std::string& program_folder);

}  // namespace pipelined::cli
