// A copy of records and bytes in a folder of its own, and the way back.
//
// DIR/state.db, DIR/objects/… and, last of all, DIR/backup.json with the digest of the database and
// the name and size of every object: a folder without that file is no backup.  Objects are hard
// links where the file system allows it, else copies that are hashed on the way.  Any thread.
#pragma once

#include <atomic>
#include <string>

#include "daemon/keeping/report.h"
#include "daemon/store/sqlite.h"
#include "dag/result.h"

namespace pipelined {

/// Where a backup is made from and goes to.
struct BackupOptions {
  std::string store;                       ///< the store folder
  std::string folder;                      ///< new or empty; absolute
  const std::atomic<bool>* stop = nullptr;
};

/// Makes the folder if need be; an error when something is in it.
Result<void> prepare_backup(const std::string& folder);

/// Adds the objects that the copied records name and the list of all, durably.  `records` is the
/// copy at `folder`/state.db.  What was lost before is named and is no reason to stop.
Result<Report> complete_backup(Database& records, const BackupOptions& options);

/// Where a backup is put back: both folders must be empty or absent, the daemon stopped.
struct RestoreOptions {
  std::string folder, state, store;
};

/// Puts a backup back and verifies every byte.  The report names each digest that is missing.
Result<Report> restore_backup(const RestoreOptions& options);

}  // namespace pipelined
