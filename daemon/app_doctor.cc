#include "daemon/app_doctor.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "daemon/posix/unique_fd.h"
#include "operators/value_json.h"

namespace pipelined {
namespace {

constexpr int probe_timeout_ms = 5000;
constexpr std::size_t probe_bytes_max = 65536;

/// What `worker probe` prints; the child is gone when this returns.
Result<std::string> run_probe(const std::string& worker) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error{ErrorCode::io, std::string("cannot make a pipe: ") + std::strerror(errno)};
  }
  const UniqueFd reading(ends[0]);
  UniqueFd writing(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, writing.get(), 1);
  std::string program = worker, verb = "probe";
  char* const argv[] = {program.data(), verb.data(), nullptr};
  char* const environment[] = {nullptr};
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, worker.c_str(), &actions, nullptr, argv, environment);
  posix_spawn_file_actions_destroy(&actions);
  if (failed != 0) {
    return Error{ErrorCode::io, "cannot start " + worker + ": " + std::strerror(failed)};
  }
  writing.reset();
  std::string text;
  pollfd waiting{reading.get(), POLLIN, 0};
  while (text.size() < probe_bytes_max && ::poll(&waiting, 1, probe_timeout_ms) > 0) {
    char piece[4096];
    const ssize_t length = ::read(reading.get(), piece, sizeof piece);
    if (length <= 0) break;
    text.append(piece, static_cast<std::size_t>(length));
  }
  ::kill(child, SIGKILL);  // it has ended by itself unless it hangs
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return text;
}

DoctorLine disk_line(const char* name, const std::string& folder) {
  struct statvfs facts{};
  if (::statvfs(folder.c_str(), &facts) != 0) {
    return {name, "missing", std::strerror(errno), "make the folder " + folder};
  }
  const auto free_mib = static_cast<std::int64_t>(facts.f_bavail * facts.f_frsize >> 20);
  const bool little = free_mib < 1024;
  return {name, little ? "warning" : "ok", std::to_string(free_mib) + " MiB free in " + folder,
          little ? "runs wait when the disk is full; make room" : ""};
}

}  // namespace

std::vector<DoctorLine> read_probe(const std::string& json, bool sandbox_required) {
  const auto value = value_from_json(json);
  const ValueTable* facts = value ? value->as_table() : nullptr;
  if (!facts) {
    return {{"worker", "missing", "it does not say what this machine gives",
             "start the daemon with --worker PATH of a pipelined-worker of the same version"}};
  }
  const auto find = [facts](const char* name) {
    const auto found = facts->find(name);
    return found == facts->end() ? Value() : found->second;
  };
  std::vector<DoctorLine> lines;
  const Value walls = find("sandbox");
  const bool whole = walls.as_bool() && *walls.as_bool();
  const std::string* why = walls.as_text();
  lines.push_back({"sandbox", whole ? "ok" : (sandbox_required ? "missing" : "warning"),
                   whole ? "attempts run behind walls" : (why ? *why : "no walls"),
                   whole ? "" : "use a kernel with Landlock, or say sandbox = \"optional\" under "
                                "[attempts] to let attempts run without walls"});
  const Value abi = find("landlock_abi");
  const std::int64_t version = abi.as_int() ? *abi.as_int() : 0;
  lines.push_back({"landlock", version > 0 ? "ok" : "missing",
                   version > 0 ? "ABI " + std::to_string(version) : "not there",
                   version >= 6 || version <= 0
                       ? ""
                       : "below ABI 6 attempts may send signals to processes of the same user"});
  const Value seccomp = find("seccomp");
  const bool filters = seccomp.as_bool() && *seccomp.as_bool();
  lines.push_back({"seccomp", filters ? "ok" : "missing", filters ? "there" : "not there", ""});
  const Value unit = find("kill_unit");
  lines.push_back({"kill unit", "ok", unit.as_text() ? *unit.as_text() : "unknown", ""});
  return lines;
}

std::vector<DoctorLine> examine_machine(const Config& config, const PluginRegistry& registry) {
  std::vector<DoctorLine> lines;
  auto probe = run_probe(config.worker);
  if (probe) {
    lines = read_probe(*probe, config.sandbox);
  } else {
    lines.push_back({"worker", "missing", probe.error().message,
                     "name the program pipelined-worker with --worker"});
  }
  lines.push_back(disk_line("state", config.state));
  lines.push_back(disk_line("store", config.store));
  lines.push_back({"plugins", registry.plugins.empty() ? "warning" : "ok",
                   std::to_string(registry.plugins.size()) + " plugins, " +
                       std::to_string(registry.operators.size()) + " operators",
                   registry.plugins.empty() ? "name their folder with --plugins" : ""});
  for (const std::string& problem : registry.problems) {
    lines.push_back({"plugin", "warning", problem, "see docs/plugins"});
  }
  return lines;
}

}  // namespace pipelined
