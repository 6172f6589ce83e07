#include "daemon/keeping/fsck.h"

#include <algorithm>

#include "daemon/store/schema.h"

namespace pipelined {
namespace {

/// Tables whose rows carry a seq.
constexpr const char* highest_seq =
    "SELECT max(coalesce((SELECT max(seq) FROM results), 0), "
    "coalesce((SELECT max(seq) FROM steps), 0), coalesce((SELECT max(seq) FROM spans), 0), "
    "coalesce((SELECT max(seq) FROM arrivals), 0), coalesce((SELECT max(seq) FROM alerts), 0), "
    "coalesce((SELECT max(seq) FROM decisions), 0)), "
    "(SELECT value FROM counters WHERE name = 'seq')";

}  // namespace

void take_failure(Database& records, ReportRow& row) {
  if (!records.failure()) return;
  row.violate(records.failure()->message);
  records.clear_failure();
}

bool has_table(Database& records, const std::string& name) {
  Query query(records, "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", name);
  return query.next();
}

void check_database(Database& records, const FsckOptions& options, Report& report) {
  ReportRow& row = add_row(report, "I1", "the database is sound");
  {
    Query version(records, "PRAGMA user_version");
    if (version.next() && version.integer(0) != schema_version) {
      row.violate("the schema has version " + std::to_string(version.integer(0)) + ", this program " +
                  "reads " + std::to_string(schema_version) + "; start this daemon once to migrate it");
    }
  }
  take_failure(records, row);
  {
    Query pages(records, std::string(options.deep ? "PRAGMA integrity_check(100)"
                                                  : "PRAGMA quick_check(100)"));
    while (pages.next()) {
      ++row.checked;
      if (pages.text(0) != "ok") row.violate(pages.string(0));
    }
  }
  take_failure(records, row);
  {
    Query keys(records, "PRAGMA foreign_key_check");
    while (keys.next()) {
      row.violate("a row of " + keys.string(0) + " names a row of " + keys.string(2) +
                  " that does not exist");
    }
  }
  take_failure(records, row);
  {
    Query seq(records, highest_seq);
    if (seq.next() && seq.integer(0) > seq.integer(1)) {
      row.violate("a row has seq " + std::to_string(seq.integer(0)) + ", above the counter (" +
                  std::to_string(seq.integer(1)) + ")");
    }
  }
  take_failure(records, row);
}

Report fsck(Database& records, const FsckOptions& options) {
  Report report;
  records.clear_failure();
  for (auto part : {check_database, check_bytes, check_work, check_facts, check_machine,
                    check_record}) {
    part(records, options, report);
  }
  return report;
}

}  // namespace pipelined
