#include "daemon/keeping/offline.h"

#include <unistd.h>

#include "daemon/keeping/fsck.h"
#include "daemon/posix/state_folder.h"

namespace pipelined {

Result<Report> fsck_offline(const OfflineOptions& options) {
  const std::string path = options.state + "/state.db";
  if (::access(path.c_str(), F_OK) != 0) {
    return Error{ErrorCode::not_found,
                 "checking " + options.state + ": there is no state.db; name the folder with --state"};
  }
  TRY(lock, StateFolder::take(options.state));
  FsckOptions checked;
  checked.store = options.store;
  checked.deep = options.deep;
  checked.secrets = options.secrets;
  checked.promised = options.promised;
  auto records = Database::open({path, 0});
  if (records) return fsck(**records, checked);
  // The file cannot even be opened: that is a finding, and the bytes are still looked at.
  Report report;
  add_row(report, "I1", "the database is sound").violate(records.error().message);
  return report;
}

}  // namespace pipelined
