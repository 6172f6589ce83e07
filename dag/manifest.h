// Artifacts and their canonical manifest.
//
// An artifact is an immutable tree of files with a type; the SHA-256 of its manifest's text names it.
// The manifest is canonical JSON (sorted keys, no blanks): {"files":[{"exec":false,"path":"…",
// "sha256":"…","size":1}],"type":"examples/1"}, files sorted by path.  Nothing here touches a disk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dag/digest.h"
#include "dag/result.h"

namespace pipelined {

/// One regular file of an artifact.
struct ManifestFile {
  std::string path;  ///< relative, `/`-separated, no `.` or `..`, UTF-8
  Digest digest;
  std::int64_t size = 0;
  bool exec = false;
  bool operator==(const ManifestFile&) const = default;
};

/// The list of an artifact's files, sorted by path, and its type.
struct Manifest {
  std::string type;
  std::vector<ManifestFile> files;

  /// Canonical JSON text.  REQUIRES: files sorted by path.
  std::string text() const;
  Digest digest() const { return sha256(text()); }
  std::int64_t size() const;
  bool operator==(const Manifest&) const = default;
};

/// Whether `path` may stand in a manifest: relative, no empty, `.` or `..` part, no NUL, at most 4096 bytes.
bool is_manifest_path(std::string_view path);

/// The name of an artifact together with what the engine needs to know of it.
struct ArtifactRef {
  Digest digest;
  std::string type;
  std::int64_t size = 0;  ///< bytes of all files
  bool operator==(const ArtifactRef&) const = default;
};

}  // namespace pipelined
