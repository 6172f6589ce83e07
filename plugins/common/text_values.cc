#include "plugins/common/text_values.h"

#include <charconv>
#include <chrono>

namespace pipelined {
namespace {

constexpr unsigned integer_bit = 1, boolean_bit = 2, date_bit = 4, time_bit = 8, number_bit = 16;
constexpr unsigned all_bits = 31;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_plus(std::string_view text) {
  const bool signed_digits = text.size() > 1 && text[0] == '+' && text[1] != '-' && text[1] != '+';
  return signed_digits ? text.substr(1) : text;
}

/// Only digits behind an optional sign.
bool looks_whole(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (text.empty()) return false;
  for (const char c : text) {
    if (!is_digit(c)) return false;
  }
  return true;
}

/// The usual shape of a decimal, without working out its value.
bool looks_decimal(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < text.size() && is_digit(text[digits])) ++digits;
  std::size_t at = digits;
  if (at < text.size() && text[at] == '.') {
    ++at;
    while (at < text.size() && is_digit(text[at])) ++at, ++digits;
  }
  return digits > 0 && at == text.size();
}

std::optional<int> digits_at(std::string_view text, std::size_t from, std::size_t count) {
  if (from + count > text.size()) return std::nullopt;
  int value = 0;
  for (std::size_t i = from; i < from + count; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

/// Microseconds of the day of `05:00`, `05:00:00` or `05:00:00.123456`.
std::optional<std::int64_t> parse_clock(std::string_view text) {
  const auto hours = digits_at(text, 0, 2), minutes = digits_at(text, 3, 2);
  if (!hours || !minutes || text[2] != ':' || *hours > 23 || *minutes > 59) return std::nullopt;
  std::int64_t micros = (*hours * 60LL + *minutes) * 60'000'000;
  if (text.size() == 5) return micros;
  const auto seconds = digits_at(text, 6, 2);
  if (!seconds || text[5] != ':' || *seconds > 59) return std::nullopt;
  micros += *seconds * 1'000'000LL;
  if (text.size() == 8) return micros;
  if (text[8] != '.' || text.size() == 9 || text.size() > 18) return std::nullopt;
  std::int64_t unit = 100'000;
  for (const char c : text.substr(9)) {
    if (!is_digit(c)) return std::nullopt;
    micros += (c - '0') * unit;
    unit /= 10;
  }
  return micros;
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  text = without_plus(text);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> parse_number(std::string_view text) {
  text = without_plus(text);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) {
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  return std::nullopt;
}

std::optional<std::int32_t> parse_date(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto year = digits_at(text, 0, 4), month = digits_at(text, 5, 2), day = digits_at(text, 8, 2);
  if (!year || !month || !day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return static_cast<std::int32_t>(std::chrono::sys_days(date).time_since_epoch().count());
}

std::optional<std::int64_t> parse_time(std::string_view text) {
  if (text.size() < 16 || (text[10] != 'T' && text[10] != ' ')) return std::nullopt;
  const auto day = parse_date(text.substr(0, 10));
  if (!day) return std::nullopt;
  text.remove_prefix(11);
  if (text.ends_with('Z')) text.remove_suffix(1);
  const auto clock = text.size() >= 5 ? parse_clock(text) : std::nullopt;
  if (!clock) return std::nullopt;
  return *day * 86'400'000'000LL + *clock;
}

void TypeGuess::add(std::string_view text) {
  any_ = true;
  if ((candidates_ & all_bits) == 0) return;
  unsigned fits = 0;
  if (candidates_ & (integer_bit | number_bit)) {
    if (looks_whole(text)) {
      fits |= number_bit;
      if (text.size() <= 18 || parse_integer(text)) {
        fits |= integer_bit;
      } else {
        too_large_seen_ = true;
      }
    } else if (looks_decimal(text) || parse_number(text)) {
      fits |= number_bit;
      fraction_seen_ = true;
    }
  }
  if ((candidates_ & boolean_bit) && parse_boolean(text)) fits |= boolean_bit;
  if ((candidates_ & date_bit) && parse_date(text)) fits |= date_bit;
  if ((candidates_ & time_bit) && parse_time(text)) fits |= time_bit;
  candidates_ &= fits;
}

ColumnType TypeGuess::result() const {
  if (!any_) return ColumnType::text;
  if (candidates_ & integer_bit) return ColumnType::integer;
  if (candidates_ & boolean_bit) return ColumnType::boolean;
  if (candidates_ & date_bit) return ColumnType::date;
  if (candidates_ & time_bit) return ColumnType::time;
  const bool number = (candidates_ & number_bit) && (fraction_seen_ || !too_large_seen_);
  return number ? ColumnType::number : ColumnType::text;
}

}  // namespace pipelined
