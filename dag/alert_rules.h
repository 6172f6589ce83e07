// Which alerts go where, when they are repeated, and when it is said that all is well again.
//
// Rules come from the configuration, alerts from the records; what follows is a list of messages to
// queue.  Every message has a name of its own (alert, sink, phase), so that asking twice, or again
// after a crash, queues nothing twice.  Conditions of the machine (a silent source, a full disk) are
// compared with the alerts that stand, so that nothing has to be remembered between two looks.
// Pure: time comes in.  Any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dag/records.h"

namespace pipelined {

/// The words that `when` of a rule takes.
inline constexpr const char* alert_kinds[] = {"failed",        "halted",   "in_review",
                                              "late",          "disk_low", "queue_long",
                                              "source_silent", "trouble"};

/// One `[[alert]]` of the configuration.
struct AlertRule {
  std::string name;
  std::vector<std::string> when;                  ///< kinds; empty: every
  std::vector<std::string> pipelines, subjects;   ///< patterns with `*`; empty: every
  std::string severity = "info";                  ///< at least this
  std::vector<std::string> to;                    ///< sinks by name
  std::int64_t group_wait_ms = 0;                 ///< what comes within goes in one message
  std::int64_t repeat_ms = 0;                     ///< again after so long while it stands; 0: never
  bool recovery = true;                           ///< say when it no longer stands
  std::int64_t silent_for_ms = 0;                 ///< of source_silent; 0: not watched
  std::int64_t late_after_ms = 0;                 ///< of late: a run goes on for longer; 0: not watched
  std::int64_t disk_below_bytes = 0;              ///< of disk_low; 0: not watched
  std::int64_t queue_above = 0;                   ///< of queue_long: runs that wait; 0: not watched
};

/// What an alert is about: one of `alert_kinds`.
std::string alert_kind(const AlertRow& alert);

/// Whether the pattern matches the whole text; `*` stands for any text, also none.
bool matches_pattern(std::string_view pattern, std::string_view text);

/// A message that a new alert makes.
struct AlertRoute {
  std::string sink, group;       ///< of one group: one message; empty: alone
  std::int64_t wait_ms = 0;
  bool operator==(const AlertRoute&) const = default;
};

/// Where a new alert goes: each sink once, by the first rule that names it.
std::vector<AlertRoute> routes_of(const std::vector<AlertRule>& rules, const AlertRow& alert);

/// An alert that a sink was told of.
struct ToldAlert {
  AlertRow alert;
  std::string sink;
  bool stands = true;            ///< it has not been dealt with
  bool delivered = false;        ///< the sink has it
  std::int64_t repeats = 0;      ///< so often it was queued again
  TimeMs last_at = 0;            ///< when it was last queued or delivered
};

/// A message about an alert that was told before.
struct AlertReminder {
  std::string alert, sink, phase;   ///< phase: "repeat-2", "recovered"
  bool operator==(const AlertReminder&) const = default;
};

/// What is to be said now of alerts that were told.
std::vector<AlertReminder> reminders(const std::vector<AlertRule>& rules,
                                     const std::vector<ToldAlert>& told, TimeMs now);

/// Something of the machine or the world that is well or not.
struct AlertCondition {
  std::string kind, pipeline, subject;   ///< kind: one of `alert_kinds`
  bool bad = false;
  std::string sentence;                  ///< what is wrong, or that it is no more
  Value evidence;                        ///< a table; may be empty
};

/// Alerts to raise: of conditions that are bad and not among `standing` (pipeline, subject), and one
/// of severity info for each that is well and stands.
std::vector<AlertRow> condition_changes(
    const std::vector<AlertCondition>& conditions,
    const std::set<std::pair<std::string, std::string>>& standing, TimeMs now);

}  // namespace pipelined
