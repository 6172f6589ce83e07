// What travels about the versions of a pipeline: a part of protocol.h.
//
// Plain structs like the others there, with the same readers and writers.  Knows nothing of HTTP,
// sockets or the engine.
#pragma once

#include "daemon/api/protocol.h"

namespace pipelined::protocol {

/// A version of a pipeline: the digest of its bundle, and when it was last put in force.
struct PipelineVersion {
  std::string version;
  Time applied_at;
  bool current = false;            ///< new runs take it
  std::string folder;
};
struct PipelineVersionList {
  std::string pipeline;
  std::vector<PipelineVersion> versions;   ///< newest first
};
/// A version with what is in it.
struct PipelineDefinition {
  std::string pipeline;
  PipelineVersion version;
  std::vector<FileInfo> files;
  std::string file, text;          ///< the file that was asked for; empty if it is no text
  bool binary = false;
};
/// A file that the two versions have otherwise.
struct FileDiff {
  std::string name;
  std::string change;              ///< added, removed or changed
  std::string text;                ///< in the unified form; empty if one of them is no text
};
struct PipelineDiff {
  std::string pipeline;
  PipelineVersion first, second;
  std::vector<DiffLine> lines;     ///< parameters, and what decides the results of steps
  std::vector<FileDiff> files;
  std::string note;                ///< why `lines` could not be told
};

}  // namespace pipelined::protocol
