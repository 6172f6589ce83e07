// Reading and verifying the audit log; writing it is Store::append_audit.
//
// Rows are only ever added: the database itself refuses to change or delete them, and their digests
// form a chain (dag/audit.h) whose head stands a second time beside it.  Loop thread only.
#pragma once

#include <string>
#include <vector>

#include "daemon/store/store.h"
#include "dag/audit.h"

namespace pipelined {

/// Which rows; empty fields do not restrict.
struct AuditFilter {
  std::string who;            ///< exactly this one
  std::int64_t before = 0;    ///< only rows with a smaller number
  int limit = 50;
};

/// Rows, newest first.
std::vector<AuditRow> list_audit(Store& store, const AuditFilter& filter);

/// What became of looking at the whole chain.
struct AuditCheck {
  std::int64_t rows = 0;
  Digest head;                        ///< of the last row; zero: there is none
  std::vector<std::string> problems;  ///< sentences, at most 100; none: the chain is whole
};

/// Follows the chain from its first row to its head.  Writes nothing.
AuditCheck verify_audit(Store& store);
/// The same for records that no daemon has open.
AuditCheck verify_audit(Database& records);

}  // namespace pipelined
