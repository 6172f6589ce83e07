// Finds parameters by names that lead into tables: "drift.late.l_infinity".
//
// Knows no operator and no default.  Pure, any thread.
#pragma once

#include <string_view>

#include "dag/value.h"

namespace pipelined {

/// The value that `name` leads to; nothing if there is none.  The empty name is the table itself.
/// A key that itself holds dots is found too: at every level the longest key that fits goes first.
const Value* find_param(const Value& root, std::string_view name);

}  // namespace pipelined
