#include "daemon/exec/doctor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>

#include "dag/result.h"
#include "operators/value_json.h"

namespace pipelined {
namespace {

Result<std::string> output_of(const std::string& program, const std::string& word) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return Error{ErrorCode::io, std::strerror(errno)};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  std::string words[] = {program, word};
  char* arguments[] = {words[0].data(), words[1].data(), nullptr};
  char* environment[] = {nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  char chunk[4096];
  ssize_t got = 0;
  while (error == 0 && (got = ::read(ends[0], chunk, sizeof chunk)) > 0) {
    text.append(chunk, static_cast<std::size_t>(got));
  }
  ::close(ends[0]);
  if (error != 0) return Error{ErrorCode::io, "start " + program + ": " + std::strerror(error)};
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (status != 0) return Error{ErrorCode::internal, program + " " + word + " did not succeed"};
  return text;
}

DoctorFact landlock_fact(const ValueTable& probe) {
  const auto at = probe.find("landlock_abi");
  const std::int64_t* abi = at == probe.end() ? nullptr : at->second.as_int();
  const std::int64_t version = abi == nullptr ? 0 : *abi;
  if (version == 0) {
    return {"landlock", "absent", false,
            "operators are not kept to their folders: enable Landlock in the kernel, or allow "
            "attempts without walls on purpose"};
  }
  const std::string value = "ABI " + std::to_string(version);
  if (version < 3) return {"landlock", value + "; truncate(2) is closed by seccomp", true, ""};
  return {"landlock", value, true, ""};
}

DoctorFact sandbox_fact(const ValueTable& probe) {
  const auto at = probe.find("sandbox");
  if (at != probe.end() && at->second == Value(true)) {
    return {"sandbox", "Landlock, seccomp, no new privileges, no capabilities", true, ""};
  }
  const std::string* why = at == probe.end() ? nullptr : at->second.as_text();
  return {"sandbox", "impossible", false, why == nullptr ? "the worker did not say why" : *why};
}

DoctorFact kill_unit_fact(const ValueTable& probe) {
  const auto at = probe.find("kill_unit");
  const std::string* kind = at == probe.end() ? nullptr : at->second.as_text();
  if (kind != nullptr && *kind == "pid_namespace") {
    return {"kill unit", "a PID namespace an attempt", true, ""};
  }
  return {"kill unit", "subreaper", false,
          "allow user namespaces (user.max_user_namespaces) so that the kernel ends all processes "
          "of an attempt with it"};
}

DoctorFact cgroup_fact() {
  std::ifstream in("/proc/self/cgroup");
  std::string line, own;
  while (std::getline(in, line)) {
    if (line.starts_with("0::")) own = line.substr(3);
  }
  const std::string folder = "/sys/fs/cgroup" + own;
  const bool delegated =
      !own.empty() && own != "/" && ::access((folder + "/cgroup.procs").c_str(), W_OK) == 0;
  // Limits through cgroups are not used yet, so neither answer is bad.
  return {"cgroup v2", delegated ? "delegated: " + own : "not delegated", true, ""};
}

DoctorFact memory_fact() {
  return {"memory limits", "RLIMIT_DATA and sampling every 100 ms (best effort)", true, ""};
}

DoctorFact processes_fact() {
  if (::geteuid() != 0) return {"process limits", "RLIMIT_NPROC and sampling", true, ""};
  return {"process limits", "sampling only, since root is exempt from RLIMIT_NPROC", false,
          "run the daemon as a user of its own; a fork bomb of an operator can slow the machine "
          "down before it is noticed"};
}

DoctorFact file_system_fact(const std::string& name, const std::string& path, bool local_only) {
  struct statfs found {};
  if (::statfs(path.c_str(), &found) != 0) {
    return {name, path + ": " + std::strerror(errno), false, "make the folder or mend its path"};
  }
  const auto type = static_cast<unsigned long>(found.f_type);
  const bool network = type == 0x6969 || type == 0xFF534D42 || type == 0x517B;  // NFS, CIFS, SMB
  const auto free_mib = static_cast<unsigned long long>(found.f_bavail) *
                        static_cast<unsigned long long>(found.f_bsize) >> 20;
  std::string value = path + ", " + (network ? "network" : "local") + ", " +
                      std::to_string(free_mib) + " MiB free";
  if (network && local_only) {
    return {name, value, false, "put it on a local file system: locks and fsync must be real"};
  }
  return {name, value, true, ""};
}

DoctorFact user_fact() {
  const auto uid = ::geteuid();
  if (uid != 0) return {"user", "uid " + std::to_string(uid), true, ""};
  return {"user", "root", false,
          "attempts run with uid 0 but without capabilities; a user of its own is one more wall"};
}

}  // namespace

std::vector<DoctorFact> examine_machine(const DoctorOptions& options) {
  std::vector<DoctorFact> facts;
  const auto text = output_of(options.worker, "probe");
  const auto probe = text ? value_from_json(*text) : Result<Value>(text.error());
  if (!probe || probe->as_table() == nullptr) {
    facts.push_back({"worker", options.worker, false,
                     probe ? "it does not answer in JSON" : probe.error().message});
  } else {
    const ValueTable& table = *probe->as_table();
    facts = {landlock_fact(table), sandbox_fact(table), kill_unit_fact(table)};
  }
  facts.push_back(cgroup_fact());
  facts.push_back(memory_fact());
  facts.push_back(processes_fact());
  facts.push_back(file_system_fact("state", options.state, true));
  facts.push_back(file_system_fact("store", options.store, false));
  facts.push_back(user_fact());
  return facts;
}

}  // namespace pipelined
