#include "daemon/artifacts/file_io.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "daemon/artifacts/unsynced.h"
#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

constexpr std::size_t piece_bytes = 256 << 10;

}  // namespace

Error system_error(const std::string& doing, const std::string& path, int error) {
  ErrorCode code = ErrorCode::io;
  const char* advice = "check the disk and the permissions of the folder";
  if (error == ENOSPC || error == EDQUOT) {
    code = ErrorCode::exhausted;
    advice = "free some space on its disk";
  } else if (error == ENOENT) {
    code = ErrorCode::not_found;
    advice = "it may have been removed by somebody else";
  } else if (error == EMFILE || error == ENFILE || error == ENOMEM) {
    code = ErrorCode::exhausted;
    advice = "raise the limits of the service or lower its load";
  }
  return {code, doing + " " + path + ": " + std::strerror(error) + "; " + advice};
}

Result<UniqueFd> open_at(int folder, const std::string& path, int flags, unsigned mode) {
  while (true) {
    UniqueFd file(::openat(folder, path.c_str(), flags | O_CLOEXEC, mode));
    if (file) return file;
    if (errno != EINTR) return system_error("opening", path, errno);
  }
}

Result<void> read_pieces(int file, const std::string& path,
                         const std::function<Result<void>(std::string_view)>& take) {
  const auto buffer = std::make_unique_for_overwrite<char[]>(piece_bytes);
  while (true) {
    if (const int error = fault::at(fault::Place::file_read); error > 0) {
      return system_error("reading", path, error);
    }
    const ssize_t got = ::read(file, buffer.get(), piece_bytes);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error("reading", path, errno);
    if (got == 0) return {};
    TRY_VOID(take({buffer.get(), static_cast<std::size_t>(got)}));
  }
}

Result<Digest> hash_file(int file, const std::string& path, std::int64_t& size) {
  Sha256 hash;
  size = 0;
  TRY_VOID(read_pieces(file, path, [&](std::string_view piece) -> Result<void> {
    hash.update(piece);
    size += static_cast<std::int64_t>(piece.size());
    return {};
  }));
  return hash.finish();
}

Result<void> write_all(int file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const int error = fault::at(fault::Place::file_write);
    if (error > 0) return system_error("writing", path, error);
    const std::size_t size = error == fault::half ? (bytes.size() + 1) / 2 : bytes.size();
    const ssize_t written = ::write(file, bytes.data(), size);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return system_error("writing", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> sync_file(int file, const std::string& path) {
  const int error = fault::at(fault::Place::file_sync);
  if (error == fault::pretend) return {};
  if (error > 0) errno = error;
  if (error <= 0 && ::fsync(file) == 0) {
    unsynced::file_synced(file);
    fault::at(fault::Place::file_synced);
    return {};
  }
  // Whatever the reason, the kernel may have dropped the data: never "try again later".
  return Error{ErrorCode::io, system_error("making durable", path, errno).message};
}

Result<void> sync_file_system(int folder, const std::string& path) {
  const int error = fault::at(fault::Place::system_sync);
  if (error == fault::pretend) return {};
  if (error > 0) errno = error;
  const std::int64_t began = unsynced::file_clock();
  if (error <= 0 && ::syncfs(folder) == 0) {
    unsynced::all_synced(began);
    fault::at(fault::Place::system_synced);
    return {};
  }
  return Error{ErrorCode::io, system_error("making durable", path, errno).message};
}

Result<void> make_folder(int folder, const std::string& path, unsigned mode) {
  if (::mkdirat(folder, path.c_str(), mode) == 0 || errno == EEXIST) return {};
  return system_error("making the folder", path, errno);
}

bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  const auto byte = [&text](std::size_t at) { return static_cast<unsigned char>(text[at]); };
  while (i < text.size()) {
    const unsigned first = byte(i);
    std::size_t more = 0;
    unsigned code = 0, least = 0;
    if (first < 0x80) {
      ++i;
      continue;
    } else if (first >> 5 == 6) {
      more = 1, code = first & 0x1f, least = 0x80;
    } else if (first >> 4 == 14) {
      more = 2, code = first & 0x0f, least = 0x800;
    } else if (first >> 3 == 30) {
      more = 3, code = first & 0x07, least = 0x10000;
    } else {
      return false;
    }
    if (i + more >= text.size()) return false;
    for (std::size_t k = 1; k <= more; ++k) {
      if (byte(i + k) >> 6 != 2) return false;
      code = code << 6 | (byte(i + k) & 0x3f);
    }
    if (code < least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) return false;
    i += more + 1;
  }
  return true;
}

Result<std::vector<std::string>> entries_of(int root, const std::string& path) {
  TRY(opened, open_at(root, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  DIR* folder = ::fdopendir(opened.get());
  if (folder == nullptr) return system_error("reading the folder", path, errno);
  static_cast<void>(opened.release());
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(folder)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") names.push_back(name);
  }
  ::closedir(folder);
  return names;
}

void set_folder_mode(int root, const std::string& path, unsigned mode) {
  if (::fchmodat(root, path.c_str(), static_cast<mode_t>(mode), 0) != 0) return;
}

}  // namespace pipelined
