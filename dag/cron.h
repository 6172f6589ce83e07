// When a schedule is due: cron expressions and intervals, as pure arithmetic.
//
// A cron expression has five fields (minute, hour, day of month, month, day of week) with ranges,
// steps, lists, names, `L` (the last day of the month; `5L`: its last Friday) and `#` (`MON#2`: its
// second Monday), or is one of @hourly @daily @midnight @weekly @monthly @yearly @annually.  When
// both days are restricted (neither begins with `*`), either of them will do.  Over changes of the
// clock it does what Debian's cron does: an expression whose minute or hour begins with `*`, or
// that names every hour, follows the clock as it is; any other is one of fixed times, which run at
// the end of the gap, once, when they fall into one, and the first time only when they come twice.
// `@every 15m` counts from an anchor, 1970-01-01 00:00 UTC if none is given, and knows no clock.
// Knows no time of its own.  Values are immutable after parsing; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dag/result.h"
#include "dag/time_zone.h"

namespace pipelined {

/// One schedule.  All instants are seconds since 1970 UTC.
class Schedule {
 public:
  /// Reads "30 4 * * MON-FRI", "@daily", "@every 15m" or "@every 6h from 2026-01-01T02:30Z".  An
  /// error is a sentence with the place (column) in the expression.
  static Result<Schedule> parse(std::string_view text);

  const std::string& text() const { return text_; }
  /// The first instant after `instant` at which it is due; nothing: never again before the year 10000.
  std::optional<std::int64_t> next(std::int64_t instant, const TimeZone& zone) const;
  /// The last instant at or before `instant` at which it was due; nothing: not within ten years.
  std::optional<std::int64_t> latest(std::int64_t instant, const TimeZone& zone) const;

  /// Whether it follows the real clock over its changes.
  bool follows_clock() const { return wild_; }
  /// Whether a clock that shows this (second 0) shows a time of the expression.
  bool matches(const CivilTime& time) const;

 private:
  class Reader;
  struct NthWeekday {
    int weekday = 0, nth = 0;  ///< nth 0: the last
  };

  bool day_matches(int year, int month, int day) const;
  /// The first matching local minute in [from, until), both in seconds.
  std::optional<std::int64_t> next_local(std::int64_t from, std::int64_t until) const;
  std::optional<std::int64_t> next_wild(std::int64_t instant, const TimeZone& zone) const;
  std::optional<std::int64_t> next_fixed(std::int64_t instant, const TimeZone& zone) const;
  bool ever_comes() const;

  std::string text_;
  std::uint64_t minutes_ = 0;
  std::uint32_t hours_ = 0, days_ = 0, months_ = 0, weekdays_ = 0;  ///< bits by number
  bool last_day_ = false;
  std::vector<NthWeekday> nth_;
  bool days_star_ = false, weekdays_star_ = false, wild_ = false;
  std::int64_t every_s_ = 0, anchor_ = 0;  ///< of an interval; 0: a cron expression
};

}  // namespace pipelined
