// What sinks were told, and which conditions stand: what the rules of alerts look at.
//
// Reads only.  Loop thread.
#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/store/store.h"
#include "dag/alert_rules.h"

namespace pipelined {

/// Alerts that a sink was told of and of which it was not told that they are over; of the newest
/// few thousand messages.
std::vector<ToldAlert> told_alerts(Store& store);

/// Pipeline and subject of every alert that stands and is about no run.
std::set<std::pair<std::string, std::string>> standing_conditions(Store& store);

}  // namespace pipelined
