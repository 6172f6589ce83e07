#include "daemon/api/protocol.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace pipelined::protocol {

std::string iso_time(TimeMs ms) {
  if (ms == 0) return {};
  using namespace std::chrono;
  const sys_time<milliseconds> moment{milliseconds(ms)};
  const auto day = floor<days>(moment);
  const year_month_day date{day};
  const hh_mm_ss<milliseconds> clock{moment - day};
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ",
                static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                static_cast<unsigned>(date.day()), static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()),
                static_cast<int>(clock.subseconds().count()));
  return text.data();
}

std::optional<TimeMs> parse_iso_time(std::string_view text) {
  using namespace std::chrono;
  if (text.empty()) return 0;
  int y = 0, hour = 0, minute = 0, second = 0, milli = 0, used = 0;
  unsigned month = 0, day = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%4d-%2u-%2uT%2d:%2d:%2d.%3dZ%n", &y, &month, &day, &hour, &minute,
                  &second, &milli, &used) != 7 ||
      static_cast<std::size_t>(used) != copy.size()) {
    return std::nullopt;
  }
  const year_month_day date{year(y), std::chrono::month(month), std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 59) return std::nullopt;
  const auto moment = sys_days(date) + hours(hour) + minutes(minute) + seconds(second);
  return duration_cast<milliseconds>(moment.time_since_epoch()).count() + milli;
}

}  // namespace pipelined::protocol
