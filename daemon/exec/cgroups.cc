#include "daemon/exec/cgroups.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

namespace pipelined {
namespace {

namespace fs = std::filesystem;

constexpr const char* wanted_controllers[] = {"cpu", "memory", "pids"};

std::string read_text(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Result<void> write_text(const std::string& path, const std::string& text) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool good = fd >= 0 && ::write(fd, text.data(), text.size()) ==
                                   static_cast<ssize_t>(text.size());
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (good) return {};
  return Error{ErrorCode::io, "write " + path + ": " + std::strerror(error)};
}

Result<void> make_group(const std::string& path) {
  std::error_code error;
  fs::create_directory(path, error);
  if (error) return Error{ErrorCode::io, "make the group " + path + ": " + error.message()};
  return {};
}

/// Kills what is in the group and below it and removes the folders, innermost first.  Groups whose
/// processes are not quite buried stay; they are empty and go the next time.
void kill_and_remove(const std::string& path) {
  if (!write_text(path + "/cgroup.kill", "1")) return;
  std::vector<fs::path> folders{path};
  std::error_code error;
  for (fs::recursive_directory_iterator at(path, error), end; !error && at != end;
       at.increment(error)) {
    if (at->is_directory(error)) folders.push_back(at->path());
  }
  std::sort(folders.begin(), folders.end(),
            [](const fs::path& a, const fs::path& b) { return a.native() > b.native(); });
  for (const fs::path& folder : folders) ::rmdir(folder.c_str());
}

/// Hands every controller that `from` has on to the groups below it.
std::vector<std::string> hand_on(const std::string& from) {
  std::istringstream words(read_text(from + "/cgroup.controllers"));
  std::vector<std::string> handed;
  for (std::string word; words >> word;) {
    const bool wanted = std::find(std::begin(wanted_controllers), std::end(wanted_controllers),
                                  word) != std::end(wanted_controllers);
    if (wanted && write_text(from + "/cgroup.subtree_control", "+" + word)) handed.push_back(word);
  }
  return handed;
}

/// Whether this process is the only one in the group.
bool alone_in(const std::string& folder) {
  std::istringstream words(read_text(folder + "/cgroup.procs"));
  std::int64_t pid = 0;
  while (words >> pid) {
    if (pid != ::getpid()) return false;
  }
  return true;
}

}  // namespace

std::string group_folder(std::string_view cgroup, std::string_view mountinfo) {
  std::string own, line;
  std::istringstream groups{std::string(cgroup)};
  while (std::getline(groups, line)) {
    if (line.starts_with("0::/")) own = line.substr(3);
  }
  if (own.empty()) return "";
  std::istringstream mounts{std::string(mountinfo)};
  while (std::getline(mounts, line)) {
    // "36 35 0:26 / /sys/fs/cgroup rw,… shared:9 - cgroup2 cgroup2 rw"
    const std::size_t dash = line.find(" - cgroup2 ");
    if (dash == std::string::npos) continue;
    std::istringstream fields(line.substr(0, dash));
    std::string skipped, root, place;
    fields >> skipped >> skipped >> skipped >> root >> place;
    if (root != "/" && own.starts_with(root)) own = own.substr(root.size());
    return own == "/" ? place : place + own;
  }
  return "";
}

Cgroups Cgroups::enter(const std::string& folder) {
  Cgroups groups;
  std::string place = folder;
  if (place.empty()) {
    place = group_folder(read_text("/proc/self/cgroup"), read_text("/proc/self/mountinfo"));
    if (place.empty()) {
      groups.words_ = "no cgroup v2 is mounted";
      return groups;
    }
    if (::access((place + "/cgroup.kill").c_str(), W_OK) != 0) {
      groups.words_ = "not delegated to this daemon (Delegate= in its unit)";
      return groups;
    }
    if (!alone_in(place)) {
      groups.words_ = place + " is shared with other processes";
      return groups;
    }
  }
  if (auto done = groups.set_up(place); !done) {
    groups.attempts_.clear();
    groups.words_ = done.error().message;
  }
  return groups;
}

Result<void> Cgroups::set_up(const std::string& folder) {
  TRY_VOID(make_group(folder + "/supervisor"));
  TRY_VOID(write_text(folder + "/supervisor/cgroup.procs", "0"));
  const std::string attempts = folder + "/attempts";
  std::error_code error;
  if (fs::exists(attempts, error)) kill_and_remove(attempts);
  // Controllers first: a group that has processes cannot hand them on any more.
  hand_on(folder);
  TRY_VOID(make_group(attempts));
  controllers_ = hand_on(attempts);
  attempts_ = attempts;
  words_ = folder;
  return {};
}

Cgroups::~Cgroups() {
  if (available()) kill_and_remove(attempts_);
}

Cgroups::Cgroups(Cgroups&& other) noexcept { *this = std::move(other); }

Cgroups& Cgroups::operator=(Cgroups&& other) noexcept {
  std::swap(attempts_, other.attempts_);
  std::swap(controllers_, other.controllers_);
  std::swap(words_, other.words_);
  std::swap(lent_, other.lent_);
  return *this;
}

bool Cgroups::has(std::string_view controller) const {
  return std::find(controllers_.begin(), controllers_.end(), controller) != controllers_.end();
}

Result<std::string> Cgroups::lend() {
  const std::string folder = attempts_ + "/" + std::to_string(++lent_);
  TRY_VOID(make_group(folder));
  hand_on(folder);
  return folder;
}

void Cgroups::take_back(const std::string& folder) { kill_and_remove(folder); }

}  // namespace pipelined
