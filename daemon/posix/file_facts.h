// What a look at a file says, in the words of dag/settle.
//
// Watching, taking a delivery and reading a pipeline folder compare these facts, so they are made
// in one place.  Opens nothing.  No state.
#pragma once

#include <sys/stat.h>

#include "dag/settle.h"

namespace pipelined {

/// The size in bytes, times in nanoseconds since 1970, and identity of a file.
inline FileFacts facts_of(const struct stat& status) {
  constexpr std::int64_t ns_in_second = 1'000'000'000;
  return {status.st_size, status.st_mtim.tv_sec * ns_in_second + status.st_mtim.tv_nsec,
          status.st_ctim.tv_sec * ns_in_second + status.st_ctim.tv_nsec, status.st_ino,
          status.st_dev};
}

}  // namespace pipelined
