#include "operators/host/process_tree.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/host/unique_fd.h"

namespace pipelined::host {
namespace {

std::string read_whole(const std::string& path) {
  std::string text;
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return text;
  char chunk[4096];
  ssize_t got = 0;
  while ((got = ::read(fd.get(), chunk, sizeof chunk)) > 0) {
    text.append(chunk, static_cast<std::size_t>(got));
  }
  return text;
}

std::vector<std::int64_t> numbers_in(std::string_view text) {
  std::vector<std::int64_t> found;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    std::int64_t number = 0;
    const auto [next, error] = std::from_chars(at, end, number);
    if (error == std::errc()) found.push_back(number);
    at = next == at ? at + 1 : next;
  }
  return found;
}

/// The rest of the line of a status file that begins with `name`.
std::string_view field(std::string_view status, std::string_view name) {
  const std::size_t at = status.find(name);
  if (at == std::string_view::npos) return {};
  const std::size_t from = at + name.size();
  return status.substr(from, status.find('\n', from) - from);
}

std::int64_t kilobytes(std::string_view status, std::string_view name) {
  const auto found = numbers_in(field(status, name));
  return found.empty() ? 0 : found.front();
}

/// Children of all threads of a process, by the pids of the mounted /proc.
void append_children(std::int64_t pid, std::vector<std::int64_t>& out) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(tasks.c_str()), ::closedir);
  if (!folder) return;
  while (const dirent* entry = ::readdir(folder.get())) {
    if (entry->d_name[0] == '.') continue;
    const auto found = numbers_in(read_whole(tasks + "/" + entry->d_name + "/children"));
    out.insert(out.end(), found.begin(), found.end());
  }
}

TreeUsage sample_tree(std::int64_t root, const std::string& root_status,
                      std::int64_t processes_max) {
  TreeUsage usage;
  std::vector<std::int64_t> todo{root};
  for (std::size_t i = 0; i < todo.size() && usage.processes <= processes_max; ++i) {
    const std::string status =
        i == 0 ? root_status : read_whole("/proc/" + std::to_string(todo[i]) + "/status");
    ++usage.processes;
    usage.memory_bytes += 1024 * (kilobytes(status, "\nRssAnon:") + kilobytes(status, "\nRssShmem:") +
                                  kilobytes(status, "\nVmSwap:"));
    append_children(todo[i], todo);
    // Those who are known but were not looked at count too.
    if (todo.size() > static_cast<std::size_t>(processes_max)) {
      usage.processes = static_cast<std::int64_t>(todo.size());
    }
  }
  return usage;
}

}  // namespace

std::map<pid_t, TreeUsage> sample_children(std::int64_t processes_max) {
  std::map<pid_t, TreeUsage> found;
  // "NSpid: 812 5 1": the pid in each namespace from that of /proc inwards; ours is as deep as we.
  const auto own = numbers_in(field(read_whole("/proc/thread-self/status"), "\nNSpid:"));
  if (own.empty()) return found;
  for (const std::int64_t child : numbers_in(read_whole("/proc/thread-self/children"))) {
    const std::string status = read_whole("/proc/" + std::to_string(child) + "/status");
    const auto names = numbers_in(field(status, "\nNSpid:"));
    if (names.size() < own.size()) continue;
    found[static_cast<pid_t>(names[own.size() - 1])] = sample_tree(child, status, processes_max);
  }
  return found;
}

std::int64_t kernel_memory_kills() {
  const std::string text = read_whole("/proc/vmstat");
  const auto found = numbers_in(field(text, "\noom_kill "));
  return found.empty() ? -1 : found.front();
}

}  // namespace pipelined::host
