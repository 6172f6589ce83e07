#include "daemon/artifacts/checkpoint_folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "daemon/artifacts/file_io.h"
#include "daemon/artifacts/removal.h"

namespace pipelined {
namespace {

constexpr const char* folder = "checkpoints";
constexpr std::time_t kept_s = 14 * 24 * 3600;
constexpr char lent_mark = '@';  ///< ATTEMPT@KEY: that attempt has the checkpoint of that key

std::string place_of(const std::string& key) { return std::string(folder) + "/" + key; }
std::string mark_of(const std::string& attempt, const std::string& key) {
  return std::string(folder) + "/" + attempt + lent_mark + key;
}
std::string scratch_of(const std::string& attempt) { return "attempts/" + attempt + "/scratch"; }

// Not whatever else an operator may have put in its place.
bool is_folder(int root, const std::string& path) {
  struct stat found {};
  return ::fstatat(root, path.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode);
}

}  // namespace

Result<void> CheckpointFolder::create() { return make_folder(root_, folder, 0700); }

Result<void> CheckpointFolder::lend(const std::string& attempt, const std::string& key) {
  const std::string mark = mark_of(attempt, key);
  TRY(made, open_at(root_, mark, O_WRONLY | O_CREAT, 0600));
  static_cast<void>(made);
  lent_.emplace(attempt, key);
  if (!is_folder(root_, place_of(key))) return {};
  // The empty scratch folder that the attempt was made with gives way.
  ::unlinkat(root_, scratch_of(attempt).c_str(), AT_REMOVEDIR);
  if (::renameat(root_, place_of(key).c_str(), root_, scratch_of(attempt).c_str()) != 0) {
    return system_error("handing on a checkpoint to", scratch_of(attempt), errno);
  }
  return {};
}

void CheckpointFolder::take_back(const std::string& attempt, const std::string& key, bool finished) {
  if (!finished && is_folder(root_, scratch_of(attempt))) {
    // An empty one says nothing, and an older one would say something that is no longer so.
    const auto removed = remove_all_below(root_, place_of(key), "tmp");
    if (removed && ::unlinkat(root_, scratch_of(attempt).c_str(), AT_REMOVEDIR) != 0) {
      ::renameat(root_, scratch_of(attempt).c_str(), root_, place_of(key).c_str());
    }
  }
  ::unlinkat(root_, mark_of(attempt, key).c_str(), 0);
}

void CheckpointFolder::take_back(const std::string& attempt, bool finished) {
  const auto lent = lent_.find(attempt);
  if (lent == lent_.end()) return;
  take_back(attempt, lent->second, finished);
  lent_.erase(lent);
}

Result<void> CheckpointFolder::recover() {
  TRY(names, entries_of(root_, folder));
  const std::time_t now = ::time(nullptr);
  for (const std::string& name : names) {
    if (const std::size_t at = name.find(lent_mark); at != std::string::npos) {
      take_back(name.substr(0, at), name.substr(at + 1), false);
      continue;
    }
    struct stat found {};
    if (::fstatat(root_, place_of(name).c_str(), &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (now - found.st_mtime > kept_s) TRY_VOID(remove_all_below(root_, place_of(name), "tmp"));
  }
  return {};
}

}  // namespace pipelined
