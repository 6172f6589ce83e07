// What a plugin says about itself: from the C structs to plain values, and to and from JSON.
//
// `pipelined-worker describe FILE.so` prints `json_text(to_value(plugin))`; the daemon reads that
// text and never the C structs.  `problems` is the consistency check that both sides apply.
// Knows nothing of loading.  Pure, but for the `read_version` functions of a plugin's libraries,
// which `read_entry` calls.
#pragma once

#include <string>
#include <vector>

#include "dag/operator_info.h"
#include "dag/result.h"
#include "dag/value.h"

struct pl_plugin;

namespace pipelined {

/// A plugin as plain data.
struct PluginInfo {
  std::string id, version;
  std::vector<OperatorInfo> operators;
  bool fork_safe = true;             ///< it started no unknown thread while loading
  std::vector<std::string> threads;  ///< names of the threads that it started
  bool asks_libraries = false;       ///< versions of other libraries were read at load time
};

/// Copies the descriptors of a plugin whose version was already accepted.  Errors (invalid): a
/// struct smaller than version 0.1 knows it, or what `problems` finds.
Result<PluginInfo> read_entry(const pl_plugin& entry);

/// Everything that is wrong with a plugin's descriptors, one sentence each; empty: nothing.
std::vector<std::string> problems(const PluginInfo& plugin);

Value to_value(const PluginInfo& plugin);
/// Errors (invalid): a field that is missing or of another kind, or what `problems` finds.
Result<PluginInfo> plugin_from_value(const Value& value);

/// Fills in the defaults and checks kinds, limits, choices and required parameters.  Errors
/// (invalid) name the operator, the parameter and the nearest known name.
Result<ValueTable> complete_params(const OperatorInfo& info, const ValueTable& params);

/// The operators that run a program: no plugin holds them, every worker knows them.
OperatorInfo command_run_info();
OperatorInfo python_call_info();
std::vector<OperatorInfo> builtin_operators();

}  // namespace pipelined
