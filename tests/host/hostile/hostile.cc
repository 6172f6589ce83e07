// A plugin whose operator does whatever an operator must not do, as the parameter `what` says.
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "operators/sdk.h"

namespace {

using pipelined::Error;
using pipelined::ErrorCode;
using pipelined::Result;
using pipelined::sdk::Context;

constexpr int report_descriptor = 3;

Result<void> failed(const std::string& what) {
  return Error{ErrorCode::io, what + ": " + std::strerror(errno)};
}

void sleep_for_ever() {
  for (;;) ::pause();
}

/// A process that belongs to no session or group of the attempt's and has the attempt as no parent.
void leave_a_daemon_behind() {
  if (::fork() != 0) return;
  ::setsid();
  if (::fork() != 0) ::_exit(0);
  ::setsid();
  ::prctl(PR_SET_NAME, "left-behind", 0, 0, 0);
  ::signal(SIGTERM, SIG_IGN);
  sleep_for_ever();
}

Result<void> eat_memory(Context& context) {
  std::vector<std::vector<char>> eaten;
  const auto piece = static_cast<std::size_t>(context.integer("piece", 16 << 20));
  for (int i = 0; i < 4096; ++i) {
    eaten.emplace_back(piece, 'x');
    if (context.flag("slowly", false)) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return {};
}

Result<void> print(Context& context) {
  const std::string line(1023, 'p');
  for (std::int64_t i = 0; i < context.integer("kilobytes", 1); ++i) std::puts(line.c_str());
  std::puts("the last line");
  std::fflush(stdout);
  return {};
}

Result<void> open_everything() {
  int count = 0;
  while (::open("/dev/null", O_RDONLY) >= 0) ++count;
  return Error{ErrorCode::io, "no more files after " + std::to_string(count)};
}

Result<void> write_to(const std::string& path) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (fd < 0) return failed("write " + path);
  ::close(fd);
  return {};
}

Result<void> read_from(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY);
  char byte = 0;
  if (fd < 0 || ::read(fd, &byte, 1) < 0) return failed("read " + path);
  ::close(fd);
  return {};
}

Result<void> open_socket(int family) {
  const int fd = ::socket(family, SOCK_STREAM, 0);
  if (fd < 0) return failed("open a socket");
  ::close(fd);
  return {};
}

/// Every process forks as fast as it can, each child into a session of its own.  All together stop
/// at a number that hurts no machine, should no limit hold.
void fork_bomb() {
  constexpr int enough = 150;
  void* const shared =
      ::mmap(nullptr, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  int* const made = static_cast<int*>(shared);
  while (__atomic_add_fetch(made, 1, __ATOMIC_SEQ_CST) < enough) {
    if (::fork() == 0) ::setsid();
  }
  sleep_for_ever();
}

void send_frame(const std::string& json) {
  const auto size = static_cast<std::uint32_t>(json.size());
  const unsigned char head[] = {static_cast<unsigned char>(size >> 24),
                                static_cast<unsigned char>(size >> 16),
                                static_cast<unsigned char>(size >> 8),
                                static_cast<unsigned char>(size)};
  const std::string frame = std::string(reinterpret_cast<const char*>(head), 4) + json;
  if (::write(report_descriptor, frame.data(), frame.size()) < 0) std::perror("write");
}

void send_ended(const std::string& attempt, const std::string& fence, const std::string& outcome) {
  send_frame("{\"ended\":{\"attempt\":\"" + attempt + "\",\"fence\":\"" + fence +
             "\",\"outcome\":\"" + outcome +
             "\",\"error\":null,\"notes\":{},\"metrics\":[],\"outputs\":[],\"requests\":[],"
             "\"usage\":{\"cpu_ms\":0,\"memory_peak_bytes\":0},\"lost\":true}}");
}

/// Files until something stops it; at most `count`, so that no machine is hurt.
Result<void> make_files(Context& context, const std::filesystem::path& folder) {
  const std::int64_t count = context.integer("count", 1000);
  std::filesystem::create_directories(folder);
  for (std::int64_t i = 0; i < count; ++i) {
    TRY_VOID(write_to((folder / std::to_string(i)).string()));
  }
  if (context.flag("slowly", false)) sleep_for_ever();
  return {};
}

/// Writes one file, or many of 1 MiB, until something stops it or `kilobytes` are written.
Result<void> fill(Context& context, bool one_file) {
  const std::string block(1 << 20, 'f');
  int fd = -1;
  for (std::int64_t i = 0; i < context.integer("kilobytes", 1) / 1024; ++i) {
    const auto path = context.scratch_path() / ("fill" + std::to_string(one_file ? 0 : i));
    if (fd < 0) fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (fd < 0 || ::write(fd, block.data(), block.size()) < 0) return failed("fill " + path.string());
    if (!one_file) fd = (::close(fd), -1);
  }
  // Not to be outrun by an operator that is ready before anybody looks.
  if (context.flag("slowly", false)) sleep_for_ever();
  return {};
}

/// An output that is not what it seems.
Result<void> make_output(Context& context, const std::string& kind) {
  const auto target = context.output_path("report") / "report.txt";
  int made = -1;
  if (kind == "symlink") made = ::symlink("/etc/passwd", target.c_str());
  if (kind == "hard link") made = ::link(context.text("path").c_str(), target.c_str());
  if (kind == "device") made = ::mknod(target.c_str(), S_IFCHR | 0600, 0x103);
  if (kind == "pipe") made = ::mkfifo(target.c_str(), 0600);
  return made == 0 ? Result<void>() : failed("make a " + kind);
}

/// Sleeps with every signal blocked that can be.
void sleep_deaf() {
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  sleep_for_ever();
}

std::string list_descriptors() {
  std::string found;
  for (int fd = 0; fd < 4096; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) found += std::to_string(fd) + " ";
  }
  return found;
}

Result<void> describe_surroundings(Context& context) {
  context.note("descriptors", "\"" + list_descriptors() + "\"");
  std::string names;
  for (char** at = environ; *at != nullptr; ++at) {
    names += std::string(*at).substr(0, std::string(*at).find('=')) + " ";
  }
  context.note("environment", "\"" + names + "\"");
  const mode_t mask = ::umask(0);
  context.note("umask", std::to_string(mask));
  rlimit core{};
  ::getrlimit(RLIMIT_CORE, &core);
  context.note("core", std::to_string(core.rlim_cur));
  char byte = 0;
  context.note("stdin", std::to_string(::read(0, &byte, 1)));
  context.note("folder", "\"" + std::filesystem::current_path().string() + "\"");
  return {};
}

Result<void> wait_until_cancelled(Context& context) {
  while (!context.cancelled()) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return Error{ErrorCode::cancelled, "stopped when asked"};
}

/// What ends or never ends; false: `what` is none of these.
bool misbehave(const std::string& what) {
  if (what == "segv") {
    void* const forbidden = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *static_cast<volatile int*>(forbidden) = 1;
  }
  if (what == "raise") ::raise(SIGSEGV);
  if (what == "abort") {
    std::fputs("about to abort\n", stderr);
    std::abort();
  }
  if (what == "exit") ::_exit(42);
  if (what == "hang") {
    ::prctl(PR_SET_NAME, "hanging", 0, 0, 0);
    sleep_for_ever();
  }
  if (what == "ignore") {
    ::signal(SIGTERM, SIG_IGN);
    sleep_for_ever();
  }
  if (what == "bomb") fork_bomb();
  if (what == "sleep") sleep_deaf();
  if (what == "close and hang") {
    ::close(report_descriptor);
    sleep_for_ever();
  }
  if (what == "daemon and hang") {
    leave_a_daemon_behind();
    sleep_for_ever();
  }
  if (what == "throw") throw std::runtime_error("thrown by the operator");
  return false;
}

Result<void> try_system(Context& context, const std::string& what) {
  if (what == "write") return write_to(context.text("path"));
  if (what == "read") return read_from(context.text("path"));
  if (what == "truncate") {
    return ::truncate(context.text("path").c_str(), 0) == 0 ? Result<void>() : failed("truncate");
  }
  if (what == "socket") return open_socket(AF_INET);
  if (what == "unix socket") return open_socket(AF_UNIX);
  if (what == "kill") {
    const auto pid = static_cast<pid_t>(context.integer("pid", 0));
    return ::kill(pid, SIGKILL) == 0 ? Result<void>() : failed("kill");
  }
  if (what == "ptrace") return ::syscall(SYS_ptrace, 0, 0, 0, 0) == 0 ? Result<void>() : failed("ptrace");
  if (what == "unshare") return ::syscall(SYS_unshare, 0x10000000) == 0 ? Result<void>() : failed("unshare");
  if (what == "connect") {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(context.integer("pid", 0)));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0) return failed("open a socket");
    return ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0
               ? Result<void>()
               : failed("connect");
  }
  if (what == "affinity") {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(0, &set);
    return ::sched_setaffinity(0, sizeof set, &set) == 0 ? Result<void>() : failed("take a processor");
  }
  if (what == "processors") {
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) != 0) return failed("count processors");
    context.note("processors", std::to_string(CPU_COUNT(&set)));
    return {};
  }
  if (what == "link log") {
    const auto attempt = context.scratch_path().parent_path();
    return ::symlink("/etc/passwd", (attempt / "log2").c_str()) == 0 ? Result<void>() : failed("link");
  }
  return Error{ErrorCode::invalid, "unknown deed " + what};
}

Result<void> act(Context& context) {
  const std::string what = context.text("what", "nothing");
  if (what == "nothing" || misbehave(what)) return {};
  if (what == "memory") return eat_memory(context);
  if (what == "print") return print(context);
  if (what == "files") return open_everything();
  if (what == "daemon") return leave_a_daemon_behind(), Result<void>();
  if (what == "wait") return wait_until_cancelled(context);
  if (what == "surroundings") return describe_surroundings(context);
  if (what == "lie") return send_ended("another", "0", "OK"), Result<void>();
  if (what == "garbage") return send_frame("{]"), Result<void>();
  if (what == "twice") {
    send_ended(context.text("attempt"), context.text("fence"), "FAILED");
    return {};
  }
  if (what == "old fence") {
    return send_ended(context.text("attempt"), "0123456789abcdef0123456789abcdef", "OK"),
           Result<void>();
  }
  if (what == "huge message") return send_frame(std::string(3 << 20, ' ')), Result<void>();
  if (what == "huge notes") {
    for (int i = 0; i < 64; ++i) {
      context.note("note" + std::to_string(i), "\"" + std::string(1 << 16, 'n') + "\"");
    }
    return {};
  }
  if (what == "many files") return make_files(context, context.scratch_path());
  if (what == "many outputs") return make_files(context, context.output_path("report"));
  if (what == "fill") return fill(context, false);
  if (what == "fill one") return fill(context, true);
  if (what == "symlink" || what == "hard link" || what == "device" || what == "pipe") {
    return make_output(context, what);
  }
  if (what == "close") return ::close(report_descriptor), Result<void>();
  if (what == "progress") {
    for (int i = 1; i <= 3; ++i) context.progress(i, 3);
    return {};
  }
  if (what == "output") {
    std::ofstream(context.output_path("report") / "report.txt") << "made";
    return {};
  }
  return try_system(context, what);
}

constexpr auto act_descriptor =
    pipelined::sdk::describe("hostile.act", 1, "Does what it must not do")
        .output("report", "report/1", "a file", pipelined::sdk::optional)
        .param(pipelined::sdk::text("what", "the deed").standard("nothing"))
        .param(pipelined::sdk::text("path", "of a file").standard(""))
        .param(pipelined::sdk::text("attempt", "whose report to forge").standard(""))
        .param(pipelined::sdk::text("fence", "of that report").standard(""))
        .param(pipelined::sdk::integer("pid", "of a process").standard("0"))
        .param(pipelined::sdk::integer("piece", "bytes to take at once").standard("16777216"))
        .param(pipelined::sdk::integer("count", "of files").standard("1000"))
        .param(pipelined::sdk::flag("slowly", "with pauses").standard("false"))
        .param(pipelined::sdk::integer("kilobytes", "to print").standard("1"));

}  // namespace

PL_PLUGIN("hostile", "1.0", pipelined::sdk::Operator<act_descriptor, act>)
