// What this machine gives to attempts, for `pipectl doctor`.
//
// Most of it is tried out by `pipelined-worker probe` in a process of its own; the file systems of
// the daemon's folders are looked at here.  Knows nothing of pipelines.  Blocks for as long as the
// probe takes (some milliseconds).
#pragma once

#include <string>
#include <vector>

#include "daemon/exec/cgroups.h"

namespace pipelined {

/// One fact about the machine.
struct DoctorFact {
  std::string name;    ///< "landlock", "kill unit", …
  std::string value;   ///< for people
  bool good = true;    ///< false: something is weaker than it could be
  std::string advice;  ///< what to do if it is not good
};

/// Where to look.
struct DoctorOptions {
  std::string worker;  ///< path of pipelined-worker
  std::string state;   ///< the daemon's folder of records
  std::string store;   ///< the daemon's folder of artifacts
  const Cgroups* cgroups = nullptr;  ///< the daemon's control groups; null: it has none
  std::string kill_unit;             ///< the configured one; empty: the best
};

/// All facts, in a fixed order.  A worker that cannot be asked is a fact too.
std::vector<DoctorFact> examine_machine(const DoctorOptions& options);

}  // namespace pipelined
