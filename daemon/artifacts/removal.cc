#include "daemon/artifacts/removal.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <memory>
#include <vector>

#include "daemon/artifacts/file_io.h"
#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

/// Names in a folder; files are unlinked on the way.
Result<std::vector<std::string>> empty_of_files(int root, const std::string& path) {
  set_folder_mode(root, path, 0700);
  TRY(opened, open_at(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(opened.get()));
  if (!folder) return system_error("reading the folder", path, errno);
  const int descriptor = opened.release();
  std::vector<std::string> folders;
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    const int error = fault::at(fault::Place::removal_unlink);
    if (error > 0) return system_error("removing", path + "/" + name, error);
    if (::unlinkat(descriptor, name.c_str(), 0) == 0) continue;
    if (errno != EISDIR && errno != EPERM) {
      return system_error("removing", path + "/" + name, errno);
    }
    folders.push_back(name);
  }
  return folders;
}

}  // namespace

Result<void> remove_all_below(int root, const std::string& path, const std::string& rubbish) {
  if (::unlinkat(root, path.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT) return {};
  if (errno == ENOTDIR) {
    if (::unlinkat(root, path.c_str(), 0) == 0) return {};
    return system_error("removing", path, errno);
  }
  std::deque<std::string> open{path};
  std::int64_t moved = 0;
  while (!open.empty()) {
    const std::string current = open.front();
    TRY(folders, empty_of_files(root, current));
    for (const std::string& name : folders) {
      const std::string from = current + "/" + name;
      // Most folders that attempts leave are empty by now.
      if (::unlinkat(root, from.c_str(), AT_REMOVEDIR) == 0) continue;
      // Moving a folder to another parent needs permission to write in the folder itself.
      set_folder_mode(root, from, 0700);
      std::string to;
      do {
        to = rubbish + "/" + std::to_string(moved++);
      } while (::faccessat(root, to.c_str(), F_OK, AT_SYMLINK_NOFOLLOW) == 0);
      if (::renameat(root, from.c_str(), root, to.c_str()) != 0) {
        return system_error("removing", from, errno);
      }
      open.push_back(to);
    }
    if (::unlinkat(root, current.c_str(), AT_REMOVEDIR) != 0) {
      return system_error("removing the folder", current, errno);
    }
    open.pop_front();
  }
  return {};
}

}  // namespace pipelined
