// JSON text to and from parameter values.
//
// The one place that reads and writes JSON for the plugin contract: wire frames, descriptors and
// the parameters of operators are `Value`s everywhere else.  Knows no file and no meaning of any
// field. Pure functions, any thread.
#pragma once

#include <string>
#include <string_view>

#include "dag/result.h"
#include "dag/value.h"

namespace pipelined {

/// How deep lists and tables may be nested in JSON that is read.
inline constexpr int json_depth_max = 64;

/// Reads one JSON text.  Integers beyond 64 bits become doubles.  Errors (invalid): not JSON, not
/// UTF-8, nested deeper than `json_depth_max`, a key twice in one object; with the byte it is at.
Result<Value> value_from_json(std::string_view text);

/// One line of JSON with sorted keys that `value_from_json` reads back; 1 and 1.0 stay apart.  JSON
/// has no nan and no infinities: they become the strings "nan", "inf" and "-inf".  Bytes that are
/// not UTF-8 become the replacement character.
std::string json_text(const Value& value);

/// `text` with every byte that is not part of valid UTF-8 replaced by U+FFFD.
std::string valid_utf8(std::string_view text);

}  // namespace pipelined
