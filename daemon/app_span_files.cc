#include "daemon/app_span_files.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "dag/delivery_manifest.h"
#include "dag/span_pattern.h"
#include "daemon/watch/folder_view.h"

namespace pipelined {
namespace {

constexpr std::int64_t manifest_bytes_max = 16 << 20;

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() || folder == "/" ? "/" + name : folder + "/" + name;
}

/// Everything below `folder` that the pattern takes for that span.  Paths are below `root`.
Result<void> find_files(const SpanPattern& pattern, const std::string& root,
                        const std::string& folder, const std::string& span,
                        std::vector<std::string>& found) {
  TRY(entries, list_folder(joined(root, folder)));
  const std::string& base = pattern.folder();
  for (const FolderEntry& entry : entries) {
    const std::string path = folder.empty() ? entry.name : folder + "/" + entry.name;
    if (entry.kind == FolderEntry::Kind::folder) {
      const std::string below = base.empty() ? path : path.substr(base.size() + 1);
      if (pattern.may_hold(below)) TRY_VOID(find_files(pattern, root, path, span, found));
      continue;
    }
    const auto match = pattern.match(path);
    if (match && match->span == span) found.push_back(path);
  }
  return {};
}

Result<std::vector<IntakeFile>> listed_files(const SettledFile& marker,
                                             const std::string& folder) {
  if (marker.facts.size > manifest_bytes_max) {
    return Error{ErrorCode::invalid, "the manifest has more than 16 MiB"};
  }
  std::ifstream file(marker.path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    return Error{ErrorCode::io, "the manifest cannot be read: " + std::string(std::strerror(errno))};
  }
  TRY(listed, parse_delivery_manifest(text));
  std::vector<IntakeFile> files;
  for (ListedFile& one : listed) {
    const std::string path = joined(folder, one.path);
    if (!look_at(path)) {
      return Error{ErrorCode::not_found, "its manifest names " + one.path + ", which is not there yet"};
    }
    files.push_back({path, std::move(one.path), one.digest});
  }
  return files;
}

}  // namespace

Result<std::vector<IntakeFile>> files_of_span(const WatchedSource& source,
                                              const SettledFile& marker) {
  const std::string folder = marker.path.substr(0, marker.path.rfind('/'));
  if (source.manifest) return listed_files(marker, folder);
  TRY(pattern, SpanPattern::parse(source.files));
  const std::string root = source.folder == "/" ? "" : source.folder;
  std::vector<std::string> found;
  TRY_VOID(find_files(pattern, root, pattern.folder(), marker.span, found));
  std::vector<IntakeFile> files;
  for (const std::string& name : found) {
    const std::string path = joined(root, name);
    if (path == marker.path) continue;
    const bool beside = path.starts_with(folder + "/");
    files.push_back({path, beside ? path.substr(folder.size() + 1) : name, std::nullopt});
  }
  if (files.empty()) {
    return Error{ErrorCode::not_found, "no file of span " + marker.span + " is there"};
  }
  std::sort(files.begin(), files.end(),
            [](const IntakeFile& a, const IntakeFile& b) { return a.name < b.name; });
  return files;
}

}  // namespace pipelined
