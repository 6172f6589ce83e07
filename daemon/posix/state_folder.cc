#include "daemon/posix/state_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstring>

namespace pipelined {
namespace {

Error refused(const std::string& what, const std::string& path) {
  const int number = errno;
  ErrorCode code = ErrorCode::io;
  if (number == EACCES || number == EPERM || number == EROFS) code = ErrorCode::denied;
  if (number == ENOSPC || number == EDQUOT) code = ErrorCode::exhausted;
  return {code, what + " " + path + ": " + std::strerror(number)};
}

/// Who holds the lock wrote its process id into the file.
std::string holder(int fd) {
  char text[32] = {};
  const ssize_t length = ::pread(fd, text, sizeof text - 1, 0);
  std::string pid(text, length > 0 ? static_cast<std::size_t>(length) : 0);
  while (!pid.empty() && pid.back() == '\n') pid.pop_back();
  return pid.empty() ? "another pipelined" : "another pipelined (process " + pid + ")";
}

}  // namespace

std::string network_file_system(long type) {
  switch (static_cast<unsigned long>(type) & 0xffffffffUL) {
    case 0x6969UL: return "NFS";
    case 0x517bUL: return "SMB";
    case 0xff534d42UL: return "CIFS";
    case 0xfe534d42UL: return "SMB2";
    case 0x5346414fUL: return "AFS";
    default: return {};
  }
}

Result<void> make_private_folder(const std::string& path) {
  for (std::size_t slash = path.find('/', 1);; slash = path.find('/', slash + 1)) {
    const std::string part = path.substr(0, slash);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      struct stat facts{};
      const int number = errno;
      // Above us there may be folders that we can pass but not write to.
      if (::stat(part.c_str(), &facts) != 0 || !S_ISDIR(facts.st_mode)) {
        errno = number;
        return refused("cannot make the folder", part);
      }
    }
    if (slash == std::string::npos) break;
  }
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return refused("cannot look at the folder", path);
  if (!S_ISDIR(facts.st_mode)) return Error{ErrorCode::invalid, path + " is not a folder"};
  return {};
}

Result<StateFolder> StateFolder::take(const std::string& path) {
  TRY_VOID(make_private_folder(path));
  struct statfs system{};
  if (::statfs(path.c_str(), &system) != 0) return refused("cannot look at the disk of", path);
  if (const std::string name = network_file_system(system.f_type); !name.empty()) {
    return Error{ErrorCode::unsupported,
                 "the state folder " + path + " lies on " + name +
                     ", where locks and durable writes do not hold; name a folder on a local disk "
                     "with --state (the store of artifacts may stay there: --store)"};
  }
  struct stat facts{};
  if (::stat(path.c_str(), &facts) != 0) return refused("cannot look at the folder", path);
  if ((facts.st_mode & 0022) != 0) {
    return Error{ErrorCode::denied, "the state folder " + path +
                                        " may be written to by others; run chmod go-w on it"};
  }
  const std::string name = path + "/lock";
  UniqueFd lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!lock) return refused("cannot open the lock", name);
  if (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return refused("cannot lock", name);
    return Error{ErrorCode::conflict, holder(lock.get()) + " works on the state folder " + path +
                                          "; stop it first or name another folder with --state"};
  }
  // Only for the message above: on a full disk the lock holds without it.
  const std::string pid = std::to_string(::getpid()) + "\n";
  const bool told = ::ftruncate(lock.get(), 0) == 0 &&
                    ::pwrite(lock.get(), pid.data(), pid.size(), 0) > 0;
  static_cast<void>(told);
  return StateFolder(path, std::move(lock));
}

}  // namespace pipelined
