#include "daemon/exec/doctor.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

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

/// The kill unit that attempts have: the configured one, or the best that was found.
std::string kill_unit_of(const ValueTable& probe, const DoctorOptions& options) {
  if (!options.kill_unit.empty()) return options.kill_unit;
  const auto at = probe.find("kill_unit");
  const std::string* kind = at == probe.end() ? nullptr : at->second.as_text();
  if (kind != nullptr && *kind == "pid_namespace") return *kind;
  return options.cgroups != nullptr && options.cgroups->available() ? "cgroup" : "subreaper";
}

DoctorFact kill_unit_fact(const std::string& kind) {
  if (kind == "pid_namespace") return {"kill unit", "a PID namespace an attempt", true, ""};
  if (kind == "cgroup") return {"kill unit", "a control group an attempt", true, ""};
  return {"kill unit", "subreaper", false,
          "allow user namespaces (user.max_user_namespaces) or delegate a cgroup v2, so that the "
          "kernel ends all processes of an attempt with it"};
}

DoctorFact signals_fact(const ValueTable& probe, const std::string& kind) {
  const auto at = probe.find("landlock_abi");
  const std::int64_t* abi = at == probe.end() ? nullptr : at->second.as_int();
  if (abi != nullptr && *abi >= 6) return {"signals", "closed by Landlock", true, ""};
  if (kind == "pid_namespace") return {"signals", "closed by the PID namespace", true, ""};
  return {"signals", "not possible to close here", false,
          "an attempt can end other processes of the daemon's user: Linux 6.12 or user namespaces "
          "close that"};
}

bool has(const DoctorOptions& options, const char* controller) {
  return options.cgroups != nullptr && options.cgroups->has(controller);
}

DoctorFact cgroup_fact(const DoctorOptions& options) {
  if (options.cgroups == nullptr || !options.cgroups->available()) {
    return {"cgroup v2", options.cgroups == nullptr ? "not used" : options.cgroups->words(), true,
            ""};
  }
  std::string controllers;
  for (const std::string& name : options.cgroups->controllers()) controllers += " " + name;
  return {"cgroup v2",
          options.cgroups->words() + ", controllers:" + (controllers.empty() ? " none" : controllers),
          true, ""};
}

DoctorFact memory_fact(const DoctorOptions& options) {
  if (has(options, "memory")) return {"memory limits", "memory.max of its group", true, ""};
  return {"memory limits",
          "memory.max not possible here: RLIMIT_DATA and sampling every 100 ms (best effort)", false,
          "delegate the memory controller of cgroup v2 to the daemon (Delegate=memory)"};
}

DoctorFact processor_fact(const DoctorOptions& options) {
  if (has(options, "cpu")) return {"processor limits", "cpu.max of its group", true, ""};
  return {"processor limits", "cpu.max not possible here: bound to as many processors as it asked for",
          true, ""};
}

DoctorFact processes_fact(const DoctorOptions& options) {
  if (has(options, "pids")) return {"process limits", "pids.max of its group", true, ""};
  if (::geteuid() != 0) return {"process limits", "RLIMIT_NPROC and sampling", true, ""};
  return {"process limits",
          "pids.max not possible here: sampling only, since root is exempt from RLIMIT_NPROC", false,
          "run the daemon as a user of its own; a fork bomb of an operator can slow the machine "
          "down before it is noticed"};
}

DoctorFact scratch_fact() {
  return {"scratch limits", "what an attempt wrote is looked at every 500 ms (best effort)", true,
          ""};
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
    const std::string kind = kill_unit_of(table, options);
    facts = {landlock_fact(table), sandbox_fact(table), kill_unit_fact(kind),
             signals_fact(table, kind)};
  }
  facts.push_back(cgroup_fact(options));
  facts.push_back(memory_fact(options));
  facts.push_back(processor_fact(options));
  facts.push_back(processes_fact(options));
  facts.push_back(scratch_fact());
  facts.push_back(file_system_fact("state", options.state, true));
  facts.push_back(file_system_fact("store", options.store, false));
  facts.push_back(user_fact());
  return facts;
}

}  // namespace pipelined
