#include "dag/delivery_manifest.h"

#include <algorithm>

#include "dag/manifest.h"

namespace pipelined {
namespace {

constexpr std::size_t digest_digits = 64;

ListedFile read_line(std::string_view line) {
  if (line.size() > digest_digits + 2 && line[digest_digits] == ' ' &&
      (line[digest_digits + 1] == ' ' || line[digest_digits + 1] == '*')) {
    if (auto digest = parse_digest(line.substr(0, digest_digits))) {
      return {std::string(line.substr(digest_digits + 2)), digest};
    }
  }
  return {std::string(line), std::nullopt};
}

}  // namespace

Result<std::vector<ListedFile>> parse_delivery_manifest(std::string_view text) {
  std::vector<ListedFile> files;
  int number = 0;
  const auto wrong = [&number](const std::string& what) {
    return Error{ErrorCode::invalid, "line " + std::to_string(number) + " of the manifest " + what};
  };
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    ListedFile file = read_line(line);
    if (file.path.starts_with("./")) file.path.erase(0, 2);
    if (!is_manifest_path(file.path)) {
      return wrong("names '" + file.path + "', which is no path below it: relative, without . and ..");
    }
    files.push_back(std::move(file));
  }
  if (files.empty()) return Error{ErrorCode::invalid, "the manifest names no file"};
  std::sort(files.begin(), files.end(),
            [](const ListedFile& a, const ListedFile& b) { return a.path < b.path; });
  for (std::size_t i = 1; i < files.size(); ++i) {
    if (files[i].path == files[i - 1].path) {
      return Error{ErrorCode::invalid, "the manifest names '" + files[i].path + "' twice"};
    }
  }
  return files;
}

}  // namespace pipelined
