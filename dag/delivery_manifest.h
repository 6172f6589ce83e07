// The list of a span's files that its deliverer wrote: what `manifest` of a source names.
//
// A line a file, relative to the manifest: `part-0.csv`, or as sha256sum prints it, 64 hexadecimal digits,
// two blanks (or a blank and `*`) and the name.  Empty lines and lines that begin with `#` say nothing.
// Opens no file; whoever does compares what it finds.  Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/digest.h"
#include "dag/result.h"

namespace pipelined {

/// One file of the list.
struct ListedFile {
  std::string path;              ///< relative to the manifest
  std::optional<Digest> digest;  ///< of its content; nothing: not stated
  bool operator==(const ListedFile&) const = default;
};

/// Reads such a list, sorted by path.  An error names the line.
Result<std::vector<ListedFile>> parse_delivery_manifest(std::string_view text);

}  // namespace pipelined
