// What an attempt left at one of its output ports.
//
// Lists the regular files of an output, hashes them and makes them read-only; everything that is no
// plain file of ours (link, pipe, device, second name of another file, a stranger's file) refuses
// the output with a sentence.  Follows no symbolic link.  Store thread; the attempt's processes are
// gone by then.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dag/manifest.h"
#include "dag/result.h"

namespace pipelined {

/// One file that an attempt delivered.
struct DeliveredFile {
  std::string name;     ///< relative to the folder of outputs
  ManifestFile file;    ///< as it will stand in the manifest
};

/// One output.
struct DeliveredOutput {
  bool present = false;
  std::string refused;  ///< a sentence; empty: it may be stored
  std::vector<DeliveredFile> files;  ///< sorted by manifest path
};

/// Files above this size are made durable one by one, while their pages are at hand.
inline constexpr std::int64_t sync_alone_bytes = 4 << 20;

/// Looks at the output of `port` in the open folder `out`.  A file is listed under the port's name,
/// a folder with its tree.  Files above `sync_alone_bytes` are durable afterwards.
Result<DeliveredOutput> look_at_output(int out, const std::string& port);

}  // namespace pipelined
