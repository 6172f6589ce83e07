// What of the store folder a power cut would take: for tests that cut it.
//
// Told of every rename into the store and of every sync, it knows which names and which contents
// are not durable, and takes or tears them when a power cut is armed at a failpoint.  Without one
// every call returns at once.  It decides nothing and is asked nothing.  Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace pipelined::unsynced {

/// The content of the open file, or the names in the open folder, are durable now.
void file_synced(int file);
/// Everything on the file system is durable now; `began`: nanoseconds of the clock of file times
/// when the sync was begun.
void all_synced(std::int64_t began);
/// The clock of file times, in nanoseconds.  0 when nothing is remembered.
std::int64_t file_clock();
/// An object has got its name, below the folder `root`.
void renamed(int root, const std::string& object);

}  // namespace pipelined::unsynced
