#include "dag/manifest.h"

#include "dag/value.h"

namespace pipelined {

std::string Manifest::text() const {
  std::string out = "{\"files\":[";
  bool first = true;
  for (const ManifestFile& file : files) {
    if (!first) out += ',';
    first = false;
    out += "{\"exec\":";
    out += file.exec ? "true" : "false";
    out += ",\"path\":" + quoted(file.path) + ",\"sha256\":\"" + file.digest.hex() +
           "\",\"size\":" + std::to_string(file.size) + "}";
  }
  return out + "],\"type\":" + quoted(type) + "}";
}

std::int64_t Manifest::size() const {
  std::int64_t sum = 0;
  for (const ManifestFile& file : files) sum += file.size;
  return sum;
}

bool is_manifest_path(std::string_view path) {
  if (path.empty() || path.size() > 4096 || path.find('\0') != std::string_view::npos) return false;
  while (true) {
    const std::size_t slash = path.find('/');
    const std::string_view part = path.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == std::string_view::npos) return true;
    path.remove_prefix(slash + 1);
  }
}

}  // namespace pipelined
