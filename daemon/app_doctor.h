// What this machine gives to attempts and what it does not, for `pipectl doctor`.
//
// Asks pipelined-worker, which is what attempts will run in, and looks at the disks.  Nothing here
// changes anything.  Blocks for as long as the worker needs to answer (some milliseconds).
#pragma once

#include <vector>

#include "daemon/api/backend.h"
#include "daemon/config.h"
#include "daemon/exec/plugin_registry.h"

namespace pipelined {

/// One line a fact, the dear ones first.
std::vector<DoctorLine> examine_machine(const Config& config, const PluginRegistry& registry);

/// The lines that follow from what `pipelined-worker probe` printed.
std::vector<DoctorLine> read_probe(const std::string& json, bool sandbox_required);

}  // namespace pipelined
