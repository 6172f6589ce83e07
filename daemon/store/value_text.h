// Reads back what `canonical` of dag/value.h wrote.
//
// The text in the database is our own: integers and decimals stay apart, `nan`, `inf` and `-inf`
// are words.  Everything else is refused rather than guessed.  Pure; any thread.
#pragma once

#include <string_view>

#include "dag/result.h"
#include "dag/value.h"

namespace pipelined {

/// The value whose canonical text this is; nesting deeper than 64 is an error.
Result<Value> parse_canonical(std::string_view text);

}  // namespace pipelined
