#include "daemon/watch/folder_events.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

// Not IN_MODIFY: a file being written would send one for every write, and what it tells is seen at
// the end of the settle time anyway.
constexpr std::uint32_t wanted = IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE |
                                 IN_CLOSE_WRITE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF;
constexpr std::uint32_t hints = IN_ONLYDIR | IN_EXCL_UNLINK;

}  // namespace

Result<FolderWatches> FolderWatches::open() {
  UniqueFd descriptor(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (descriptor.get() < 0) {
    return Error{ErrorCode::io, std::string("folders cannot be watched: ") + std::strerror(errno) +
                                    "; fs.inotify.max_user_instances may be too small"};
  }
  return FolderWatches(std::move(descriptor));
}

Result<void> FolderWatches::watch(const std::string& path) {
  const int watch = ::inotify_add_watch(descriptor_.get(), path.c_str(), wanted | hints);
  if (watch < 0) {
    const int why = errno;
    unwatch(path);
    const char* way_out = why == ENOSPC ? "; raise fs.inotify.max_user_watches" : "";
    return Error{why == ENOSPC ? ErrorCode::exhausted : ErrorCode::io,
                 "the folder " + path + " cannot be watched: " + std::strerror(why) + way_out};
  }
  const auto known = by_path_.find(path);
  if (known != by_path_.end() && known->second != watch) unwatch(path);
  by_path_[path] = watch;
  by_watch_[watch].insert(path);
  return {};
}

void FolderWatches::unwatch(const std::string& path) {
  const auto known = by_path_.find(path);
  if (known == by_path_.end()) return;
  const int watch = known->second;
  by_path_.erase(known);
  std::set<std::string>& others = by_watch_[watch];
  others.erase(path);
  if (!others.empty()) return;
  by_watch_.erase(watch);
  ::inotify_rm_watch(descriptor_.get(), watch);  // fails harmlessly when the folder is gone
}

void FolderWatches::forget(int watch) {
  const auto paths = by_watch_.find(watch);
  if (paths == by_watch_.end()) return;
  for (const std::string& path : paths->second) by_path_.erase(path);
  by_watch_.erase(paths);
}

void FolderWatches::keep_only(const std::set<std::string>& paths) {
  std::vector<std::string> others;
  for (const auto& [path, watch] : by_path_) {
    if (paths.count(path) == 0) others.push_back(path);
  }
  for (const std::string& path : others) unwatch(path);
}

FolderEvents FolderWatches::read() {
  FolderEvents result;
  fault::at(fault::Place::watch_read);
  alignas(inotify_event) char buffer[64 * 1024];
  for (;;) {
    const ssize_t size = ::read(descriptor_.get(), buffer, sizeof buffer);
    if (size <= 0) {
      if (size < 0 && errno == EINTR) continue;
      return result;
    }
    for (ssize_t at = 0; at < size;) {
      inotify_event event;
      std::memcpy(&event, buffer + at, sizeof event);
      const char* name = buffer + at + sizeof event;
      at += static_cast<ssize_t>(sizeof event) + event.len;
      if (event.mask & IN_Q_OVERFLOW) result.overflow = true;
      const auto paths = by_watch_.find(event.wd);
      if (paths == by_watch_.end()) continue;
      const bool lost = event.mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT);
      for (const std::string& path : paths->second) {
        FolderEvent one;
        one.folder_lost = lost;
        one.is_folder = event.mask & IN_ISDIR;
        one.stirred = event.mask & (IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE);
        one.path = event.len == 0 ? path : (path == "/" ? "" : path) + '/' + name;
        result.events.push_back(std::move(one));
      }
      if (!lost) continue;
      if (event.mask & IN_MOVE_SELF) ::inotify_rm_watch(descriptor_.get(), event.wd);
      forget(event.wd);
    }
  }
}

}  // namespace pipelined
