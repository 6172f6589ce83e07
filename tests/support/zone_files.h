// Zones of this machine, for tests.
#pragma once

#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <string>

#include "dag/time_zone.h"

namespace pipelined::test {

/// The bytes of a zone's file; empty where there is none.
inline std::string zone_bytes(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// REQUIRES: the package tzdata.
class Zones : public ZoneSource {
 public:
  Result<std::shared_ptr<const TimeZone>> zone(const std::string& name) override {
    if (name == "UTC") return std::make_shared<const TimeZone>(TimeZone::utc());
    auto& known = zones_[name];
    if (known == nullptr) {
      TRY(zone, TimeZone::parse(name, zone_bytes(name)));
      known = std::make_shared<const TimeZone>(std::move(zone));
    }
    return known;
  }

 private:
  std::map<std::string, std::shared_ptr<const TimeZone>> zones_;
};

inline std::shared_ptr<const TimeZone> zone_named(const std::string& name) {
  static Zones zones;
  return *zones.zone(name);
}

}  // namespace pipelined::test
