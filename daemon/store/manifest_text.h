// Reads back the canonical text of a manifest.
//
// Only the exact text that `Manifest::text` writes is accepted, so that text and digest stay one
// thing.  Pure; any thread.
#pragma once

#include <string_view>

#include "dag/manifest.h"
#include "dag/result.h"

namespace pipelined {

/// The manifest whose canonical text this is; paths that may not stand in one are refused.
Result<Manifest> parse_manifest(std::string_view text);

}  // namespace pipelined
