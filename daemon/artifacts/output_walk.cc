#include "daemon/artifacts/output_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

#include "daemon/artifacts/file_io.h"

namespace pipelined {
namespace {

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

const char* kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISFIFO(mode)) return "a named pipe";
  if (S_ISSOCK(mode)) return "a socket";
  if (S_ISBLK(mode) || S_ISCHR(mode)) return "a device";
  return "no regular file";
}

std::string shown(const std::string& port, const std::string& name) {
  if (name == port) return "output \"" + port + "\"";
  return "output \"" + port + "\": \"" + (is_utf8(name) ? name.substr(port.size() + 1) : "?") + "\"";
}

/// Why a file is not taken; empty: it is.
std::string objection(const std::string& port, const std::string& name, const struct stat& found) {
  if (!S_ISREG(found.st_mode)) return shown(port, name) + " is " + kind_of(found.st_mode);
  if (found.st_uid != ::geteuid()) return shown(port, name) + " belongs to another user";
  if (found.st_nlink != 1) {
    return shown(port, name) + " has " + std::to_string(found.st_nlink) + " names (hard links)";
  }
  return {};
}

/// Hashes one file into `delivered`, or says in `refused` why not.
Result<void> take_file(int out, const std::string& port, const std::string& name,
                       const std::string& path, DeliveredOutput& delivered) {
  if (!is_utf8(path) || !is_manifest_path(path)) {
    delivered.refused = shown(port, name) + " has a name that is no UTF-8 or too long";
    return {};
  }
  const UniqueFd file(
      ::openat(out, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file) {
    if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO) {
      return system_error("opening", name, errno);
    }
    delivered.refused = shown(port, name) + " cannot be read: " + std::strerror(errno);
    return {};
  }
  struct stat before {};
  if (::fstat(file.get(), &before) != 0) return system_error("looking at", name, errno);
  delivered.refused = objection(port, name, before);
  if (!delivered.refused.empty()) return {};
  DeliveredFile taken{name, {path, {}, 0, (before.st_mode & S_IXUSR) != 0}};
  if (::fchmod(file.get(), taken.file.exec ? 0555 : 0444) != 0) {
    return system_error("making read-only", name, errno);
  }
  TRY(digest, hash_file(file.get(), name, taken.file.size));
  taken.file.digest = digest;
  struct stat after {};
  if (::fstat(file.get(), &after) != 0) return system_error("looking at", name, errno);
  if (after.st_size != before.st_size || taken.file.size != after.st_size ||
      after.st_mtim.tv_sec != before.st_mtim.tv_sec ||
      after.st_mtim.tv_nsec != before.st_mtim.tv_nsec) {
    delivered.refused = shown(port, name) + " changed while it was being stored";
    return {};
  }
  if (taken.file.size > sync_alone_bytes) TRY_VOID(sync_file(file.get(), name));
  delivered.files.push_back(std::move(taken));
  return {};
}

/// Takes the files of one folder and appends its folders to `open`.
Result<void> take_folder(int out, const std::string& port, const std::string& name,
                         std::vector<std::string>& open, DeliveredOutput& delivered) {
  const int descriptor =
      ::openat(out, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) {
    if (errno == EMFILE || errno == ENFILE || errno == EIO) {
      return system_error("opening", name, errno);
    }
    delivered.refused = shown(port, name) + " cannot be read: " + std::strerror(errno);
    return {};
  }
  const std::unique_ptr<DIR, CloseFolder> folder(::fdopendir(descriptor));
  if (!folder) return system_error("reading the folder", name, errno);
  while (const dirent* entry = ::readdir(folder.get())) {
    const std::string child = entry->d_name;
    if (child == "." || child == "..") continue;
    struct stat found {};
    const std::string whole = name + "/" + child;
    if (::fstatat(descriptor, child.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
      return system_error("looking at", whole, errno);
    }
    if (S_ISDIR(found.st_mode)) {
      open.push_back(whole);
      continue;
    }
    delivered.refused = objection(port, whole, found);
    if (delivered.refused.empty()) {
      TRY_VOID(take_file(out, port, whole, whole.substr(port.size() + 1), delivered));
    }
    if (!delivered.refused.empty()) return {};
  }
  return {};
}

}  // namespace

Result<DeliveredOutput> look_at_output(int out, const std::string& port) {
  DeliveredOutput delivered;
  struct stat found {};
  if (::fstatat(out, port.c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return delivered;
    return system_error("looking at the output", port, errno);
  }
  delivered.present = true;
  if (!S_ISDIR(found.st_mode)) {
    delivered.refused = objection(port, port, found);
    if (delivered.refused.empty()) TRY_VOID(take_file(out, port, port, port, delivered));
    return delivered;
  }
  std::vector<std::string> open{port};
  while (!open.empty() && delivered.refused.empty()) {
    const std::string name = std::move(open.back());
    open.pop_back();
    TRY_VOID(take_folder(out, port, name, open, delivered));
  }
  std::sort(delivered.files.begin(), delivered.files.end(),
            [](const DeliveredFile& a, const DeliveredFile& b) { return a.file.path < b.file.path; });
  return delivered;
}

}  // namespace pipelined
