// A delivered file as the bytes that were packed into it.
//
// What a file is packed with is seen by its first bytes, never by its name: gzip (also of several
// members) and Zstandard are unpacked on the way, bzip2, xz and zip are refused by name.  Knows
// nothing of what the bytes mean.  One thread.
#pragma once

#include <arrow/io/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

#include "operators/sdk.h"

namespace pipelined {

/// How a file is packed.
enum class Packing { none, gzip, zstd };

/// A file's bytes from the first to the last, unpacked.
struct UnpackedFile {
  std::string name;  ///< the file's own name, for sentences
  Packing packing = Packing::none;
  std::shared_ptr<arrow::io::InputStream> stream;
};

/// Opens a file; one packed in a way that is not read is an error that says so.
Result<UnpackedFile> open_unpacked(const std::string& path);

/// The first `count` unpacked bytes, fewer if the file is shorter.
Result<std::string> first_bytes(const std::string& path, std::size_t count);

/// Writes the unpacked bytes of `path` to the file `target`.
Result<void> unpack_to(const std::string& path, const std::string& target);

}  // namespace pipelined
