#include "model/calendar.h"

#include <charconv>
#include <chrono>

namespace pipelined::model {
namespace {

using std::chrono::days;
using std::chrono::sys_days;

// Takes `width` digits from the front.
std::optional<int> digits(std::string_view& text, std::size_t width) {
  if (text.size() < width) return std::nullopt;
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + width, value);
  if (error != std::errc() || end != text.data() + width || text.front() == '-') {
    return std::nullopt;
  }
  text.remove_prefix(width);
  return value;
}

bool take(std::string_view& text, char expected) {
  if (text.empty() || text.front() != expected) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> parse_fraction(std::string_view& text) {
  std::int64_t micro = 0;
  std::int64_t unit = 100'000;
  bool any = false;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    micro += unit * (text.front() - '0');
    unit /= 10;
    any = true;
    text.remove_prefix(1);
  }
  return any ? std::optional(micro) : std::nullopt;
}

std::optional<std::int64_t> parse_clock(std::string_view text) {
  const auto hour = digits(text, 2);
  if (!hour || !take(text, ':')) return std::nullopt;
  const auto minute = digits(text, 2);
  if (!minute) return std::nullopt;
  int second = 0;
  std::int64_t micro = 0;
  if (take(text, ':')) {
    const auto seconds = digits(text, 2);
    if (!seconds) return std::nullopt;
    second = *seconds;
    if (take(text, '.')) {
      const auto fraction = parse_fraction(text);
      if (!fraction) return std::nullopt;
      micro = *fraction;
    }
  }
  take(text, 'Z');
  if (!text.empty() || *hour > 23 || *minute > 59 || second > 59) return std::nullopt;
  return ((*hour * 60 + *minute) * 60 + second) * std::int64_t{1'000'000} + micro;
}

}  // namespace

Moment moment_of(std::int64_t microseconds) {
  std::int64_t day_number = microseconds / microseconds_a_day;
  std::int64_t rest = microseconds % microseconds_a_day;
  if (rest < 0) {
    rest += microseconds_a_day;
    --day_number;
  }
  const sys_days day{days{day_number}};
  const std::chrono::year_month_day date{day};
  const std::chrono::year_month_day first{date.year(), std::chrono::January,
                                          std::chrono::day{1}};
  const std::int64_t seconds = rest / 1'000'000;
  Moment moment;
  moment.year = static_cast<int>(date.year());
  moment.month = static_cast<unsigned>(date.month());
  moment.day = static_cast<unsigned>(date.day());
  moment.hour = seconds / 3600;
  moment.minute = seconds / 60 % 60;
  moment.second = seconds % 60;
  moment.weekday = std::chrono::weekday{day}.iso_encoding() - 1;
  moment.day_of_year = (day - sys_days{first}).count() + 1;
  return moment;
}

std::optional<std::int64_t> parse_moment(std::string_view text) {
  const auto year = digits(text, 4);
  if (!year || !take(text, '-')) return std::nullopt;
  const auto month = digits(text, 2);
  if (!month || !take(text, '-')) return std::nullopt;
  const auto day = digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{
      std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
      std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t start = sys_days{date}.time_since_epoch().count() * microseconds_a_day;
  if (text.empty()) return start;
  if (!take(text, 'T') && !take(text, ' ')) return std::nullopt;
  const auto clock = parse_clock(text);
  if (!clock) return std::nullopt;
  return start + *clock;
}

}  // namespace pipelined::model
