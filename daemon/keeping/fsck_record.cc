// I15 to I17: runs that rest have a way out, the audit log is whole, secrets stand nowhere.
#include <fcntl.h>

#include <algorithm>
#include <filesystem>

#include "daemon/artifacts/file_io.h"
#include "daemon/keeping/fsck.h"
#include "daemon/store/audit.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

void check_ways_out(Database& records, Report& report) {
  ReportRow& row = add_row(report, "I15", "a run that rests names what it waits for");
  {
    Query open(records,
               "SELECT r.number, r.pipeline, r.state, r.end_reason, EXISTS (SELECT 1 FROM steps s "
               "WHERE s.run = r.number AND s.state = r.state) FROM runs r "
               "WHERE r.state IN ('halted', 'in_review')");
    while (open.next()) {
      ++row.checked;
      const std::string run = "run " + std::to_string(open.integer(0)) + " of " + open.string(1);
      if (!open.flag(4)) {
        row.violate(run + " is " + open.string(2) + ", but none of its steps is", open.integer(0));
      } else if (open.text(3).empty()) {
        row.violate(run + " is " + open.string(2) + " without a reason", open.integer(0));
      }
    }
  }
  take_failure(records, row);
  row.sentence = "that every run comes to an end or to rest in bounded time is shown by the "
                 "simulator; a look at one moment cannot";
}

/// Whether one of the texts stands in a file; texts that lie across pieces are found too.
bool stands_in(const std::string& path, const std::vector<std::string>& secrets) {
  const auto opened = open_at(AT_FDCWD, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!opened) return false;
  std::size_t longest = 0;
  for (const std::string& secret : secrets) longest = std::max(longest, secret.size());
  std::string window;
  bool found = false;
  const auto read = read_pieces(opened->get(), path, [&](std::string_view piece) -> Result<void> {
    window.append(piece);
    for (const std::string& secret : secrets) {
      found = found || window.find(secret) != std::string::npos;
    }
    if (window.size() >= longest) window.erase(0, window.size() - longest + 1);
    return {};
  });
  return read && found;
}

void check_secrets(Database& records, const FsckOptions& options, Report& report) {
  ReportRow& row = add_row(report, "I17", "secrets stand in no record, log or artifact");
  std::vector<std::string> secrets = options.secrets;
  std::erase_if(secrets, [](const std::string& secret) { return secret.size() < 8; });
  if (secrets.empty()) {
    return row.give_up("name what may stand nowhere with --secrets FILE (texts of at least 8 "
                       "characters, one a line)");
  }
  std::vector<std::string> files = options.log_files;
  files.push_back(records.path());
  files.push_back(records.path() + "-wal");
  std::vector<std::string> folders = {options.store + "/logs"};
  if (options.deep) folders.push_back(options.store + "/objects");
  for (const std::string& folder : folders) {
    std::error_code error;
    for (fs::recursive_directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      if (entry->is_regular_file(error)) files.push_back(entry->path().string());
    }
  }
  for (const std::string& file : files) {
    ++row.checked;
    if (stands_in(file, secrets)) row.violate("a secret stands in " + file);
  }
  if (!options.deep) row.sentence = "artifacts are looked through with --deep";
}

}  // namespace

void check_record(Database& records, const FsckOptions& options, Report& report) {
  check_ways_out(records, report);
  ReportRow& audit = add_row(report, "I16", "the audit log is unbroken");
  const AuditCheck chain = verify_audit(records);
  audit.checked = chain.rows;
  for (const std::string& problem : chain.problems) audit.violate(problem);
  take_failure(records, audit);
  check_secrets(records, options, report);
}

}  // namespace pipelined
