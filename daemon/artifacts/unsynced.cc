#include "daemon/artifacts/unsynced.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ctime>
#include <map>
#include <mutex>
#include <set>
#include <utility>

#include "daemon/posix/fault.h"

namespace pipelined::unsynced {
namespace {

using Inode = std::pair<dev_t, ino_t>;

struct Object {
  int root = -1;
  std::string name;
  Inode folder, file;
};

struct Memory {
  std::mutex mutex;
  std::int64_t all_before = 0;       ///< contents older than this are durable
  std::set<Inode> durable;           ///< contents synced one by one
  std::map<std::string, Object> nameless;   ///< objects whose name is not durable
  std::map<std::string, Object> contentless;  ///< objects whose content is not durable
};

std::int64_t modified(const struct stat& facts) {
  return facts.st_mtim.tv_sec * 1'000'000'000 + facts.st_mtim.tv_nsec;
}

/// What is left of content that was never made durable.
void spoil(const Object& object, bool torn, std::uint64_t dice) {
  struct stat facts {};
  if (::fstatat(object.root, object.name.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (::fchmodat(object.root, object.name.c_str(), 0600, 0) != 0) return;
  const int file = ::openat(object.root, object.name.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return;
  const off_t kept = torn ? static_cast<off_t>(dice % static_cast<std::uint64_t>(facts.st_size + 1)) : 0;
  // The size is often durable before the bytes are: then the rest reads as zeros.
  const bool done = ::ftruncate(file, kept) == 0 &&
                    (dice % 2 == 0 || ::ftruncate(file, facts.st_size) == 0);
  static_cast<void>(done);
  ::close(file);
}

void cut(Memory& memory, bool torn, std::uint64_t seed) {
  const std::lock_guard lock(memory.mutex);
  std::uint64_t dice = seed * 0x9e3779b97f4a7c15 + 1;
  const auto next = [&dice] { return (dice = dice * 6364136223846793005 + 1442695040888963407) >> 33; };
  for (const auto& [name, object] : memory.contentless) spoil(object, torn, next());
  for (const auto& [name, object] : memory.nameless) {
    if (torn && next() % 2 == 0) continue;  // the name was written by itself meanwhile
    ::unlinkat(object.root, name.c_str(), 0);
  }
}

/// Null unless a power cut is armed.
Memory* memory() {
  if (!fault::armed.load(std::memory_order_relaxed) || !fault::remembers_unsynced()) return nullptr;
  static Memory* const kept = [] {
    auto* made = new Memory;  // as long as the process: threads may still tell it something
    fault::on_power_cut([made](bool torn, std::uint64_t seed) { cut(*made, torn, seed); });
    return made;
  }();
  return kept;
}

}  // namespace

void file_synced(int file) {
  Memory* const kept = memory();
  struct stat facts {};
  if (kept == nullptr || ::fstat(file, &facts) != 0) return;
  const Inode inode(facts.st_dev, facts.st_ino);
  const std::lock_guard lock(kept->mutex);
  std::erase_if(kept->nameless, [&](const auto& entry) { return entry.second.folder == inode; });
  std::erase_if(kept->contentless, [&](const auto& entry) { return entry.second.file == inode; });
  if (S_ISREG(facts.st_mode)) kept->durable.insert(inode);
}

std::int64_t file_clock() {
  if (memory() == nullptr) return 0;
  std::timespec now {};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

void all_synced(std::int64_t began) {
  Memory* const kept = memory();
  if (kept == nullptr) return;
  const std::lock_guard lock(kept->mutex);
  kept->all_before = began;
  kept->nameless.clear();
  kept->contentless.clear();
}

void renamed(int root, const std::string& object) {
  Memory* const kept = memory();
  struct stat facts {}, folder {};
  if (kept == nullptr) return;
  const std::string above = object.substr(0, object.rfind('/'));
  if (::fstatat(root, object.c_str(), &facts, AT_SYMLINK_NOFOLLOW) != 0) return;
  if (::fstatat(root, above.c_str(), &folder, AT_SYMLINK_NOFOLLOW) != 0) return;
  const Object entry{root, object, {folder.st_dev, folder.st_ino}, {facts.st_dev, facts.st_ino}};
  const std::lock_guard lock(kept->mutex);
  kept->nameless[object] = entry;
  const bool durable = kept->durable.erase(entry.file) != 0 || modified(facts) <= kept->all_before;
  if (!durable) kept->contentless[object] = entry;
}

}  // namespace pipelined::unsynced
