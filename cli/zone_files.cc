#include "cli/zone_files.h"

#include <cstdlib>
#include <fstream>

namespace pipelined::cli {
namespace {

constexpr std::size_t zone_bytes_max = 1 << 20;

}  // namespace

Result<std::shared_ptr<const TimeZone>> read_zone(const std::string& name) {
  if (name == "UTC") return std::make_shared<const TimeZone>(TimeZone::utc());
  if (!is_zone_name(name)) {
    return Error{ErrorCode::invalid, "'" + name + "' is no name of a time zone; such a name is "
                                                  "Europe/Berlin"};
  }
  const char* folder = std::getenv("TZDIR");
  const std::string path =
      std::string(folder == nullptr ? "/usr/share/zoneinfo" : folder) + "/" + name;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(zone_bytes_max, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  if (bytes.empty()) {
    return Error{ErrorCode::not_found, "there is no time zone '" + name + "' at " + path +
                                           "; the package tzdata brings them"};
  }
  TRY(zone, TimeZone::parse(name, bytes));
  return std::make_shared<const TimeZone>(std::move(zone));
}

}  // namespace pipelined::cli
