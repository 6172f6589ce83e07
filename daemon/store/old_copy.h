// The copy of the records that is kept before an older file is migrated.
//
// `state.db.version-N` beside the database: complete, checked and durable before the first change.
// Nothing reads it again; a person may, to go back to the older program.  Loop thread, at the start.
#pragma once

#include <string>

#include "daemon/store/sqlite.h"
#include "dag/result.h"

namespace pipelined {

/// Where the copy of a database of that version lies.
std::string old_copy_path(const std::string& database, int version);

/// Copies the whole database, checks the copy and makes it durable.  A copy from an earlier start
/// that did not get through is replaced.  REQUIRES: no open transaction.
Result<void> keep_old_copy(Database& database, int version);

/// Opens a file that was copied from a database and reads all of it: `corrupt` when it is damaged
/// or of another version.
Result<void> check_copy(const std::string& path, int version);

/// Makes a file and its name durable.
Result<void> make_durable(const std::string& path);

}  // namespace pipelined
