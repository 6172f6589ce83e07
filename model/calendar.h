// Days and moments taken apart.
//
// The proleptic Gregorian calendar in UTC, without time zones and without the system's clock.  Pure
// functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace pipelined::model {

/// The parts of a moment, as pandas numbers them: weekday 0 is Monday, day_of_year begins with 1.
struct Moment {
  std::int64_t year = 1970;
  std::int64_t month = 1;
  std::int64_t day = 1;
  std::int64_t hour = 0;
  std::int64_t minute = 0;
  std::int64_t second = 0;
  std::int64_t weekday = 3;
  std::int64_t day_of_year = 1;
};

/// From microseconds since 1970-01-01 00:00.
Moment moment_of(std::int64_t microseconds);

/// Microseconds since 1970 of `2013-12-31`, `2013-12-31T05:00`, also with seconds, fractions, `Z`
/// and a blank for the `T`; nothing if the text is no such moment.
std::optional<std::int64_t> parse_moment(std::string_view text);

inline constexpr std::int64_t microseconds_a_day = 86'400'000'000;

}  // namespace pipelined::model
