#include "dag/cron.h"

#include <algorithm>
#include <array>

#include "dag/nearest_name.h"
#include "dag/spec_words.h"

namespace pipelined {
namespace {

constexpr std::int64_t minute_s = 60, day_s = 86400;
constexpr std::int64_t end_of_time = 253402300800;  // the year 10000
constexpr std::int64_t ten_years_s = 3653 * day_s;
constexpr int cycle_years = 400;                    // the calendar repeats, weekdays included
constexpr std::uint32_t all_hours = (1u << 24) - 1;

using Names = std::vector<std::string>;

struct FieldKind {
  const char* what;
  int least, most;
  Names names;  ///< for least, least + 1, …
};

const std::array<FieldKind, 5>& field_kinds() {
  static const std::array<FieldKind, 5> kinds = {{
      {"minute", 0, 59, {}},
      {"hour", 0, 23, {}},
      {"day of month", 1, 31, {}},
      {"month", 1, 12, {"JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV",
                        "DEC"}},
      {"day of week", 0, 7, {"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"}},
  }};
  return kinds;
}

constexpr int weekday_field = 4, day_field = 2;

const std::array<std::pair<const char*, const char*>, 7> nicknames = {{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

std::int64_t floor_to(std::int64_t value, std::int64_t unit) {
  return value - ((value % unit) + unit) % unit;
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
bool is_letter(char c) { return upper(c) >= 'A' && upper(c) <= 'Z'; }

std::string range_text(const FieldKind& kind) {
  std::string text = std::to_string(kind.least) + "-" + std::to_string(kind.most);
  if (!kind.names.empty()) text += " or " + kind.names.front() + "-" + kind.names.back();
  return text;
}

}  // namespace

// ---- Reading ---------------------------------------------------------------------------------------

/// Reads one expression; stops at the first problem.
class Schedule::Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  Result<Schedule> read() {
    out_.text_ = std::string(text_);
    skip_blanks();
    if (at_ == text_.size()) return wrong(at_, "is empty; five fields are wanted, such as 30 4 * * *");
    if (text_.size() > 500) return wrong(0, "is longer than 500 characters");
    if (text_[at_] == '@') return read_nickname();
    TRY_VOID(read_fields());
    return std::move(out_);
  }

 private:
  Error wrong(std::size_t at, const std::string& what) const {
    return {ErrorCode::invalid, "schedule '" + std::string(text_.substr(0, 100)) + "', column " +
                                    std::to_string(at + 1) + ": " + what};
  }
  Error wrong_field(std::size_t at, const std::string& what) const {
    return wrong(at, "the " + std::string(field_kinds()[field_].what) + " " + what);
  }

  void skip_blanks() {
    while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  }
  bool at_end() const { return at_ == text_.size() || is_blank(text_[at_]); }
  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  std::string_view word() {
    const std::size_t start = at_;
    while (!at_end()) ++at_;
    return text_.substr(start, at_ - start);
  }

  Result<Schedule> read_nickname() {
    const std::size_t start = at_;
    std::string name(word());
    std::transform(name.begin(), name.end(), name.begin(), [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    });
    if (name == "@every") return read_every();
    skip_blanks();
    if (at_ != text_.size()) return wrong(at_, "nothing stands behind " + name);
    Names known = {"@every"};
    for (const auto& [nickname, fields] : nicknames) {
      known.push_back(nickname);
      if (name != nickname) continue;
      auto meant = Reader(fields).read();
      if (meant) meant->text_ = std::string(text_);
      return meant;
    }
    if (name == "@reboot") {
      return wrong(start, "@reboot is no time; a schedule is about times alone");
    }
    return wrong(start, "unknown word '" + name + "'" + did_you_mean(name, known));
  }

  Result<Schedule> read_every() {
    skip_blanks();
    const std::size_t start = at_;
    const auto duration = parse_duration(word());
    if (!duration || *duration < 1000 || *duration % 1000 != 0 || *duration > 366 * day_s * 1000) {
      return wrong(start, "@every wants a duration of whole seconds up to a year, such as 15m or 6h");
    }
    out_.every_s_ = *duration / 1000;
    skip_blanks();
    if (at_ == text_.size()) return std::move(out_);
    const std::size_t from = at_;
    if (word() != "from") return wrong(from, "behind the duration stands nothing, or from and a time");
    skip_blanks();
    const std::size_t anchor_at = at_;
    std::string_view rest = text_.substr(at_);
    while (!rest.empty() && is_blank(rest.back())) rest.remove_suffix(1);
    const auto anchor = parse_instant(rest, TimeZone::utc());
    if (!anchor) return wrong(anchor_at, anchor.error().message);
    out_.anchor_ = *anchor;
    return std::move(out_);
  }

  Result<void> read_fields() {
    for (field_ = 0; field_ < 5; ++field_) {
      skip_blanks();
      if (at_ == text_.size()) {
        return wrong(at_, "the " + std::string(field_kinds()[field_].what) +
                              " is missing; five fields are wanted: minute, hour, day of month, "
                              "month, day of week");
      }
      const bool star = text_[at_] == '*';
      if (star && field_ < 2) out_.wild_ = true;
      if (field_ == day_field) out_.days_star_ = star;
      if (field_ == weekday_field) out_.weekdays_star_ = star;
      do {
        TRY_VOID(read_item());
      } while (take(','));
      if (!at_end()) return wrong_field(at_, "goes on with '" + std::string(1, text_[at_]) +
                                                 "', where a comma or a blank is wanted");
    }
    skip_blanks();
    if (at_ != text_.size()) {
      return wrong(at_, "more than five fields; wanted are minute, hour, day of month, month, day "
                        "of week, without seconds or a year");
    }
    if (out_.hours_ == all_hours) out_.wild_ = true;
    if (!out_.ever_comes()) return wrong(0, "no such day ever comes");
    return {};
  }

  void set(int value) {
    switch (field_) {
      case 0: out_.minutes_ |= 1ull << value; break;
      case 1: out_.hours_ |= 1u << value; break;
      case 2: out_.days_ |= 1u << value; break;
      case 3: out_.months_ |= 1u << value; break;
      default: out_.weekdays_ |= 1u << (value % 7); break;
    }
  }

  /// A number or a name; `is_name` tells which.
  Result<int> read_value(bool& named) {
    const FieldKind& kind = field_kinds()[field_];
    const std::size_t start = at_;
    named = false;
    if (at_ < text_.size() && is_digit(text_[at_])) {
      int value = 0;
      while (at_ < text_.size() && is_digit(text_[at_]) && value < 10'000) {
        value = value * 10 + (text_[at_++] - '0');
      }
      if (value < kind.least || value > kind.most) {
        return wrong_field(start, "is " + std::to_string(value) + ", which is not in " +
                                      range_text(kind));
      }
      return value;
    }
    std::string name;
    while (at_ < text_.size() && is_letter(text_[at_])) name += upper(text_[at_++]);
    if (field_ == weekday_field && name.size() == 4 && name.back() == 'L') {  // FRIL
      name.pop_back();
      --at_;
    }
    for (std::size_t i = 0; i < kind.names.size(); ++i) {
      named = true;
      if (kind.names[i] == name) return kind.least + static_cast<int>(i);
    }
    if (name == "L" && field_ == weekday_field) {
      return wrong_field(start, "is L alone; write 5L for the last Friday of the month");
    }
    if (name.empty()) {
      return wrong_field(start, at_end() ? "lacks a value here" :
                                           "has '" + std::string(1, text_[at_]) +
                                               "' where a value is wanted (" + range_text(kind) + ")");
    }
    return wrong_field(start, "is '" + name + "', which is not in " + range_text(kind) +
                                  did_you_mean(name, kind.names));
  }

  Result<void> read_item() {
    const FieldKind& kind = field_kinds()[field_];
    const int most = field_ == weekday_field ? 6 : kind.most;
    const std::size_t start = at_;
    if (take('*')) return read_step(kind.least, most, start);
    if (field_ == day_field && at_ < text_.size() && upper(text_[at_]) == 'L') {
      ++at_;
      out_.last_day_ = true;
      return {};
    }
    bool named = false;
    TRY(first, read_value(named));
    if (field_ == weekday_field) {
      if (take('#')) return read_nth(first);
      if (at_ < text_.size() && upper(text_[at_]) == 'L') {
        ++at_;
        out_.nth_.push_back({first % 7, 0});
        return {};
      }
    }
    if (at_ < text_.size() && text_[at_] == '/') return read_step(first, most, start);
    if (!take('-')) {
      set(first);
      return {};
    }
    const std::size_t second_at = at_;
    TRY(second, read_value(named));
    // A week may end with Sunday by its name.
    const int last = field_ == weekday_field && named && second == 0 && first > 0 ? 7 : second;
    if (last < first) {
      return wrong_field(second_at, "is a range that ends before it begins; write two, with a comma "
                                    "between");
    }
    return read_step(first, last, start);
  }

  Result<void> read_step(int first, int last, std::size_t start) {
    int step = 1;
    if (take('/')) {
      const std::size_t step_at = at_;
      step = 0;
      while (at_ < text_.size() && is_digit(text_[at_]) && step < 10'000) {
        step = step * 10 + (text_[at_++] - '0');
      }
      if (step == 0) return wrong_field(step_at, "has a step that is no number from 1 on");
      const FieldKind& kind = field_kinds()[field_];
      if (step > kind.most - kind.least + 1) {
        return wrong_field(start, "has the step " + std::to_string(step) +
                                      ", which is longer than " + range_text(kind));
      }
    }
    for (int value = first; value <= last; value += step) set(value);
    return {};
  }

  Result<void> read_nth(int weekday) {
    const std::size_t start = at_;
    if (at_ == text_.size() || text_[at_] < '1' || text_[at_] > '5') {
      return wrong_field(start, "wants a number from 1 to 5 behind '#', as in MON#2");
    }
    out_.nth_.push_back({weekday % 7, text_[at_++] - '0'});
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0, field_ = 0;
  Schedule out_;
};

Result<Schedule> Schedule::parse(std::string_view text) { return Reader(text).read(); }

// ---- Matching --------------------------------------------------------------------------------------

bool Schedule::day_matches(int year, int month, int day) const {
  if ((months_ >> month & 1) == 0) return false;
  const int month_days = days_in_month(year, month);
  const bool by_date = (days_ >> day & 1) != 0 || (last_day_ && day == month_days);
  const int weekday = weekday_of(days_from_civil(year, month, day));
  bool by_weekday = (weekdays_ >> weekday & 1) != 0;
  for (const NthWeekday& one : nth_) {
    if (one.weekday != weekday) continue;
    by_weekday |= one.nth == 0 ? day + 7 > month_days : (day - 1) / 7 + 1 == one.nth;
  }
  return days_star_ || weekdays_star_ ? by_date && by_weekday : by_date || by_weekday;
}

bool Schedule::matches(const CivilTime& t) const {
  return t.second == 0 && (minutes_ >> t.minute & 1) != 0 && (hours_ >> t.hour & 1) != 0 &&
         day_matches(t.year, t.month, t.day);
}

bool Schedule::ever_comes() const {
  for (int year = 2000; year < 2000 + cycle_years; ++year) {
    for (int month = 1; month <= 12; ++month) {
      for (int day = 1; day <= days_in_month(year, month); ++day) {
        if (day_matches(year, month, day)) return true;
      }
    }
  }
  return false;
}

std::optional<std::int64_t> Schedule::next_local(std::int64_t from, std::int64_t until) const {
  const std::int64_t start = floor_to(from + minute_s - 1, minute_s);
  for (std::int64_t day = floor_to(start, day_s); day < until; day += day_s) {
    const CivilTime date = civil_of(day);
    if (!day_matches(date.year, date.month, date.day)) continue;
    for (int hour = 0; hour < 24; ++hour) {
      if ((hours_ >> hour & 1) == 0 || day + (hour + 1) * 3600 <= start) continue;
      for (int minute = 0; minute < 60; ++minute) {
        const std::int64_t local = day + hour * 3600 + minute * minute_s;
        if ((minutes_ >> minute & 1) == 0 || local < start) continue;
        if (local >= until) return std::nullopt;
        return local;
      }
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> Schedule::next_wild(std::int64_t instant, const TimeZone& zone) const {
  std::int64_t from = instant + 1;
  const std::int64_t horizon = std::min(end_of_time, from + cycle_years * 366 * day_s);
  while (from < horizon) {
    const std::int64_t offset = zone.offset_at(from);
    const std::int64_t until = zone.next_change(from).value_or(horizon);
    if (const auto local = next_local(from + offset, until + offset)) return *local - offset;
    from = until;
  }
  return std::nullopt;
}

// Later local times never mean earlier instants, so the first that lies behind `instant` is next.
std::optional<std::int64_t> Schedule::next_fixed(std::int64_t instant, const TimeZone& zone) const {
  std::int64_t from = floor_to(instant + zone.offset_at(instant), minute_s);
  while (const auto local = next_local(from, end_of_time + day_s)) {
    const std::int64_t at = zone.resolve(*local).first;
    if (at > instant) return at;
    from = *local + minute_s;
  }
  return std::nullopt;
}

std::optional<std::int64_t> Schedule::next(std::int64_t instant, const TimeZone& zone) const {
  std::optional<std::int64_t> found;
  if (instant >= end_of_time) return std::nullopt;
  if (every_s_ > 0) {
    found = anchor_ + floor_to(instant - anchor_, every_s_) + every_s_;
  } else {
    found = wild_ ? next_wild(instant, zone) : next_fixed(instant, zone);
  }
  if (found && *found >= end_of_time) found.reset();
  return found;
}

std::optional<std::int64_t> Schedule::latest(std::int64_t instant, const TimeZone& zone) const {
  if (every_s_ > 0) return anchor_ + floor_to(instant - anchor_, every_s_);
  // Looks back twice as far each time, then walks forward.
  for (std::int64_t back = 3600;; back *= 2) {
    const std::int64_t start = instant - std::min(back, ten_years_s);
    auto found = next(start, zone);
    if (found && *found <= instant) {
      while (const auto later = next(*found, zone)) {
        if (*later > instant) break;
        found = later;
      }
      return found;
    }
    if (back >= ten_years_s) return std::nullopt;
  }
}

}  // namespace pipelined
