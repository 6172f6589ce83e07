#include "operators/host/kill_unit.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace pipelined::host {
namespace {

Error failed(const std::string& what) {
  return {ErrorCode::io, what + ": " + std::strerror(errno)};
}

/// The processes listed in a `children` file of /proc.
std::vector<pid_t> read_children(int fd) {
  std::string text;
  char chunk[4096];
  for (;;) {
    const ssize_t got = ::pread(fd, chunk, sizeof chunk, static_cast<off_t>(text.size()));
    if (got <= 0) break;
    text.append(chunk, static_cast<std::size_t>(got));
  }
  std::vector<pid_t> found;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at < end) {
    pid_t pid = 0;
    const auto [next, error] = std::from_chars(at, end, pid);
    if (error == std::errc()) found.push_back(pid);
    at = next + 1;
  }
  return found;
}

/// Kills every child that is not in `live`, and what they leave, until there is none.
void kill_strays(int children, const std::set<pid_t>& live) {
  for (int round = 0;; ++round) {
    bool any = false;
    for (const pid_t pid : read_children(children)) {
      if (live.contains(pid)) continue;
      any = true;
      ::kill(pid, SIGKILL);
      if (::getsid(pid) == pid) ::kill(-pid, SIGKILL);  // its whole group while it cannot fork
      ::waitpid(pid, nullptr, round == 0 ? WNOHANG : 0);
    }
    if (!any) return;
  }
}

bool write_file(const char* path, const std::string& text) {
  const UniqueFd fd(::open(path, O_WRONLY | O_CLOEXEC));
  return fd && ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

/// A user namespace in which we keep our own ids, for those who are not root.
bool enter_user_namespace() {
  const std::string uid = std::to_string(::geteuid()), gid = std::to_string(::getegid());
  if (::unshare(CLONE_NEWUSER) != 0) return false;
  return write_file("/proc/self/setgroups", "deny") &&
         write_file("/proc/self/uid_map", uid + " " + uid + " 1") &&
         write_file("/proc/self/gid_map", gid + " " + gid + " 1");
}

/// Whether namespaces work here; tried in a child, since a failure half-way cannot be taken back.
bool namespaces_possible() {
  const pid_t pid = ::fork();
  if (pid == 0) {
    if (::unshare(CLONE_NEWPID) == 0) ::_exit(0);
    ::_exit(enter_user_namespace() && ::unshare(CLONE_NEWPID) == 0 ? 0 : 1);
  }
  int status = 1;
  return pid > 0 && ::waitpid(pid, &status, 0) == pid && status == 0;
}

Result<void> enter_namespace() {
  if (::unshare(CLONE_NEWPID) == 0) return {};
  if (!enter_user_namespace()) return failed("make a user namespace");
  if (::unshare(CLONE_NEWPID) != 0) return failed("make a PID namespace");
  return {};
}

Result<UniqueFd> open_children() {
  UniqueFd children(::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC));
  if (!children) return failed("open /proc/thread-self/children, needed to find stray processes");
  return children;
}

/// The guardian's life: waits for the host's end or the daemon's, then leaves nothing behind.
[[noreturn]] void guard(pid_t host, int children, const sigset_t& awaited,
                        const std::string& group_folder) {
  ::syscall(SYS_close_range, 3u, static_cast<unsigned>(children - 1), 0u);
  ::syscall(SYS_close_range, static_cast<unsigned>(children + 1), ~0u, 0u);
  int status = 0;
  for (;;) {
    siginfo_t info{};
    const int signal = ::sigwaitinfo(&awaited, &info);
    if (signal == SIGTERM) ::kill(host, SIGKILL);
    pid_t ended = 0;
    bool host_ended = false;
    int one = 0;
    while ((ended = ::waitpid(-1, &one, WNOHANG)) > 0) {
      if (ended != host) continue;
      host_ended = true;
      status = one;
    }
    if (host_ended) break;
  }
  if (!group_folder.empty()) write_file((group_folder + "/cgroup.kill").c_str(), "1");
  kill_strays(children, {});
  ::_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

}  // namespace

const char* name_of(KillUnitKind kind) {
  switch (kind) {
    case KillUnitKind::pid_namespace: return "pid_namespace";
    case KillUnitKind::cgroup: return "cgroup";
    case KillUnitKind::subreaper: break;
  }
  return "subreaper";
}

std::optional<KillUnitKind> parse_kill_unit(std::string_view word) {
  if (word == "pid_namespace") return KillUnitKind::pid_namespace;
  if (word == "cgroup") return KillUnitKind::cgroup;
  if (word == "subreaper") return KillUnitKind::subreaper;
  return std::nullopt;
}

KillUnitKind best_kill_unit(const std::string& group_folder) {
  if (namespaces_possible()) return KillUnitKind::pid_namespace;
  return group_folder.empty() ? KillUnitKind::subreaper : KillUnitKind::cgroup;
}

Result<KillUnitKind> enter_guarded_process(std::optional<KillUnitKind> wanted,
                                           const std::string& group_folder) {
  const KillUnitKind kind = wanted ? *wanted : best_kill_unit(group_folder);
  if (kind == KillUnitKind::cgroup && group_folder.empty()) {
    return Error{ErrorCode::unsupported,
                 "attempts cannot have control groups: no folder of a cgroup v2 is there for them; "
                 "let the service manager delegate one, or name one (attempts.cgroup)"};
  }
  sigset_t awaited;
  sigemptyset(&awaited);
  sigaddset(&awaited, SIGCHLD);
  sigaddset(&awaited, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &awaited, nullptr);
  if (::prctl(PR_SET_PDEATHSIG, SIGTERM) != 0) return failed("tie the host to the daemon");
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return failed("become a subreaper");
  TRY(children, open_children());
  if (kind == KillUnitKind::pid_namespace) TRY_VOID(enter_namespace());
  const pid_t guardian = ::getpid();
  const pid_t host = ::fork();
  if (host < 0) return failed("fork the host");
  if (host > 0) guard(host, children.get(), awaited, group_folder);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  // In a namespace the guardian cannot be seen, and its death ends the namespace with the host.
  if (kind != KillUnitKind::pid_namespace && ::getppid() != guardian) ::_exit(1);
  return kind;
}

Result<KillUnit> KillUnit::create(KillUnitKind kind, const std::string& group_folder) {
  KillUnit unit;
  if (!group_folder.empty()) {
    TRY(groups, AttemptGroups::open(group_folder));
    unit.groups_ = std::move(groups);
  }
  unit.kind_ = kind;
  unit.host_ = ::getpid();
  if (kind == KillUnitKind::pid_namespace) {
    unit.own_namespace_.reset(::open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC));
    if (!unit.own_namespace_) return failed("open the own PID namespace");
    return unit;
  }
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return failed("become a subreaper");
  TRY(children, open_children());
  unit.children_ = std::move(children);
  return unit;
}

Result<pid_t> KillUnit::fork_attempt() {
  if (kind_ != KillUnitKind::pid_namespace) {
    const pid_t pid = ::fork();
    if (pid < 0) return failed("fork the attempt");
    return pid;
  }
  if (::unshare(CLONE_NEWPID) != 0) return failed("make a PID namespace for the attempt");
  // fork(2) by libc, not clone(2): libraries of the plugin may have fork handlers.
  const pid_t pid = ::fork();
  if (pid == 0) return pid;
  const int fork_errno = errno;
  if (::setns(own_namespace_.get(), CLONE_NEWPID) != 0) return failed("return from a namespace");
  errno = fork_errno;
  if (pid < 0) return failed("fork the attempt");
  return pid;
}

Result<void> KillUnit::enter_attempt() const {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed("tie the attempt to its host");
  if (kind_ != KillUnitKind::pid_namespace) {
    if (::getppid() != host_) ::_exit(1);  // the host died before the tie was made
    if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) return failed("become a subreaper");
  }
  if (::setsid() < 0) return failed("start a session");
  return {};
}

void KillUnit::send(pid_t pid, int signal) const {
  // The group may not be there yet if the attempt has only just been forked.
  if (::kill(-pid, signal) != 0 || signal == SIGKILL) ::kill(pid, signal);
}

void KillUnit::clear(const std::set<pid_t>& live) const {
  if (kind_ != KillUnitKind::pid_namespace) kill_strays(children_.get(), live);
}

}  // namespace pipelined::host
