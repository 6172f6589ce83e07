// Artifacts as folders to read: trees/<digest>/ with hard links to the objects.
//
// A tree is built once, in tmp/, and renamed into place.  It is derived: after a start the first
// use compares it with its objects and builds it anew if it differs.  Bytes are verified when an
// artifact is first read after the start.  Store thread.
#pragma once

#include <functional>
#include <string>
#include <unordered_set>

#include "daemon/artifacts/object_folder.h"
#include "dag/manifest.h"

namespace pipelined {

/// The trees below one store folder.
class TreeFolder {
 public:
  /// `temporary` gives a new name below tmp/ each time.
  TreeFolder(int root, ObjectFolder& objects, std::function<std::string()> temporary)
      : root_(root), objects_(objects), temporary_(std::move(temporary)) {}

  /// Where the tree of an artifact lies, relative to the store folder.
  static std::string name_of(const Digest& artifact);
  /// Makes sure that the artifact's tree stands and its bytes are right.  `not_found` and `corrupt`
  /// name the artifact.
  Result<void> ensure(const Digest& artifact, const Manifest& manifest);

 private:
  bool is_as(const Manifest& manifest, const std::string& tree) const;
  Result<void> build(const Manifest& manifest, const std::string& at);
  Result<void> link(const ManifestFile& file, const std::string& to);

  int root_;
  ObjectFolder& objects_;
  std::function<std::string()> temporary_;
  std::unordered_set<Digest> ready_;
  std::int64_t quarantined_ = 0;  ///< of the objects, when ready_ was last believed
};

}  // namespace pipelined
