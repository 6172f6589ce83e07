// Time zones: from instants to what clocks on walls show, and back.
//
// A zone is read from the bytes of a TZif file (RFC 8536): its table of changes, and behind the
// table the rule that its footer states (POSIX TZ), so that the far future is right as well.  Who
// reads the file gives the bytes; nothing here opens one.  Instants are seconds since 1970 UTC,
// local times the seconds of a clock that shows them, counted as if it showed UTC.  Leap seconds do
// not exist.  Values are immutable after parsing; any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"

namespace pipelined {

/// Where the instants lie that a local time means.
struct LocalMeaning {
  enum class Kind {
    once,
    gap,      ///< clocks jumped over it; `first` is the instant at which they jumped
    overlap,  ///< clocks showed it twice: at `first` and at `second`
  } kind = Kind::once;
  std::int64_t first = 0, second = 0;
};

class TimeZone {
 public:
  static TimeZone utc();
  /// Reads the bytes of a TZif file; `name` is for messages.
  static Result<TimeZone> parse(std::string name, std::string_view bytes);

  const std::string& name() const { return name_; }
  /// Seconds that local time is ahead of UTC.
  std::int64_t offset_at(std::int64_t instant) const;
  LocalMeaning resolve(std::int64_t local) const;
  /// The first instant after `instant` at which the offset changes; nothing: it stays for ever.
  std::optional<std::int64_t> next_change(std::int64_t instant) const;

 private:
  struct Change {
    std::int64_t at = 0, offset = 0;  ///< from then on
  };
  /// A day of a year and a time of that day at which a rule begins.
  struct RuleDay {
    enum class Kind { julian, zero_based, month_week_day } kind = Kind::month_week_day;
    int month = 1, week = 1, day = 0;
    std::int64_t time = 7200;
  };
  struct Rule {
    std::int64_t standard = 0, summer = 0;
    bool has_summer = false;
    RuleDay begin, end;
  };
  class FooterReader;

  /// The changes of the rule in years around that of `instant`, in order.
  std::vector<Change> rule_changes(std::int64_t instant) const;
  static std::int64_t local_of(const RuleDay& day, int year);
  Result<void> take_table(std::string_view block, std::size_t time_size);

  std::string name_;
  std::int64_t before_ = 0;       ///< the offset before the first change
  std::vector<Change> changes_;   ///< of the table, in order
  std::optional<Rule> rule_;      ///< after the table
};

/// Where zones come from: the shell reads their files.  One thread.
class ZoneSource {
 public:
  virtual ~ZoneSource() = default;
  /// The zone of that name, "Europe/Berlin"; an error says what is wrong with the name.
  virtual Result<std::shared_ptr<const TimeZone>> zone(const std::string& name) = 0;
};

/// Knows "UTC" alone: for tests and for whoever has no zone files.
class UtcOnly : public ZoneSource {
 public:
  Result<std::shared_ptr<const TimeZone>> zone(const std::string& name) override;
};

/// Whether it can be the name of a zone file: letters, digits, `_`, `+`, `-`, parts parted by `/`.
bool is_zone_name(std::string_view name);

/// A day and a time of it, as a calendar and a clock show them.
struct CivilTime {
  int year = 1970, month = 1, day = 1, hour = 0, minute = 0, second = 0;
  bool operator==(const CivilTime&) const = default;
};

std::int64_t days_from_civil(int year, int month, int day);
CivilTime civil_of(std::int64_t local_seconds);
std::int64_t seconds_of(const CivilTime& time);
/// 0 is Sunday.
int weekday_of(std::int64_t days);
int days_in_month(int year, int month);

/// "2026-03-29T03:00:00+02:00": an instant as a clock of the zone shows it, with its offset.
std::string iso_text(std::int64_t instant, const TimeZone& zone);
/// Reads "2026-03-29T03:00:00+02:00", "2026-03-29T01:00Z", or, in the zone, "2026-03-29 03:00" and
/// "2026-03-29".  A local time in a gap is the end of the gap, one that comes twice the first.
Result<std::int64_t> parse_instant(std::string_view text, const TimeZone& zone);

}  // namespace pipelined
