// The tables of state.db and how an older file becomes a current one.
//
// What each column means for people: docs/formats.md.  The version of the schema stands in the
// file's user_version; a file with a higher one was written by a newer program and is refused.
#pragma once

#include "daemon/store/sqlite.h"
#include "dag/result.h"

namespace pipelined {

/// The version that this program writes.
inline constexpr int schema_version = 2;

/// Creates or migrates the tables in one transaction; does nothing to a current file.  Before an
/// older file is changed a verified copy of it is laid beside it (old_copy.h).
Result<void> bring_up_to_date(Database& database);

}  // namespace pipelined
