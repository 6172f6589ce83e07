#include "dag/time_zone.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace pipelined {
namespace {

constexpr std::int64_t day_s = 86400;
constexpr std::int64_t widest_s = 2 * day_s;  // no change of offsets is wider
constexpr std::int64_t latest_change = 1'000'000'000'000;  // far behind the year 9999
constexpr std::size_t header_size = 44;

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  if (bytes.size() == 4) return static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  return static_cast<std::int64_t>(value);
}

std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0);
}

// The numbers of a TZif header, in the order of the file.
struct Counts {
  std::size_t utc, standard, leap, times, types, letters;

  explicit Counts(std::string_view header) {
    const auto at = [&](std::size_t i) {
      return static_cast<std::size_t>(
          static_cast<std::uint32_t>(big_endian(header.substr(20 + 4 * i, 4))));
    };
    utc = at(0), standard = at(1), leap = at(2), times = at(3), types = at(4), letters = at(5);
  }
  std::size_t size(std::size_t time_size) const {
    return times * time_size + times + types * 6 + letters + leap * (time_size + 4) + standard + utc;
  }
  bool plausible() const {
    return std::max({utc, standard, leap, times, types, letters}) < 1'000'000 && types > 0;
  }
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

}  // namespace

// ---- Calendar --------------------------------------------------------------------------------------

std::int64_t days_from_civil(int year, int month, int day) {
  using namespace std::chrono;
  const sys_days days = std::chrono::year(year) / month / 1;
  return days.time_since_epoch().count() + day - 1;
}

CivilTime civil_of(std::int64_t local_seconds) {
  using namespace std::chrono;
  const std::int64_t days_since = floor_div(local_seconds, day_s);
  const auto rest = static_cast<int>(local_seconds - days_since * day_s);
  const year_month_day date{sys_days(days(static_cast<days::rep>(days_since)))};
  return {static_cast<int>(date.year()), static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())), rest / 3600, rest / 60 % 60,
          rest % 60};
}

std::int64_t seconds_of(const CivilTime& time) {
  return days_from_civil(time.year, time.month, time.day) * day_s + time.hour * 3600 +
         time.minute * 60 + time.second;
}

int weekday_of(std::int64_t days) { return static_cast<int>(((days + 4) % 7 + 7) % 7); }

int days_in_month(int year, int month) {
  using namespace std::chrono;
  const year_month_day_last last{std::chrono::year(year) /
                                 std::chrono::month(static_cast<unsigned>(month)) / std::chrono::last};
  return static_cast<int>(static_cast<unsigned>(last.day()));
}

// ---- The footer ------------------------------------------------------------------------------------

/// Reads "CET-1CEST,M3.5.0,M10.5.0/3".
class TimeZone::FooterReader {
 public:
  explicit FooterReader(std::string_view text) : text_(text) {}

  std::optional<Rule> read() {
    Rule rule;
    if (!name() || !time(rule.standard, 24)) return std::nullopt;
    rule.standard = -rule.standard;  // POSIX counts westward
    if (at_ == text_.size()) return rule;
    rule.has_summer = true;
    rule.summer = rule.standard + 3600;
    if (!name()) return std::nullopt;
    if (at_ < text_.size() && text_[at_] != ',') {
      if (!time(rule.summer, 24)) return std::nullopt;
      rule.summer = -rule.summer;
    }
    if (!take(',') || !day(rule.begin) || !take(',') || !day(rule.end)) return std::nullopt;
    if (at_ != text_.size()) return std::nullopt;
    return rule;
  }

 private:
  bool take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  bool name() {
    const std::size_t start = at_;
    if (take('<')) {
      while (at_ < text_.size() && text_[at_] != '>') ++at_;
      return take('>');
    }
    while (at_ < text_.size() && is_letter(text_[at_])) ++at_;
    return at_ > start;
  }

  bool number(int least, int most, int& out) {
    const std::size_t start = at_;
    out = 0;
    while (at_ < text_.size() && is_digit(text_[at_]) && at_ - start < 4) {
      out = out * 10 + (text_[at_++] - '0');
    }
    return at_ > start && out >= least && out <= most;
  }

  bool time(std::int64_t& out, int most_hours) {
    const bool negative = take('-');
    if (!negative) take('+');
    int hours = 0, minutes = 0, seconds = 0;
    if (!number(0, most_hours, hours)) return false;
    if (take(':') && !number(0, 59, minutes)) return false;
    if (take(':') && !number(0, 59, seconds)) return false;
    out = hours * 3600 + minutes * 60 + seconds;
    if (negative) out = -out;
    return true;
  }

  bool day(RuleDay& out) {
    if (take('M')) {
      out.kind = RuleDay::Kind::month_week_day;
      if (!number(1, 12, out.month) || !take('.') || !number(1, 5, out.week) || !take('.') ||
          !number(0, 6, out.day)) {
        return false;
      }
    } else if (take('J')) {
      out.kind = RuleDay::Kind::julian;
      if (!number(1, 365, out.day)) return false;
    } else {
      out.kind = RuleDay::Kind::zero_based;
      if (!number(0, 365, out.day)) return false;
    }
    return !take('/') || time(out.time, 167);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::int64_t TimeZone::local_of(const RuleDay& day, int year) {
  std::int64_t days = 0;
  if (day.kind == RuleDay::Kind::month_week_day) {
    const std::int64_t first = days_from_civil(year, day.month, 1);
    int date = 1 + (day.day - weekday_of(first) + 7) % 7 + 7 * (day.week - 1);
    if (date > days_in_month(year, day.month)) date -= 7;  // week 5 is the last one
    days = first + date - 1;
  } else if (day.kind == RuleDay::Kind::julian) {
    const bool leap = days_in_month(year, 2) == 29;  // 29 February is never counted
    days = days_from_civil(year, 1, 1) + day.day - 1 + (leap && day.day > 59 ? 1 : 0);
  } else {
    days = days_from_civil(year, 1, 1) + day.day;
  }
  return days * day_s + day.time;
}

std::vector<TimeZone::Change> TimeZone::rule_changes(std::int64_t instant) const {
  std::vector<Change> changes;
  if (!rule_ || !rule_->has_summer) return changes;
  const int year = civil_of(instant).year;
  for (int y = year - 2; y <= year + 2; ++y) {
    changes.push_back({local_of(rule_->end, y) - rule_->summer, rule_->standard});
    changes.push_back({local_of(rule_->begin, y) - rule_->standard, rule_->summer});
  }
  // Ends stand before beginnings of the same instant: summer all year is no change at all.
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Change& a, const Change& b) { return a.at < b.at; });
  return changes;
}

// ---- The file --------------------------------------------------------------------------------------

TimeZone TimeZone::utc() {
  TimeZone zone;
  zone.name_ = "UTC";
  return zone;
}

Result<void> TimeZone::take_table(std::string_view block, std::size_t time_size) {
  const Counts counts(block);
  const std::string_view times = block.substr(header_size);
  const std::string_view kinds = times.substr(counts.times * time_size);
  const std::string_view types = kinds.substr(counts.times);
  const auto offset_of = [&](std::size_t type) { return big_endian(types.substr(type * 6, 4)); };
  before_ = offset_of(0);
  for (std::size_t i = 0; i < counts.times; ++i) {
    const auto type = static_cast<std::size_t>(static_cast<unsigned char>(kinds[i]));
    if (type >= counts.types) {
      return Error{ErrorCode::corrupt, "time zone " + name_ + ": a change names no type"};
    }
    const Change change{big_endian(times.substr(i * time_size, time_size)), offset_of(type)};
    if (change.at > latest_change || (!changes_.empty() && change.at <= changes_.back().at)) {
      return Error{ErrorCode::corrupt, "time zone " + name_ + ": its changes are out of order"};
    }
    if (change.offset < -day_s || change.offset > day_s) {
      return Error{ErrorCode::corrupt, "time zone " + name_ + ": an offset of more than a day"};
    }
    changes_.push_back(change);
  }
  return {};
}

Result<TimeZone> TimeZone::parse(std::string name, std::string_view bytes) {
  TimeZone zone;
  zone.name_ = std::move(name);
  const auto bad = [&](const char* what) {
    return Error{ErrorCode::corrupt, "time zone " + zone.name_ + ": " + what};
  };
  const auto block_at = [&](std::string_view rest, std::size_t time_size) -> std::size_t {
    if (rest.size() < header_size || rest.substr(0, 4) != "TZif") return 0;
    const Counts counts(rest);
    if (!counts.plausible() || rest.size() - header_size < counts.size(time_size)) return 0;
    return header_size + counts.size(time_size);
  };
  const std::size_t first = block_at(bytes, 4);
  if (first == 0) return bad("the file is no whole TZif file");
  if (bytes[4] < '2') {
    TRY_VOID(zone.take_table(bytes.substr(0, first), 4));
    return zone;
  }
  const std::string_view rest = bytes.substr(first);
  const std::size_t second = block_at(rest, 8);
  if (second == 0) return bad("the file ends early");
  TRY_VOID(zone.take_table(rest.substr(0, second), 8));
  std::string_view footer = rest.substr(second);
  if (footer.size() < 2 || footer.front() != '\n' || footer.back() != '\n') {
    return bad("the file has no footer");
  }
  footer = footer.substr(1, footer.size() - 2);
  if (footer.empty()) return zone;
  zone.rule_ = FooterReader(footer).read();
  if (!zone.rule_) return bad("its footer is no rule");
  return zone;
}

// ---- Asking ----------------------------------------------------------------------------------------

std::int64_t TimeZone::offset_at(std::int64_t instant) const {
  if (rule_ && (changes_.empty() || instant >= changes_.back().at)) {
    if (!rule_->has_summer) return rule_->standard;
    // A rule begins behind the table: before its first change the table's last offset holds.
    const auto changes = rule_changes(instant);
    const auto after = std::upper_bound(changes.begin(), changes.end(), instant,
                                        [](std::int64_t t, const Change& c) { return t < c.at; });
    if (changes_.empty() || std::prev(after)->at >= changes_.back().at) return std::prev(after)->offset;
    return changes_.back().offset;
  }
  const auto after = std::upper_bound(changes_.begin(), changes_.end(), instant,
                                      [](std::int64_t t, const Change& c) { return t < c.at; });
  return after == changes_.begin() ? before_ : std::prev(after)->offset;
}

std::optional<std::int64_t> TimeZone::next_change(std::int64_t instant) const {
  std::int64_t offset = offset_at(instant);
  auto next = std::upper_bound(changes_.begin(), changes_.end(), instant,
                               [](std::int64_t t, const Change& c) { return t < c.at; });
  for (; next != changes_.end(); ++next) {
    if (next->offset != offset) return next->at;
  }
  const std::int64_t from = changes_.empty() ? instant : std::max(instant, changes_.back().at);
  for (const Change& change : rule_changes(from)) {
    if (change.at > from && offset_at(change.at) != offset) return change.at;
  }
  return std::nullopt;
}

LocalMeaning TimeZone::resolve(std::int64_t local) const {
  std::vector<std::int64_t> found;
  std::optional<std::int64_t> jump;
  std::int64_t from = local - widest_s;
  std::int64_t offset = offset_at(from);
  while (true) {
    const auto change = next_change(from);
    const std::int64_t instant = local - offset;
    if (instant >= from && (!change || instant < *change)) found.push_back(instant);
    if (!change || *change > local + widest_s) break;
    const std::int64_t after = offset_at(*change);
    if (local >= *change + offset && local < *change + after) jump = *change;
    from = *change;
    offset = after;
  }
  if (found.size() > 1) return {LocalMeaning::Kind::overlap, found[0], found[1]};
  if (found.size() == 1) return {LocalMeaning::Kind::once, found[0], found[0]};
  const std::int64_t at = jump.value_or(local - offset);
  return {LocalMeaning::Kind::gap, at, at};
}

Result<std::shared_ptr<const TimeZone>> UtcOnly::zone(const std::string& name) {
  if (name == "UTC") return std::make_shared<const TimeZone>(TimeZone::utc());
  return Error{ErrorCode::not_found, "there is no time zone '" + name + "' here"};
}

bool is_zone_name(std::string_view name) {
  if (name.empty() || name.size() > 64 || name.front() == '/' || name.back() == '/') return false;
  return name.find("//") == std::string_view::npos &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return is_letter(c) || is_digit(c) || c == '_' || c == '+' || c == '-' || c == '/';
         });
}

// ---- Text ------------------------------------------------------------------------------------------

std::string iso_text(std::int64_t instant, const TimeZone& zone) {
  const std::int64_t offset = zone.offset_at(instant);
  const CivilTime t = civil_of(instant + offset);
  const std::int64_t size = offset < 0 ? -offset : offset;
  char text[80];
  int length = std::snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", t.year,
                             t.month, t.day, t.hour, t.minute, t.second, offset < 0 ? '-' : '+',
                             static_cast<int>(size / 3600), static_cast<int>(size / 60 % 60));
  if (size % 60 != 0) {
    length += std::snprintf(text + length, sizeof text - static_cast<std::size_t>(length), ":%02d",
                            static_cast<int>(size % 60));
  }
  return {text, static_cast<std::size_t>(length)};
}

namespace {

// Reads `width` digits at the front of `rest`, after the given mark if there is one.
bool take_number(std::string_view& rest, char mark, std::size_t width, int& out) {
  if (mark != 0) {
    if (rest.empty() || rest.front() != mark) return false;
    rest.remove_prefix(1);
  }
  if (rest.size() < width || !std::all_of(rest.begin(), rest.begin() + static_cast<long>(width), is_digit)) {
    return false;
  }
  out = 0;
  for (std::size_t i = 0; i < width; ++i) out = out * 10 + (rest[i] - '0');
  rest.remove_prefix(width);
  return true;
}

// The clock's part of a time, "T03:00" or " 03:00:00"; nothing there is midnight.
bool take_clock(std::string_view& rest, CivilTime& time) {
  if (rest.empty()) return true;
  if (rest.front() != 'T' && rest.front() != 't' && rest.front() != ' ') return false;
  rest.remove_prefix(1);
  if (!take_number(rest, 0, 2, time.hour) || !take_number(rest, ':', 2, time.minute)) return false;
  if (!rest.empty() && rest.front() == ':' && !take_number(rest, ':', 2, time.second)) return false;
  if (!rest.empty() && rest.front() == '.') {  // less than a second: cut off
    rest.remove_prefix(1);
    while (!rest.empty() && is_digit(rest.front())) rest.remove_prefix(1);
  }
  return time.hour < 24 && time.minute < 60 && time.second < 60;
}

bool take_offset(std::string_view rest, std::int64_t& offset) {
  if (rest == "Z" || rest == "z") return true;
  const bool negative = rest.front() == '-';
  if (!negative && rest.front() != '+') return false;
  rest.remove_prefix(1);
  int hours = 0, minutes = 0;
  if (!take_number(rest, 0, 2, hours)) return false;
  const bool colon = !rest.empty() && rest.front() == ':';
  if (!rest.empty() && !take_number(rest, colon ? ':' : '\0', 2, minutes)) return false;
  offset = (hours * 3600 + minutes * 60) * (negative ? -1 : 1);
  return rest.empty() && hours < 24 && minutes < 60;
}

}  // namespace

Result<std::int64_t> parse_instant(std::string_view text, const TimeZone& zone) {
  const Error wrong{ErrorCode::invalid,
                    "'" + std::string(text) +
                        "' is no time; write 2026-03-29, 2026-03-29T02:30 (in the zone) or "
                        "2026-03-29T02:30:00+01:00"};
  CivilTime time;
  std::string_view rest = text;
  if (!take_number(rest, 0, 4, time.year) || !take_number(rest, '-', 2, time.month) ||
      !take_number(rest, '-', 2, time.day) || time.month < 1 || time.month > 12 || time.day < 1 ||
      time.day > days_in_month(time.year, time.month) || !take_clock(rest, time)) {
    return wrong;
  }
  const std::int64_t local = seconds_of(time);
  if (rest.empty()) return zone.resolve(local).first;
  std::int64_t offset = 0;
  if (!take_offset(rest, offset)) return wrong;
  return local - offset;
}

}  // namespace pipelined
