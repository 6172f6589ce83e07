// Which plugins there are, what they declare, and which files were refused.
//
// `read_plugins` looks through plugin folders and gives a plain value; whoever wants to see changes
// reads again.  Files are never loaded here: descriptions come from `pipelined-worker describe` and
// are kept by the file's SHA-256.  Nothing that a plugin is or does is fatal.  Blocks its thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dag/digest.h"
#include "dag/pipeline.h"

namespace pipelined {

/// Where to look and whom to ask.
struct PluginOptions {
  std::vector<std::string> folders;   ///< absolute; of two plugins of one name the earlier counts
  std::string worker;                 ///< path of pipelined-worker
  std::string cache;                  ///< folder of kept descriptions, made if missing; empty: none
  std::int64_t timeout_ms = 10'000;   ///< for loading
};

/// A plugin in use.
struct PluginFile {
  std::string id, version;
  std::string path;
  Digest digest;                      ///< of the file
  bool fork_safe = true;              ///< else each attempt needs a process that loads it afresh
  std::vector<std::string> threads;   ///< what it started while loading
  bool from_cache = false;
};

/// What was found.
struct PluginRegistry {
  OperatorSet operators;                       ///< with the built-in ones
  std::map<std::string, PluginFile> plugins;   ///< by id
  std::vector<std::string> problems;           ///< a sentence for every file or folder refused

  /// The file of a plugin; nothing: no such plugin is in use.
  std::optional<std::string> path_of(const std::string& plugin) const;
};

/// Looks through the folders for `*.so`.  A folder or file is refused with a sentence unless root
/// or this process's user owns it and nobody else may write to it.
PluginRegistry read_plugins(const PluginOptions& options);

}  // namespace pipelined
