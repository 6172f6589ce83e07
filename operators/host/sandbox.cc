#include "operators/host/sandbox.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>

namespace pipelined::host {
namespace {

// Landlock's interface, by our own names: the system's header may be older than the kernel.
namespace landlock {
constexpr std::uint64_t execute = 1u << 0, write_file = 1u << 1, read_file = 1u << 2,
                        read_dir = 1u << 3, truncate = 1u << 14;
/// Devices, sockets, pipes and symbolic links.
constexpr std::uint64_t make_special = 1u << 6 | 1u << 9 | 1u << 10 | 1u << 11 | 1u << 12;
constexpr std::uint64_t files_1 = (1u << 13) - 1, files_2 = (1u << 14) - 1,
                        files_3 = (1u << 15) - 1, files_5 = (1u << 16) - 1;
constexpr std::uint64_t bind_and_connect_tcp = 3, scope_sockets_and_signals = 3;
constexpr unsigned version_flag = 1, rule_path_beneath = 1;

struct Ruleset {
  std::uint64_t files, network, scoped;
};
struct [[gnu::packed]] PathBeneath {
  std::uint64_t access;
  std::int32_t parent;
};

/// How much of `Ruleset` a kernel of that version reads.
std::size_t ruleset_size(int abi) { return abi >= 6 ? 24 : abi >= 4 ? 16 : 8; }

std::uint64_t handled_files(int abi) {
  if (abi >= 5) return files_5;
  if (abi >= 3) return files_3;
  return abi == 2 ? files_2 : files_1;
}
constexpr std::uint64_t reading = execute | read_file | read_dir;
/// The rights that make sense on something that is no folder.
constexpr std::uint64_t of_a_file = execute | write_file | read_file | truncate | (1u << 15);
}  // namespace landlock

Error failed(const std::string& what) {
  return {ErrorCode::unsupported, what + ": " + std::strerror(errno)};
}

/// What programs need in order to start and to know the machine; never secrets, so /etc is not here
/// as a whole.
constexpr const char* readable_system[] = {
    "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/proc", "/sys",
    "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom",
    "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/ld.so.preload",
    "/etc/localtime", "/etc/timezone", "/etc/passwd", "/etc/group", "/etc/nsswitch.conf",
    "/etc/hosts", "/etc/resolv.conf", "/etc/host.conf", "/etc/gai.conf", "/etc/services",
    "/etc/protocols", "/etc/ssl", "/etc/ca-certificates", "/etc/alternatives",
    "/etc/locale.alias", "/etc/mime.types", "/etc/python3", "/etc/python3.11", "/etc/perl",
    "/etc/R", "/etc/fonts", "/etc/os-release", "/etc/debian_version", "/etc/inputrc",
    "/etc/terminfo"};

/// What neither the host nor an attempt has a use for.
constexpr const char* forbidden_calls[] = {
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp",
    "mount", "umount2", "pivot_root", "chroot", "open_tree", "move_mount", "fsopen", "fsconfig",
    "fsmount", "fspick", "mount_setattr", "bpf", "perf_event_open",
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register",
    "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "reboot",
    "swapon", "swapoff", "acct", "quotactl", "quotactl_fd", "settimeofday", "clock_settime",
    "clock_adjtime", "adjtimex", "sethostname", "setdomainname", "iopl", "ioperm", "syslog",
    "keyctl", "add_key", "request_key", "name_to_handle_at", "open_by_handle_at",
    "fanotify_init", "lookup_dcookie", "vhangup", "nfsservctl", "modify_ldt"};

/// What the host needs in order to start attempts, and attempts do not.
constexpr const char* forbidden_in_attempts[] = {"setns", "unshare", "sched_setaffinity"};

constexpr int new_namespaces[] = {CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,   CLONE_NEWNET,
                                  CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP};

using Filter = std::unique_ptr<void, void (*)(scmp_filter_ctx)>;

bool refuse_calls(const Filter& filter, std::span<const char* const> names) {
  bool good = true;
  for (const char* name : names) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number < 0) continue;  // not a call of this architecture
    good &= seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), number, 0) == 0;
  }
  return good;
}

bool add_host_rules(const Filter& filter, int abi) {
  bool good = refuse_calls(filter, forbidden_calls);
  // The flags of clone3 lie in memory where a filter cannot look; without it libc takes clone.
  good &= seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) == 0;
  for (const int flag : new_namespaces) {
    const auto bits = static_cast<scmp_datum_t>(flag);
    good &= seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                             SCMP_A0(SCMP_CMP_MASKED_EQ, bits, bits)) == 0;
  }
  good &= seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EACCES), SCMP_SYS(socketpair), 1,
                           SCMP_A0(SCMP_CMP_NE, AF_UNIX, 0)) == 0;
  if (abi < 3) {  // Landlock does not govern truncate(2) by path yet
    good &= seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EACCES), SCMP_SYS(truncate), 0) == 0;
  }
  return good;
}

bool add_attempt_rules(const Filter& filter) {
  // Orphans must come to the one who kills them.
  return refuse_calls(filter, forbidden_in_attempts) &&
         seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(prctl), 1,
                          SCMP_A0(SCMP_CMP_EQ, PR_SET_CHILD_SUBREAPER, 0)) == 0;
}

bool add_socket_rules(const Filter& filter, bool network) {
  const std::uint32_t refuse = SCMP_ACT_ERRNO(EACCES);
  if (!network) return seccomp_rule_add(filter.get(), refuse, SCMP_SYS(socket), 0) == 0;
  bool good = true;
  for (scmp_datum_t family = 0; family < AF_NETLINK; ++family) {
    if (family == AF_UNIX || family == AF_INET || family == AF_INET6) continue;
    good &= seccomp_rule_add(filter.get(), refuse, SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_EQ, family, 0)) == 0;
  }
  return good && seccomp_rule_add(filter.get(), refuse, SCMP_SYS(socket), 1,
                                  SCMP_A0(SCMP_CMP_GT, AF_NETLINK, 0)) == 0;
}

Result<std::vector<sock_filter>> export_program(const Filter& filter) {
  const UniqueFd memory(::memfd_create("seccomp", MFD_CLOEXEC));
  if (!memory) return failed("make a place for the seccomp program");
  if (seccomp_export_bpf(filter.get(), memory.get()) != 0) {
    return Error{ErrorCode::unsupported, "libseccomp could not compile the filter"};
  }
  struct stat found {};
  if (::fstat(memory.get(), &found) != 0) return failed("look at the seccomp program");
  std::vector<sock_filter> program(static_cast<std::size_t>(found.st_size) / sizeof(sock_filter));
  const ssize_t wanted = static_cast<ssize_t>(program.size() * sizeof(sock_filter));
  if (::pread(memory.get(), program.data(), static_cast<std::size_t>(wanted), 0) != wanted) {
    return failed("read the seccomp program");
  }
  return program;
}

/// `add_rules` says whether libseccomp took all of them.
Result<std::vector<sock_filter>> compile_filter(
    const std::function<bool(const Filter&)>& add_rules) {
  const Filter filter(seccomp_init(SCMP_ACT_ALLOW), seccomp_release);
  if (!filter) return Error{ErrorCode::unsupported, "libseccomp gave no filter"};
  // A tree instead of a list: a dozen comparisons a call instead of sixty.
  seccomp_attr_set(filter.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2);
  if (!add_rules(filter)) {
    return Error{ErrorCode::unsupported, "libseccomp refused a rule of the filter"};
  }
  return export_program(filter);
}

Result<std::vector<sock_filter>> compile_attempt_filter(bool network) {
  return compile_filter([network](const Filter& filter) {
    return add_attempt_rules(filter) && add_socket_rules(filter, network);
  });
}

Result<void> install_filter(const std::vector<sock_filter>& wanted) {
  // The kernel only reads the program, but its interface is not const.
  std::vector<sock_filter> program = wanted;
  sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0u, &filter) != 0) {
    return failed("install the seccomp filter");
  }
  return {};
}

/// Whether `path` lies in one of the folders, which are real paths.
bool lies_in(const std::vector<std::string>& folders, const std::string& path) {
  return std::any_of(folders.begin(), folders.end(), [&path](const std::string& folder) {
    return path == folder || path.starts_with(folder + "/");
  });
}

Result<void> allow_path(int ruleset, int path, std::uint64_t access) {
  const landlock::PathBeneath rule{access, path};
  if (::syscall(SYS_landlock_add_rule, ruleset, landlock::rule_path_beneath, &rule, 0) != 0) {
    return failed("add a Landlock rule");
  }
  return {};
}

Result<void> allow_path(int ruleset, const std::string& path, std::uint64_t access) {
  const UniqueFd fd(::open(path.c_str(), O_PATH | O_CLOEXEC));
  if (!fd) return failed("open " + path + " for the sandbox");
  struct stat found {};
  if (::fstat(fd.get(), &found) != 0) return failed("look at " + path + " for the sandbox");
  if (!S_ISDIR(found.st_mode)) access &= landlock::of_a_file;
  return allow_path(ruleset, fd.get(), access);
}

}  // namespace

int landlock_abi() {
  const long abi =
      ::syscall(SYS_landlock_create_ruleset, nullptr, std::size_t{0}, landlock::version_flag);
  return abi < 0 ? 0 : static_cast<int>(abi);
}

Result<Sandbox> Sandbox::prepare(const SandboxOptions& options) {
  Sandbox sandbox;
  sandbox.abi_ = std::min(landlock_abi(), options.landlock_abi_max);
  if (sandbox.abi_ == 0) {
    if (!options.allow_unsandboxed) {
      return Error{ErrorCode::unsupported,
                   "this kernel has no Landlock, so operators cannot be kept to their own folders; "
                   "enable it (lsm=landlock,… on the kernel's command line) or let the "
                   "administrator start with --allow-unsandboxed"};
    }
    sandbox.open_ = true;
    return sandbox;
  }
  // Each rule is paid for by each attempt, so a folder within another one gets none.
  std::vector<std::string> folders;
  const auto add = [&](const char* path, std::uint64_t access) {
    std::error_code error;
    const std::string real = std::filesystem::canonical(path, error).string();
    if (error || (access == landlock::reading && lies_in(folders, real))) return;
    UniqueFd fd(::open(path, O_PATH | O_CLOEXEC));
    struct stat found {};
    if (!fd || ::fstat(fd.get(), &found) != 0) return;  // this machine does not have it
    if (S_ISDIR(found.st_mode)) folders.push_back(real);
    if (!S_ISDIR(found.st_mode)) access &= landlock::of_a_file;
    sandbox.system_.push_back({std::move(fd), access & landlock::handled_files(sandbox.abi_)});
  };
  for (const char* path : readable_system) add(path, landlock::reading);
  for (const std::string& path : options.readable) add(path.c_str(), landlock::reading);
  add("/dev/null", landlock::of_a_file);
  TRY(host, compile_filter([&sandbox](const Filter& filter) {
        return add_host_rules(filter, sandbox.abi_);
      }));
  TRY(offline, compile_attempt_filter(false));
  TRY(online, compile_attempt_filter(true));
  sandbox.host_ = std::move(host);
  sandbox.offline_ = std::move(offline);
  sandbox.online_ = std::move(online);
  return sandbox;
}

Result<void> Sandbox::enter(const SandboxPaths& paths) const {
  if (open_) return {};
  TRY_VOID(enter_landlock(paths));
  return install_filter(paths.network ? online_ : offline_);
}

Result<void> Sandbox::enter_host() const {
  if (open_) return {};
  return install_filter(host_);
}

Result<void> Sandbox::enter_landlock(const SandboxPaths& paths) const {
  const std::uint64_t files = landlock::handled_files(abi_);
  const landlock::Ruleset wanted{
      files, paths.network ? 0 : landlock::bind_and_connect_tcp, landlock::scope_sockets_and_signals};
  const UniqueFd ruleset(static_cast<int>(::syscall(SYS_landlock_create_ruleset, &wanted,
                                                    landlock::ruleset_size(abi_), 0u)));
  if (!ruleset) return failed("make a Landlock ruleset");
  for (const SystemPath& path : system_) {
    TRY_VOID(allow_path(ruleset.get(), path.fd.get(), path.access));
  }
  for (const std::string& path : paths.readable) {
    TRY_VOID(allow_path(ruleset.get(), path, landlock::reading & files));
  }
  for (const std::string& path : paths.devices) {
    TRY_VOID(allow_path(ruleset.get(), path, landlock::of_a_file & files));
  }
  for (const std::string& path : paths.writable) TRY_VOID(allow_path(ruleset.get(), path, files));
  for (const std::string& path : paths.writable_plainly) {
    TRY_VOID(allow_path(ruleset.get(), path, files & ~landlock::make_special));
  }
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0u) != 0) {
    return failed("enter the Landlock sandbox");
  }
  return {};
}

Result<void> drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  const __user_cap_data_struct none[2] = {};
  if (::syscall(SYS_capset, &header, none) != 0) return failed("give up capabilities");
  return {};
}

Result<void> forbid_new_privileges() {
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("set no_new_privs");
  return {};
}

}  // namespace pipelined::host
