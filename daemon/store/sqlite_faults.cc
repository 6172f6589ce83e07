#include "daemon/store/sqlite_faults.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <new>
#include <set>
#include <vector>

#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

using fault::Place;

/// A write that is not durable, with what it replaced.
struct Write {
  sqlite3_int64 offset = 0, size_before = 0;
  std::vector<char> before, after;
};

/// One open file of SQLite; the system's own file lies behind it in memory.
struct File {
  sqlite3_file base;  // first: SQLite sees this
  sqlite3_file* inner;
  bool is_log;
  std::vector<Write>* unsynced;
};

std::mutex files_mutex;
std::set<File*>& open_files() {
  static std::set<File*> files;
  return files;
}

File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
sqlite3_file* inner(sqlite3_file* file) { return of(file).inner; }

sqlite3_vfs* system_layer() { return sqlite3_vfs_find(nullptr); }

int error_code(int error, int otherwise) { return error == ENOSPC ? SQLITE_FULL : otherwise; }

void remember(File& file, const void* bytes, int amount, sqlite3_int64 offset) {
  Write write;
  write.offset = offset;
  file.inner->pMethods->xFileSize(file.inner, &write.size_before);
  write.after.assign(static_cast<const char*>(bytes), static_cast<const char*>(bytes) + amount);
  const sqlite3_int64 there = std::clamp<sqlite3_int64>(write.size_before - offset, 0, amount);
  write.before.resize(static_cast<std::size_t>(there));
  if (there > 0) {
    file.inner->pMethods->xRead(file.inner, write.before.data(), static_cast<int>(there), offset);
  }
  file.unsynced->push_back(std::move(write));
}

// All unsynced writes are taken back, newest first.  Torn: then some of them are made again, the
// last of those only up to a sector.
void cut(bool torn, std::uint64_t seed) {
  const std::lock_guard lock(files_mutex);
  std::uint64_t dice = seed * 0x9e3779b97f4a7c15 + 7;
  const auto next = [&dice] { return (dice = dice * 6364136223846793005 + 1442695040888963407) >> 33; };
  constexpr std::size_t sector = 512;
  for (File* file : open_files()) {
    const sqlite3_io_methods& methods = *file->inner->pMethods;
    std::vector<Write>& writes = *file->unsynced;
    for (auto write = writes.rbegin(); write != writes.rend(); ++write) {
      methods.xWrite(file->inner, write->before.data(), static_cast<int>(write->before.size()),
                     write->offset);
      methods.xTruncate(file->inner, write->size_before);
    }
    if (!torn) continue;
    for (const Write& write : writes) {
      if (next() % 3 == 0) continue;
      std::size_t size = write.after.size();
      if (next() % 3 == 0) size = next() % (size / sector + 1) * sector;
      methods.xWrite(file->inner, write.after.data(), static_cast<int>(size), write.offset);
    }
  }
}

int close_file(sqlite3_file* file) {
  const std::lock_guard lock(files_mutex);
  open_files().erase(&of(file));
  delete of(file).unsynced;
  return inner(file)->pMethods->xClose(inner(file));
}

int read_file(sqlite3_file* file, void* bytes, int amount, sqlite3_int64 offset) {
  return inner(file)->pMethods->xRead(inner(file), bytes, amount, offset);
}

int write_file(sqlite3_file* given, const void* bytes, int amount, sqlite3_int64 offset) {
  File& file = of(given);
  const int error = fault::at(file.is_log ? Place::wal_write : Place::database_write);
  if (error > 0) return error_code(error, SQLITE_IOERR_WRITE);
  int done = 0;
  {
    const std::lock_guard lock(files_mutex);
    if (fault::remembers_unsynced()) remember(file, bytes, amount, offset);
    const int given_amount = error == fault::half ? amount / 2 : amount;
    done = file.inner->pMethods->xWrite(file.inner, bytes, given_amount, offset);
  }
  if (error == fault::half) return SQLITE_FULL;
  fault::at(file.is_log ? Place::wal_written : Place::database_written);
  return done;
}

int truncate_file(sqlite3_file* file, sqlite3_int64 size) {
  return inner(file)->pMethods->xTruncate(inner(file), size);
}

int sync_file(sqlite3_file* given, int flags) {
  File& file = of(given);
  const int error = fault::at(file.is_log ? Place::wal_sync : Place::database_sync);
  if (error > 0) return error_code(error, SQLITE_IOERR_FSYNC);
  if (error == fault::pretend) return SQLITE_OK;
  const int done = file.inner->pMethods->xSync(file.inner, flags);
  if (done != SQLITE_OK) return done;
  {
    const std::lock_guard lock(files_mutex);
    file.unsynced->clear();
  }
  fault::at(file.is_log ? Place::wal_synced : Place::database_synced);
  return SQLITE_OK;
}

int file_size(sqlite3_file* file, sqlite3_int64* size) {
  return inner(file)->pMethods->xFileSize(inner(file), size);
}
int lock_file(sqlite3_file* file, int kind) { return inner(file)->pMethods->xLock(inner(file), kind); }
int unlock_file(sqlite3_file* file, int kind) {
  return inner(file)->pMethods->xUnlock(inner(file), kind);
}
int check_lock(sqlite3_file* file, int* held) {
  return inner(file)->pMethods->xCheckReservedLock(inner(file), held);
}
int control_file(sqlite3_file* file, int what, void* argument) {
  return inner(file)->pMethods->xFileControl(inner(file), what, argument);
}
int sector_size(sqlite3_file* file) { return inner(file)->pMethods->xSectorSize(inner(file)); }
int characteristics(sqlite3_file* file) {
  return inner(file)->pMethods->xDeviceCharacteristics(inner(file));
}
int map_shared(sqlite3_file* file, int page, int size, int extend, void volatile** at) {
  return inner(file)->pMethods->xShmMap(inner(file), page, size, extend, at);
}
int lock_shared(sqlite3_file* file, int offset, int count, int flags) {
  return inner(file)->pMethods->xShmLock(inner(file), offset, count, flags);
}
void bar_shared(sqlite3_file* file) { inner(file)->pMethods->xShmBarrier(inner(file)); }
int unmap_shared(sqlite3_file* file, int remove) {
  return inner(file)->pMethods->xShmUnmap(inner(file), remove);
}

const sqlite3_io_methods* methods() {
  static const sqlite3_io_methods table = [] {
    sqlite3_io_methods made{};
    made.iVersion = 2;
    made.xClose = close_file;
    made.xRead = read_file;
    made.xWrite = write_file;
    made.xTruncate = truncate_file;
    made.xSync = sync_file;
    made.xFileSize = file_size;
    made.xLock = lock_file;
    made.xUnlock = unlock_file;
    made.xCheckReservedLock = check_lock;
    made.xFileControl = control_file;
    made.xSectorSize = sector_size;
    made.xDeviceCharacteristics = characteristics;
    made.xShmMap = map_shared;
    made.xShmLock = lock_shared;
    made.xShmBarrier = bar_shared;
    made.xShmUnmap = unmap_shared;
    return made;
  }();
  return &table;
}

int open_file(sqlite3_vfs*, const char* path, sqlite3_file* given, int flags, int* flags_out) {
  File& file = *new (given) File{};
  file.inner = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(given) + sizeof(File));
  file.is_log = (flags & SQLITE_OPEN_WAL) != 0;
  if (file.is_log) {
    if (const int error = fault::at(Place::wal_open); error > 0) {
      return error_code(error, SQLITE_CANTOPEN);
    }
  }
  const int code = system_layer()->xOpen(system_layer(), path, file.inner, flags, flags_out);
  if (code != SQLITE_OK) return code;
  file.base.pMethods = methods();
  file.unsynced = new std::vector<Write>;
  const std::lock_guard lock(files_mutex);
  open_files().insert(&file);
  return SQLITE_OK;
}

}  // namespace

const char* sqlite_layer_name() {
  if (!fault::armed.load(std::memory_order_relaxed)) return nullptr;
  static const char* const name = [] {
    static sqlite3_vfs layer = *system_layer();
    layer.zName = "pipelined-faults";
    layer.szOsFile += static_cast<int>(sizeof(File));
    layer.xOpen = open_file;
    layer.pNext = nullptr;
    sqlite3_vfs_register(&layer, 0);
    fault::on_power_cut(cut);
    return layer.zName;
  }();
  return name;
}

}  // namespace pipelined
