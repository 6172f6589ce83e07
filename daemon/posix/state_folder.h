// The daemon's state folder: made for it alone, on a local disk, used by one instance.
//
// It makes folders with mode 0700, refuses network file systems (locks and write-ahead logs do not
// hold there) and takes a lock that ends with the process.  It knows nothing of what lies inside.
// Loop thread, at the start.
#pragma once

#include <string>

#include "daemon/posix/unique_fd.h"
#include "dag/result.h"

namespace pipelined {

/// The lock on a state folder, held while this lives.
class StateFolder {
 public:
  /// Makes the folder if it is missing and locks it.  Errors: `conflict` names the process that has
  /// it, `unsupported` a network file system, `denied` a folder that others may write to, `io`.
  static Result<StateFolder> take(const std::string& path);

  const std::string& path() const { return path_; }

 private:
  StateFolder(std::string path, UniqueFd lock)
      : path_(std::move(path)), lock_(std::move(lock)) {}
  std::string path_;
  UniqueFd lock_;
};

/// Makes a folder and those above it, mode 0700; one that exists is left as it is.
Result<void> make_private_folder(const std::string& path);

/// The name of a network file system by its statfs type ("NFS"), or empty.
std::string network_file_system(long type);

}  // namespace pipelined
