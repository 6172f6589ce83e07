// Artifacts that rows name by their digest where no foreign key says so.
//
// A table that this program has no rule for protects whatever its values name: a digest as 32 bytes,
// or as 64 hexadecimal digits anywhere in a text.  So what a new table points at is never collected
// because somebody forgot to say so.  Reads only; whoever has the database.
#pragma once

#include <cstdint>
#include <unordered_set>

#include "daemon/store/sqlite.h"

namespace pipelined {

/// Row ids of the artifacts that are named so, those of reviews, requests and alerts included.
std::unordered_set<std::int64_t> artifacts_named(Database& records);

}  // namespace pipelined
