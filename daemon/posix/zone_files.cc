#include "daemon/posix/zone_files.h"

#include <cstdlib>
#include <fstream>

namespace pipelined {
namespace {

constexpr std::size_t zone_bytes_max = 1 << 20;

const char* folder_of_zones() {
  const char* named = std::getenv("TZDIR");
  return named == nullptr ? "/usr/share/zoneinfo" : named;
}

}  // namespace

ZoneFiles::ZoneFiles() : folder_(folder_of_zones()) {}

Result<std::shared_ptr<const TimeZone>> ZoneFiles::zone(const std::string& name) {
  if (const auto found = known_.find(name); found != known_.end()) return found->second;
  if (!is_zone_name(name)) {
    return Error{ErrorCode::invalid, "'" + name + "' is no name of a time zone; such a name is "
                                                  "Europe/Berlin"};
  }
  TimeZone zone = TimeZone::utc();
  if (name != "UTC") {
    const std::string path = folder_ + "/" + name;
    std::ifstream file(path, std::ios::binary);
    std::string bytes(zone_bytes_max, '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    if (bytes.empty()) {
      return Error{ErrorCode::not_found, "there is no time zone '" + name + "' at " + path +
                                             "; the package tzdata brings them"};
    }
    TRY(read, TimeZone::parse(name, bytes));
    zone = std::move(read);
  }
  return known_[name] = std::make_shared<const TimeZone>(std::move(zone));
}

}  // namespace pipelined
