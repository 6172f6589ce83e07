// What the engine holds about schedules and about things that may fire triggers.
//
// A clock belongs to a trigger with a schedule or to a source with an expectation.  Its position is
// the time up to which its slots are settled; it is derived from the recorded slots, so a start or a
// clock that was set back finds it again.  Private to dag/engine*.cc.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dag/cron.h"
#include "dag/records.h"

namespace pipelined {

struct TriggerClock {
  std::string id;                  ///< SlotRow::trigger
  std::string source;              ///< of an expectation; empty: a trigger's
  std::size_t trigger = 0;         ///< index in the spec
  Schedule schedule;
  std::shared_ptr<const TimeZone> zone;
  std::int64_t jitter_ms = 0;      ///< of an expectation: how late is in time
  std::int64_t catch_up = 1;
  std::int64_t position_s = 0;     ///< slots up to here are settled
  TimeMs due_at = 0;               ///< when to look again; 0: never
  TimeMs not_before = 0;           ///< an expectation waits until the folders were looked at
};

/// Something that happened and may fire triggers once the open decisions are taken.
struct TriggerCause {
  std::string run_pipeline;        ///< a full run of it succeeded; empty: an alert was raised
  std::vector<std::pair<std::string, std::vector<Binding>>> outputs;  ///< of that run, by step
  AlertRow alert;
};

}  // namespace pipelined
