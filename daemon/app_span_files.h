// The files of a span whose marker has come to rest: found in its folder, or named by its manifest.
//
// Lists and reads a manifest; copies nothing.  Loop thread.
#pragma once

#include <vector>

#include "daemon/artifacts/intake.h"
#include "daemon/watch/watch.h"
#include "dag/result.h"

namespace pipelined {

/// The files that belong to the marker's span, sorted by name.  Errors: not_found (a file that the
/// manifest names is not there yet, or there is none at all), invalid (the manifest), io, denied.
Result<std::vector<IntakeFile>> files_of_span(const WatchedSource& source,
                                              const SettledFile& marker);

}  // namespace pipelined
