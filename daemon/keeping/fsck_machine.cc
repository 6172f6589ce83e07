// I13 and I14: no process and no folder of work is left over.
#include <dirent.h>
#include <unistd.h>

#include <cctype>
#include <filesystem>
#include <fstream>

#include "daemon/keeping/fsck.h"

namespace pipelined {
namespace {

namespace fs = std::filesystem;

/// Names in a folder; empty when it cannot be read.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  return names;
}

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string::npos;
}

/// The parent of a process; 0: it is gone.
std::int64_t parent_of(std::int64_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string text;
  std::getline(file, text);
  // "pid (any name) state parent …": the name may hold anything but ends at the last bracket.
  const std::size_t after = text.rfind(')');
  if (after == std::string::npos || after + 4 >= text.size()) return 0;
  return std::atoll(text.c_str() + after + 4);
}

bool descends_from(std::int64_t process, std::int64_t ancestor) {
  for (int i = 0; i < 100 && process > 1; ++i) {
    if (process == ancestor) return true;
    process = parent_of(process);
  }
  return false;
}

void check_processes(const FsckOptions& options, Report& report) {
  ReportRow& row = add_row(report, "I13", "no process works in a folder of ours unknown to the daemon");
  std::error_code error;
  const std::string attempts = fs::weakly_canonical(options.store, error).string() + "/attempts/";
  if (!fs::exists("/proc/self/stat", error)) return row.give_up("there is no /proc here");
  std::int64_t hidden = 0;
  for (const std::string& name : names_in("/proc")) {
    if (!is_number(name)) continue;
    const fs::path folder = fs::read_symlink("/proc/" + name + "/cwd", error);
    if (error) {
      ++hidden;
      continue;
    }
    ++row.checked;
    if (folder.string().rfind(attempts, 0) != 0) continue;
    const std::int64_t process = std::atoll(name.c_str());
    if (options.live && descends_from(process, options.live->process)) continue;
    row.violate("process " + name + " works in " + folder.string() +
                (options.live ? " and is no child of the daemon" : " though the daemon is stopped"));
  }
  if (hidden > 0) row.sentence = std::to_string(hidden) + " processes of others could not be looked at";
}

void check_leftovers(const FsckOptions& options, Report& report) {
  ReportRow& row = add_row(report, "I14", "nothing of dead processes is left in tmp/ and attempts/");
  const std::vector<std::string> temporaries = names_in(options.store + "/tmp");
  const std::vector<std::string> attempts = names_in(options.store + "/attempts");
  row.checked = static_cast<std::int64_t>(temporaries.size() + attempts.size());
  if (!options.live) {
    if (row.checked > 0) {
      row.give_up("the daemon is stopped; its next start removes " + std::to_string(row.checked) +
                  " leftovers");
    }
    return;
  }
  const std::string own = std::to_string(options.live->process) + "-";
  for (const std::string& name : temporaries) {
    if (name.rfind(own, 0) != 0) row.violate("tmp/" + name + " belongs to no living process");
  }
  row.sentence = "open files and memory are measured by the tests, not here";
}

}  // namespace

void check_machine(Database&, const FsckOptions& options, Report& report) {
  check_processes(options, report);
  check_leftovers(options, report);
}

}  // namespace pipelined
