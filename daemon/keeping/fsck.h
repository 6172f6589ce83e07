// The invariants of records and bytes, each looked at and told as one row (docs/keeping.md).
//
// Works on a database that nobody writes to meanwhile (a copy of the live one, or the file of a
// stopped daemon) and on the store's folders, which it only reads.  Every row is looked at even
// when an earlier one is violated or a disk error comes between.  It mends nothing.  Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/keeping/report.h"
#include "daemon/store/sqlite.h"

namespace pipelined {

/// What a running daemon knows beside its records, as it was when they were copied.
struct LiveFacts {
  std::int64_t process = 0;             ///< the daemon's process id
  std::set<std::string> attempts;       ///< between their start and the commit of their end
};

/// How thoroughly to look, and at what.
struct FsckOptions {
  std::string store;                    ///< the store folder
  bool deep = false;                    ///< hash every object, read the whole database
  std::optional<LiveFacts> live;        ///< nothing: the daemon is stopped
  std::vector<std::string> secrets;     ///< texts that may stand nowhere
  std::vector<RunNumber> promised;      ///< runs that callers were told of
  std::vector<std::string> log_files;   ///< further files in which they are looked for
  const std::atomic<bool>* stop = nullptr;      ///< true: give up soon
  std::atomic<std::int64_t>* progress = nullptr; ///< counts objects
};

/// One row an invariant, I1 to I17.
Report fsck(Database& records, const FsckOptions& options);

/// \name The parts
/// @{
void check_database(Database& records, const FsckOptions& options, Report& report);   ///< I1
void check_bytes(Database& records, const FsckOptions& options, Report& report);      ///< I2, I3
void check_work(Database& records, const FsckOptions& options, Report& report);       ///< I4–I8
void check_answered(Database& records, const FsckOptions& options, Report& report);   ///< I4
void check_in_force(Database& records, Report& report);                               ///< I11
void check_facts(Database& records, const FsckOptions& options, Report& report);      ///< I9–I12
void check_machine(Database& records, const FsckOptions& options, Report& report);    ///< I13, I14
void check_record(Database& records, const FsckOptions& options, Report& report);     ///< I15–I17
/// @}

/// A new row at the end of the report.
inline ReportRow& add_row(Report& report, const char* name, const char* about) {
  report.emplace_back();
  report.back().name = name;
  report.back().about = about;
  return report.back();
}

/// A failure of the database becomes a finding of the row.
void take_failure(Database& records, ReportRow& row);

/// Whether the database has a table of that name.
bool has_table(Database& records, const std::string& name);

}  // namespace pipelined
