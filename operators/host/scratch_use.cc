#include "operators/host/scratch_use.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace pipelined::host {
namespace {

/// Every level keeps a folder open.
constexpr std::size_t depth_max = 64;

}  // namespace

bool ScratchWalk::step(std::int64_t entries) {
  if (open_.empty()) {
    found_ = {};
    enter(AT_FDCWD, folder_.c_str());
  }
  for (std::int64_t i = 0; i < entries && !open_.empty();) {
    const dirent* entry = ::readdir(open_.back().get());
    if (entry == nullptr) {
      open_.pop_back();
      continue;
    }
    const char* const name = entry->d_name;
    if (std::strcmp(name, ".") == 0 || std::strcmp(name, "..") == 0) continue;
    if (open_.size() == 1 && std::strcmp(name, "log") == 0) continue;
    ++i;
    look_at(::dirfd(open_.back().get()), name);
  }
  return open_.empty();
}

void ScratchWalk::look_at(int parent, const char* name) {
  struct stat seen {};
  if (::fstatat(parent, name, &seen, AT_SYMLINK_NOFOLLOW) != 0) return;  // gone meanwhile
  ++found_.entries;
  found_.bytes += std::int64_t{seen.st_blocks} * 512;
  if (S_ISDIR(seen.st_mode)) enter(parent, name);
}

void ScratchWalk::enter(int parent, const char* name) {
  if (open_.size() >= depth_max) {
    found_.hidden = true;
    return;
  }
  const int fd = ::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    found_.hidden |= errno == EACCES;
    return;
  }
  if (DIR* folder = ::fdopendir(fd)) {
    open_.emplace_back(folder);
  } else {
    ::close(fd);
  }
}

}  // namespace pipelined::host
