// What a cell of text means: the reading of numbers, bools, dates and times, and the guess of a
// column's type from all of its cells.
//
// int: digits with a sign, in 64 bits.  float: decimals, exponents, nan, inf.  bool: true or false
// in lower, upper or title case.  date: 2013-12-31.  time: date, `T` or blank, 05:00[:00[.000000]],
// optionally `Z`.  Pure functions over text, no files.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "plugins/common/column_types.h"

namespace pipelined {

std::optional<std::int64_t> parse_integer(std::string_view text);
std::optional<double> parse_number(std::string_view text);
std::optional<bool> parse_boolean(std::string_view text);

/// Days since 1970-01-01.
std::optional<std::int32_t> parse_date(std::string_view text);

/// Microseconds since 1970-01-01 00:00; with `Z` or without.
std::optional<std::int64_t> parse_time(std::string_view text);

/// The narrowest type that every value seen so far has.
class TypeGuess {
 public:
  /// Looks at one value that is not null.
  void add(std::string_view text);

  /// One that is a string by its notation.
  void add_text() { candidates_ = 0; }

  /// Takes what another guess has seen; the order does not matter.
  void merge(const TypeGuess& other) {
    candidates_ &= other.candidates_;
    any_ = any_ || other.any_;
    fraction_seen_ = fraction_seen_ || other.fraction_seen_;
    too_large_seen_ = too_large_seen_ || other.too_large_seen_;
  }

  /// int, bool, date, time, float, else string; string when nothing was seen.  Whole numbers too
  /// large for an int stay strings unless a decimal stands beside them: digits must not be lost.
  ColumnType result() const;

 private:
  unsigned candidates_ = ~0u;
  bool any_ = false;
  bool fraction_seen_ = false;
  bool too_large_seen_ = false;
};

}  // namespace pipelined
