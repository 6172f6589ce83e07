// The folder of objects: one read-only file a content, named by its SHA-256.
//
// objects/ab/<62 digits> holds a plain file, the same name with `.x` the executable one of the same
// bytes, since one inode has one mode.  A file gets its name only when its bytes are durable.  An
// object is believed after its bytes were hashed once since the start; a wrong one goes to
// quarantine/.  `has`, `open` and `quarantined` from any thread, all else on the store thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <set>
#include <string>
#include <unordered_map>

#include "daemon/artifacts/file_io.h"
#include "dag/manifest.h"

namespace pipelined {

/// The objects below one store folder.
class ObjectFolder {
 public:
  /// `root` is the open store folder and must outlive this.
  explicit ObjectFolder(int root) : root_(root) {}

  /// Makes objects/ with its 256 parts and quarantine/, durably.
  Result<void> create();

  /// Where the file's bytes lie, relative to the store folder.
  static std::string name_of(const ManifestFile& file);
  /// Whether an object of that name and size is there.
  bool has(const ManifestFile& file) const;
  /// Opens an object for reading; `not_found` when it is lost.
  Result<UniqueFd> open(const ManifestFile& file) const;

  /// Hashes the object unless that was done since the start and it has not changed.  A wrong object
  /// is moved to quarantine and reported as `corrupt`, a missing one as `not_found`.
  Result<void> verify(const ManifestFile& file);
  /// Hashes the object in any case.
  Result<void> verify_again(const ManifestFile& file);

  /// What `place` did.
  enum class Placed { moved, was_there };
  /// Gives the durable file `name` in `folder` its place; if the same content is there already it
  /// leaves the file where it is.  The place is durable after `sync_folders`.
  Result<Placed> place(int folder, const std::string& name, const ManifestFile& file);
  /// Takes back a `place` of this batch that moved the file.
  void take_back(int folder, const std::string& name, const ManifestFile& file);
  /// Makes the names given since the last call durable.
  Result<void> sync_folders();

  /// Wrong objects that were moved to quarantine since the start.
  std::int64_t quarantined() const { return quarantined_.load(); }

 private:
  /// What a file looked like when its bytes were hashed.
  struct Seen {
    std::int64_t size = 0, modified_s = 0, modified_ns = 0;
    std::uint64_t inode = 0;
    bool operator==(const Seen&) const = default;
  };
  Result<void> sync_names(const std::set<std::string>& folders) const;
  Result<void> quarantine(const std::string& name);
  void believe(const std::string& name, const Seen& seen);
  /// Nothing to see: all zero.
  Seen look(const std::string& name) const;

  int root_;
  std::unordered_map<std::string, Seen> believed_;
  std::set<std::string> unsynced_;  ///< folders with new names
  std::atomic<std::int64_t> quarantined_{0};
};

}  // namespace pipelined
