// What travels about the model registry: a part of protocol.h.
//
// Plain structs like the others there, with the same readers and writers.  Knows nothing of HTTP,
// sockets or the engine.
#pragma once

#include "daemon/api/protocol.h"

namespace pipelined::protocol {

/// Where an alias points.
struct ModelAlias {
  std::string alias, version;
};
struct ModelSummary {
  std::string model, newest;       ///< newest: the version with the highest number
  std::vector<ModelAlias> aliases;
  Time at;                         ///< when the newest was registered
};
struct ModelList {
  std::vector<ModelSummary> models;
};

/// Something that was said of a model, or became of it.
struct ModelMark {
  std::string kind, subject, name, before, value;
  bool rollback = false;
  std::string who, why;
  std::int64_t run = 0;
  Time at;
};
struct ModelArtifact {
  std::string port, digest, type;
  std::int64_t size = 0;
};
/// A version; a list of them leaves artifacts, facts and marks out.
struct ModelVersionInfo {
  std::string model, version, pipeline, step;
  std::int64_t run = 0;
  Time at;
  Why reason;
  std::vector<std::string> aliases;
  std::vector<ModelArtifact> artifacts;
  ValueTable facts;
  std::vector<ModelMark> marks;    ///< tags and notes that stand, oldest first
};
struct ModelDetail {
  std::string model;
  std::vector<ModelAlias> aliases;
  std::vector<ModelVersionInfo> versions;  ///< highest first
};
/// What happened to a model until a time, newest first, and how its aliases stood then.
struct ModelHistory {
  std::string model;
  std::vector<ModelAlias> aliases;
  std::vector<ModelMark> marks;
};

/// What differs between two versions; made by whoever has both.
struct ModelDiff {
  std::string model, before, after;
  std::vector<DiffLine> lines;     ///< topics: metric, signature, hyperparameter, recipe, data …
};

/// Request to point an alias somewhere; without a version it goes, with `rollback` it goes back.
struct ModelAliasRequest {
  std::string alias, version;
  bool rollback = false;
  std::string why;
};
/// Request to say something of a version: a tag (an empty value takes it away) or a note.
struct ModelMarkRequest {
  std::string version, kind, name, value, why;
};

}  // namespace pipelined::protocol
