// Looking after a state whose daemon is stopped.
//
// Takes the same lock as the daemon, so that neither works while the other does.  Any thread.
#pragma once

#include <string>
#include <vector>

#include "daemon/keeping/report.h"
#include "dag/result.h"

namespace pipelined {

/// Where the folders of a stopped daemon are, and how thoroughly to look.
struct OfflineOptions {
  std::string state, store;
  bool deep = false;
  std::vector<std::string> secrets;
  std::vector<RunNumber> promised;
};

/// All invariants of a stopped state.  `conflict`: a daemon works on it; `not_found`: there is none.
Result<Report> fsck_offline(const OfflineOptions& options);

}  // namespace pipelined
