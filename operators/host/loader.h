// Loads a plugin into this process and refuses what it cannot trust to understand.
//
// The only caller of dlopen for plugins; used by host and `describe`, never by the daemon.  Constructors
// of the library run while it loads: whoever calls this is a process that may crash or hang.  The
// library stays mapped until the process ends, since libraries with threads cannot be unloaded.
// Knows nothing of attempts' processes.  One thread.
#pragma once

#include <atomic>
#include <string>

#include "dag/result.h"
#include "operators/descriptor.h"
#include "operators/host/context.h"
#include "operators/pipelined_plugin.h"
#include "operators/wire.h"

namespace pipelined::host {

/// Whether this version understands an entry with these first three fields; an error (unsupported)
/// says both versions.
Result<void> check_version(const pl_plugin_t& entry);

/// A plugin that is loaded, accepted and initialised.
class LoadedPlugin {
 public:
  /// Errors (unsupported): another ABI version.  Errors (invalid): no plugin, or one that
  /// contradicts itself, or whose `init` refused.  The sentence names the file.
  static Result<LoadedPlugin> load(const std::string& path);
  LoadedPlugin(LoadedPlugin&& other) noexcept;
  LoadedPlugin& operator=(LoadedPlugin&&) = delete;
  /// Calls the plugin's `deinit`, if it has one.
  ~LoadedPlugin();

  const PluginInfo& info() const { return info_; }

  /// Runs the operator that `run` names; an operator that the plugin has not ends as INVALID.
  wire::Ended run(const wire::Run& run, Sink& sink, const std::atomic<bool>& cancelled) const;

 private:
  LoadedPlugin(const pl_plugin_t* entry, PluginInfo info)
      : entry_(entry), info_(std::move(info)) {}

  const pl_plugin_t* entry_;
  PluginInfo info_;
};

}  // namespace pipelined::host
