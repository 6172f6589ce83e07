// inotify as a value: folders in, events with full paths out.
//
// Knows folders and nothing of sources or patterns.  One kernel watch may stand for several paths
// (a folder reached through a symbolic link); an event is told for each.  One thread.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "dag/result.h"
#include "daemon/posix/unique_fd.h"

namespace pipelined {

/// Something may have changed at `path`.
struct FolderEvent {
  std::string path;        ///< of the entry; of the folder itself when `folder_lost`
  bool is_folder = false;  ///< the entry is a folder
  bool stirred = false;    ///< it was made, moved here or written to and closed
  bool folder_lost = false;  ///< the watched folder was removed or moved; its watch is gone
};

/// What one reading of the queue gave.
struct FolderEvents {
  std::vector<FolderEvent> events;
  bool overflow = false;  ///< events were lost: everything must be looked at
};

class FolderWatches {
 public:
  /// An error when the system gives no inotify instance.
  static Result<FolderWatches> open();

  /// Readable when there are events; stays owned by this.
  int descriptor() const { return descriptor_.get(); }

  /// Watches a folder.  A path watched before is tied to the folder that is there now.
  Result<void> watch(const std::string& path);
  /// Keeps the watches of these paths alone.
  void keep_only(const std::set<std::string>& paths);
  /// Everything that waits in the queue, without blocking.
  FolderEvents read();

  std::size_t count() const { return by_path_.size(); }

 private:
  explicit FolderWatches(UniqueFd descriptor) : descriptor_(std::move(descriptor)) {}
  void unwatch(const std::string& path);
  void forget(int watch);

  UniqueFd descriptor_;
  std::map<std::string, int> by_path_;
  std::map<int, std::set<std::string>> by_watch_;
};

}  // namespace pipelined
