// Removing objects, logs and trees that a collection has decided against.
//
// Knows neither rows nor reasons.  Store thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/artifacts/artifacts.h"
#include "dag/result.h"

namespace pipelined {

/// Removes what is named below the open store folder and makes that durable.  Objects that were
/// touched at `young_ms` or later stay: somebody may have taken them into use since the decision.
Result<Swept> sweep_files(int root, const std::vector<std::string>& names, TimeMs young_ms);

}  // namespace pipelined
