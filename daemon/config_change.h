// What differs between two configurations, and which of it takes effect without a restart.
//
// Pure.  Every key of the configuration stands in one table; a key that is not in it would be missing
// in what `pipectl reload` says, so a test compares the table with the reader's keys.
#pragma once

#include <string>
#include <vector>

#include "daemon/config.h"

namespace pipelined {

/// Names of keys that differ.
struct ConfigChange {
  std::vector<std::string> at_once, at_restart;
};

/// Compares two settled configurations.
ConfigChange compare_configs(const Config& before, const Config& after);

/// The configuration that is in force when `after` was read: what needs a restart stays.
Config taken_over(const Config& before, const Config& after);

}  // namespace pipelined
