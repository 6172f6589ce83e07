// Every anomaly that validation can find: its name, its severity when nothing is said, and when it
// is found.  docs/validation.md has the same table; a test compares the two.  Knows nothing of how
// they are found.  Plain data.
#pragma once

#include <string>
#include <vector>

#include "plugins/data/feature_schema.h"

namespace pipelined {

/// One kind of anomaly.
struct AnomalyKind {
  const char* name;
  Severity severity;
  const char* when;
};

/// All kinds, sorted by name.
const std::vector<AnomalyKind>& anomaly_kinds();

/// The kind of that name; null if there is none.
const AnomalyKind* anomaly_kind(const std::string& name);

}  // namespace pipelined
