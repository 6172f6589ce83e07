// The time zones of this machine, read from its zone files.
//
// Looks in the folder that TZDIR names, else where distributions keep them.  Keeps nothing.
#pragma once

#include <memory>
#include <string>

#include "dag/time_zone.h"

namespace pipelined::cli {

/// The zone of that name; "UTC" needs no file.
Result<std::shared_ptr<const TimeZone>> read_zone(const std::string& name);

/// Zones as they are asked for.
class ZoneFiles : public ZoneSource {
 public:
  Result<std::shared_ptr<const TimeZone>> zone(const std::string& name) override {
    return read_zone(name);
  }
};

}  // namespace pipelined::cli
