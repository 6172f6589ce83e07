// The time zones of this machine, read from its zone files when a schedule names one.
//
// A zone stays as it was first read, so that one engine sees one truth; new rules count from the
// next start.  The daemon and pipectl read them the same way.  One thread.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "dag/time_zone.h"

namespace pipelined {

class ZoneFiles : public ZoneSource {
 public:
  /// Where the files are: the folder that TZDIR names, else where distributions keep them.
  ZoneFiles();
  explicit ZoneFiles(std::string folder) : folder_(std::move(folder)) {}

  /// The zone of that name; "UTC" needs no file.
  Result<std::shared_ptr<const TimeZone>> zone(const std::string& name) override;

 private:
  std::string folder_;
  std::map<std::string, std::shared_ptr<const TimeZone>> known_;
};

}  // namespace pipelined
