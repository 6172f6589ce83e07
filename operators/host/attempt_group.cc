#include "operators/host/attempt_group.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>

namespace pipelined::host {
namespace {

constexpr unsigned long cgroup2_magic = 0x63677270;

Error failed(const std::string& what) {
  return {ErrorCode::io, what + ": " + std::strerror(errno)};
}

bool write_text(int folder, const std::string& name, std::string_view text) {
  const UniqueFd fd(::openat(folder, name.c_str(), O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string read_text(int folder, const char* name) {
  std::string text(4096, '\0');
  const UniqueFd fd(::openat(folder, name, O_RDONLY | O_CLOEXEC));
  const ssize_t got = fd ? ::read(fd.get(), text.data(), text.size()) : 0;
  text.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return text;
}

/// The number behind `name` in a file of lines "name number", or of a file that is one number.
std::int64_t number_after(std::string_view text, std::string_view name) {
  std::size_t at = 0;
  if (!name.empty()) {
    at = text.starts_with(name) ? 0 : text.find("\n" + std::string(name));
    if (at == std::string_view::npos) return 0;
    at = text.find(' ', at);
    if (at == std::string_view::npos) return 0;
    ++at;
  }
  std::int64_t value = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), value);
  return value;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> limit_lines(const GroupLimits& limits,
                                                             const Controllers& controllers) {
  std::vector<std::pair<std::string, std::string>> lines;
  if (controllers.memory && limits.memory_bytes > 0) {
    lines.emplace_back("memory.max", std::to_string(limits.memory_bytes));
    lines.emplace_back("memory.swap.max", "0");
    lines.emplace_back("memory.oom.group", "1");  // a half-killed attempt is of no use to anybody
  }
  if (controllers.processes && limits.processes_max > 0) {
    lines.emplace_back("pids.max", std::to_string(limits.processes_max));
  }
  if (controllers.cpu && limits.cpus > 0) {
    constexpr double period_us = 100'000;
    const auto quota = std::max<std::int64_t>(1000, std::llround(limits.cpus * period_us));
    lines.emplace_back("cpu.max", std::to_string(quota) + " 100000");
  }
  return lines;
}

Controllers read_controllers(std::string_view text) {
  const auto has = [text](std::string_view word) {
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
      const std::size_t end = at + word.size();
      const bool begins = at == 0 || text[at - 1] == ' ';
      if (begins && (end == text.size() || text[end] == ' ' || text[end] == '\n')) return true;
    }
    return false;
  };
  return {has("memory"), has("pids"), has("cpu")};
}

Result<void> AttemptGroup::enter() const {
  if (::write(processes_.get(), "0", 1) != 1) return failed("enter the attempt's control group");
  return {};
}

Result<void> AttemptGroup::take_in(int pid) const {
  const std::string text = std::to_string(pid);
  if (::write(processes_.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size())) {
    return {};
  }
  return failed("move an attempt into its control group");
}

void AttemptGroup::kill() const {
  if (folder_) write_text(folder_.get(), "cgroup.kill", "1");
}

GroupUse AttemptGroup::use() const {
  GroupUse found;
  if (!folder_) return found;
  found.cpu_ms = number_after(read_text(folder_.get(), "cpu.stat"), "usage_usec") / 1000;
  found.memory_peak_bytes = number_after(read_text(folder_.get(), "memory.peak"), "");
  found.out_of_memory = number_after(read_text(folder_.get(), "memory.events"), "oom_kill ") > 0;
  return found;
}

Result<AttemptGroups> AttemptGroups::open(const std::string& folder) {
  AttemptGroups groups;
  groups.folder_.reset(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!groups.folder_) return failed("open the control group " + folder);
  struct statfs found {};
  if (::fstatfs(groups.folder_.get(), &found) != 0 ||
      static_cast<unsigned long>(found.f_type) != cgroup2_magic) {
    return Error{ErrorCode::unsupported, folder + " is no folder of a cgroup v2"};
  }
  if (::faccessat(groups.folder_.get(), "cgroup.kill", W_OK, AT_EACCESS) != 0) {
    return failed("use the control group " + folder + " (it must be writable, Linux 5.14 or later)");
  }
  groups.controllers_ = read_controllers(read_text(groups.folder_.get(), "cgroup.subtree_control"));
  return groups;
}

Result<AttemptGroup> AttemptGroups::make(const GroupLimits& limits) {
  sweep();
  AttemptGroup group;
  group.name_ = std::to_string(++made_);
  const char* const name = group.name_.c_str();
  if (::mkdirat(folder_.get(), name, 0700) != 0) return failed("make a control group");
  group.folder_.reset(::openat(folder_.get(), name, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!group.folder_) return failed("open a control group");
  group.processes_.reset(
      ::openat(group.folder_.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
  if (!group.processes_) return failed("open the processes of a control group");
  for (const auto& [file, text] : limit_lines(limits, controllers_)) {
    // A kernel without swap accounting has no memory.swap.max; every other one must take its value.
    if (!write_text(group.folder_.get(), file, text) && file != "memory.swap.max") {
      const Error error = failed("set " + file + " of a control group");
      remove(std::move(group));
      return error;
    }
  }
  return group;
}

void AttemptGroups::remove(AttemptGroup group) {
  if (!group) return;
  group.kill();
  left_.push_back(group.name_);
  sweep();
}

void AttemptGroups::kill_all() const { write_text(folder_.get(), "cgroup.kill", "1"); }

void AttemptGroups::sweep() {
  // A group with a process that the kernel has not quite buried is busy; it goes the next time.
  std::erase_if(left_, [this](const std::string& name) {
    return ::unlinkat(folder_.get(), name.c_str(), AT_REMOVEDIR) == 0 || errno == ENOENT;
  });
}

}  // namespace pipelined::host
