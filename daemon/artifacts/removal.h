// Removing whole folders that strangers filled.
//
// An operator may leave folders that are unreadable, read-only or nested thousands deep; each is
// moved up into a flat folder of rubbish and emptied there, so neither recursion nor open
// descriptors grow with the depth.  Follows no symbolic link.  Store thread.
#pragma once

#include <string>

#include "dag/result.h"

namespace pipelined {

/// Removes `path` (below the open folder `root`), a file or a folder with all that it holds.
/// `rubbish` is an existing folder below `root` on the same file system; what cannot be removed
/// stays there.  A path that does not exist is success.
Result<void> remove_all_below(int root, const std::string& path, const std::string& rubbish);

}  // namespace pipelined
