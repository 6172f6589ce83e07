// Dates and times as statistics write them, and back: "2013-01-31", "2013-01-31T09:30:00.25".
//
// A date counts days, a time microseconds, both since 1970-01-01.  Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "plugins/common/column_types.h"

namespace pipelined {

/// The text of a date (in days) or time (in microseconds).
std::string moment_text(ColumnType type, std::int64_t value);

/// What such a text stands for, in days or microseconds; nothing if it is none.
std::optional<std::int64_t> moment_in(ColumnType type, std::string_view text);

}  // namespace pipelined
