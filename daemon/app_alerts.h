// Looks at what the rules of alerts speak of: silent sources, late runs, full disks, long queues.
//
// Every few seconds it compares conditions with the alerts that stand, hands what has changed to the
// engine as facts, and queues repeats and recoveries.  What follows from what is dag/alert_rules.h.
// Loop thread, outside of turns.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "daemon/ports.h"
#include "daemon/store/store.h"
#include "dag/alert_rules.h"

namespace pipelined {

class AlertWatch {
 public:
  struct Doors {
    std::function<void(Event)> post;                      ///< to the engine
    std::function<void()> queued;                         ///< messages wait in the outbox
    std::function<std::int64_t(const std::string&)> free_bytes;  ///< of a folder's disk
    /// Pipeline and name of every source that is watched, also of those that never delivered.
    std::function<std::vector<std::pair<std::string, std::string>>()> sources;
  };

  AlertWatch(Store& store, Clock& clock, std::string store_folder, Doors doors);

  /// From now on these rules hold.
  void set_rules(std::vector<AlertRule> rules) { rules_ = std::move(rules); }
  /// Where new alerts go, for Store::set_sinks.
  AlertRouter router() const;
  /// Looks once.
  void look();

 private:
  std::vector<AlertCondition> conditions() const;
  void add_sources(const AlertRule& rule, TimeMs now, std::vector<AlertCondition>& found) const;
  void add_runs(const AlertRule& rule, TimeMs now, std::vector<AlertCondition>& found) const;
  void add_machine(const AlertRule& rule, std::vector<AlertCondition>& found) const;

  Store& store_;
  Clock& clock_;
  std::string store_folder_;
  Doors doors_;
  std::vector<AlertRule> rules_;
};

/// Bytes that may still be written below a folder; -1: not known.
std::int64_t free_bytes_of(const std::string& folder);

}  // namespace pipelined
