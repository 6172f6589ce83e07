#include "daemon/store/old_copy.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "daemon/posix/unique_fd.h"

namespace pipelined {
namespace {

Error failed(const std::string& doing, const std::string& path) {
  const int number = errno;
  const bool full = number == ENOSPC || number == EDQUOT;
  return {full ? ErrorCode::exhausted : ErrorCode::io,
          doing + " " + path + ": " + std::strerror(number) +
              (full ? "; free some space on its disk" : "; check the disk")};
}

Error damaged(const std::string& path, const std::string& how) {
  return {ErrorCode::corrupt, "checking the copy of the records in " + path + ": " + how};
}

Result<void> sync(const std::string& path, int flags) {
  const UniqueFd opened(::open(path.c_str(), flags | O_CLOEXEC | O_NOFOLLOW));
  if (!opened || ::fsync(opened.get()) != 0) return failed("making durable", path);
  return {};
}

}  // namespace

std::string old_copy_path(const std::string& database, int version) {
  return database + ".version-" + std::to_string(version);
}

Result<void> make_durable(const std::string& path) {
  TRY_VOID(sync(path, O_RDONLY));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return sync(folder.empty() ? "." : folder, O_RDONLY | O_DIRECTORY);
}

Result<void> check_copy(const std::string& path, int version) {
  TRY(copy, Database::open({path, 0}));
  Query integrity(*copy, "PRAGMA integrity_check(1)");
  if (!integrity.next()) {
    return damaged(path, copy->failure() ? copy->failure()->message : "it cannot be read");
  }
  if (integrity.text(0) != "ok") return damaged(path, integrity.string(0));
  Query found(*copy, "PRAGMA user_version");
  if (!found.next() || found.integer(0) != version) return damaged(path, "its version differs");
  return {};
}

Result<void> keep_old_copy(Database& database, int version) {
  const std::string kept = old_copy_path(database.path(), version);
  const std::string part = kept + ".part";
  for (const char* rest : {"", "-wal", "-journal"}) ::unlink((part + rest).c_str());
  auto made = database.copy_to(part);
  if (made) made = check_copy(part, version);
  if (made && ::chmod(part.c_str(), 0600) != 0) made = failed("protecting", part);
  if (made) made = make_durable(part);
  if (made && std::rename(part.c_str(), kept.c_str()) != 0) made = failed("naming", kept);
  if (made) return make_durable(kept);
  ::unlink(part.c_str());
  return made.error().within("keeping a copy of the records before they are brought to a newer "
                             "version (nothing was changed)");
}

}  // namespace pipelined
