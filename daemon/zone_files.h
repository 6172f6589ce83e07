// The time zones of this machine, read from its zone files when a schedule names one.
//
// A zone stays as it was first read, so that one engine sees one truth; new rules count from the
// next start.  The loop thread's.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "dag/time_zone.h"

namespace pipelined {

class ZoneFiles : public ZoneSource {
 public:
  /// `folder`: where the files are; "/usr/share/zoneinfo" on every distribution.
  explicit ZoneFiles(std::string folder = "/usr/share/zoneinfo") : folder_(std::move(folder)) {}

  Result<std::shared_ptr<const TimeZone>> zone(const std::string& name) override;

 private:
  std::string folder_;
  std::map<std::string, std::shared_ptr<const TimeZone>> known_;
};

}  // namespace pipelined
