// Looking into tables of values without asking first whether they are tables.
//
// For arguments and facts that come from outside: what is not there, or is of another kind, is
// nothing.  Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "dag/value.h"

namespace pipelined {

/// The entry of a table; null: it has none, or the value is no table.
const Value* entry_in(const Value& value, std::string_view name);
/// The text at that entry; empty: there is none.
std::string text_in(const Value& value, std::string_view name);

}  // namespace pipelined
