#include "plugins/data/moment_text.h"

#include <charconv>
#include <chrono>
#include <cstdio>

namespace pipelined {
namespace {

constexpr std::int64_t second = 1'000'000, minute = 60 * second, hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

std::string date_text(std::int64_t days) {
  const std::chrono::year_month_day date{
      std::chrono::sys_days(std::chrono::days(static_cast<int>(days)))};
  char text[48];
  std::snprintf(text, sizeof text, "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text;
}

/// Reads numbers and marks from the front of a text.
class Scan {
 public:
  explicit Scan(std::string_view text) : at_(text.data()), end_(at_ + text.size()) {}

  std::int64_t number() {
    std::int64_t value = 0;
    const auto [stop, problem] = std::from_chars(at_, end_, value);
    good_ = good_ && problem == std::errc();
    at_ = stop;
    return value;
  }
  void mark(char expected) {
    good_ = good_ && at_ != end_ && *at_ == expected;
    if (good_) ++at_;
  }
  /// Digits behind a point as millionths; none if there is no point.
  std::int64_t fraction() {
    if (at_ == end_ || *at_ != '.') return 0;
    ++at_;
    std::int64_t value = 0;
    for (std::int64_t place = second / 10; place > 0; place /= 10) {
      if (at_ != end_ && *at_ >= '0' && *at_ <= '9') value += (*at_++ - '0') * place;
    }
    return value;
  }
  bool done() const { return good_ && at_ == end_; }

 private:
  const char* at_;
  const char* end_;
  bool good_ = true;
};

}  // namespace

std::string moment_text(ColumnType type, std::int64_t value) {
  if (type == ColumnType::date) return date_text(value);
  std::int64_t days = value / day, rest = value % day;
  if (rest < 0) {
    rest += day;
    --days;
  }
  char clock[40];
  std::snprintf(clock, sizeof clock, "T%02d:%02d:%02d", static_cast<int>(rest / hour),
                static_cast<int>(rest / minute % 60), static_cast<int>(rest / second % 60));
  std::string text = date_text(days) + clock;
  if (rest % second != 0) {
    std::snprintf(clock, sizeof clock, ".%06d", static_cast<int>(rest % second));
    text += clock;
  }
  return text;
}

std::optional<std::int64_t> moment_in(ColumnType type, std::string_view text) {
  Scan scan(text);
  const std::int64_t year = scan.number();
  scan.mark('-');
  const std::int64_t month = scan.number();
  scan.mark('-');
  const std::int64_t of_month = scan.number();
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(year)),
                                         std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(of_month))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  if (type == ColumnType::date) return scan.done() ? std::optional(days) : std::nullopt;
  scan.mark('T');
  std::int64_t value = days * day + scan.number() * hour;
  scan.mark(':');
  value += scan.number() * minute;
  scan.mark(':');
  value += scan.number() * second + scan.fraction();
  return scan.done() ? std::optional(value) : std::nullopt;
}

}  // namespace pipelined
