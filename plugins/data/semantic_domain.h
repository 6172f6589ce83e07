// What the values of a column seem to be: moments in time, or sentences.
//
// Guesses for people and for schemas, made from counted values: at least 100 of them, and 80 in 100
// must agree.  Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pipelined {

struct Domain {
  std::string kind;    ///< "time" or "natural_language"
  std::string format;  ///< of times: as strptime(3) reads it, or unix_seconds, unix_milliseconds, …
  double share = 0;    ///< of the values looked at
};

/// Texts with their counts, of which the first 512 are looked at.
std::optional<Domain> text_domain(const std::vector<std::pair<std::string_view, std::int64_t>>& counts);

/// Sorted numbers with their counts: times since 1970 that lie from 1990 to 2030, in the first of
/// seconds, milliseconds, microseconds and nanoseconds that fits.
std::optional<Domain> unix_time_domain(const std::vector<std::pair<double, std::int64_t>>& values,
                                       std::int64_t count);

}  // namespace pipelined
