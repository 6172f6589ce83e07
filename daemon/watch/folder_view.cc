#include "daemon/watch/folder_view.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "daemon/posix/fault.h"
#include "daemon/posix/file_facts.h"

namespace pipelined {
namespace {

FolderEntry entry_of(std::string name, const struct stat& status) {
  FolderEntry entry;
  entry.name = std::move(name);
  using Kind = FolderEntry::Kind;
  entry.kind = S_ISREG(status.st_mode)   ? Kind::file
               : S_ISDIR(status.st_mode) ? Kind::folder
               : S_ISLNK(status.st_mode) ? Kind::link
                                         : Kind::other;
  entry.facts = facts_of(status);
  return entry;
}

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

Error open_error(const std::string& path, int why) {
  switch (why) {
    case ENOENT:
      return {ErrorCode::not_found,
              "the folder " + path + " does not exist; it is taken up as soon as it is there"};
    case ENOTDIR:
      return {ErrorCode::not_found, path + " is no folder; put a folder there"};
    case EACCES:
    case EPERM:
      return {ErrorCode::denied, "the folder " + path +
                                     " must not be read by the daemon's user; allow it to read "
                                     "and enter the folder"};
    default:
      return {ErrorCode::io,
              "the folder " + path + " cannot be read: " + std::strerror(why)};
  }
}

}  // namespace

Result<std::vector<FolderEntry>> list_folder(const std::string& path) {
  if (const int error = fault::at(fault::Place::watch_scan); error > 0) {
    return open_error(path, error);
  }
  std::unique_ptr<DIR, CloseFolder> folder(::opendir(path.c_str()));
  if (!folder) return open_error(path, errno);
  std::vector<FolderEntry> entries;
  errno = 0;
  while (const dirent* one = ::readdir(folder.get())) {
    if (is_ignored_name(one->d_name)) continue;
    struct stat status {};
    if (::fstatat(::dirfd(folder.get()), one->d_name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
      entries.push_back(entry_of(one->d_name, status));
    } else if (errno == EACCES) {
      return open_error(path, EACCES);  // it may be listed, but not entered
    }
    errno = 0;
  }
  if (errno != 0) return open_error(path, errno);
  std::sort(entries.begin(), entries.end(),
            [](const FolderEntry& a, const FolderEntry& b) { return a.name < b.name; });
  return entries;
}

std::optional<FolderEntry> look_at(const std::string& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return entry_of(path.substr(path.rfind('/') + 1), status);
}

std::string nearest_existing_parent(const std::string& path) {
  std::string parent = path;
  while (parent.size() > 1) {
    parent.erase(std::max<std::size_t>(parent.rfind('/'), 1));
    struct stat status {};
    if (::stat(parent.c_str(), &status) == 0 && S_ISDIR(status.st_mode)) return parent;
  }
  return "/";
}

}  // namespace pipelined
