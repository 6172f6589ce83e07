#include "operators/host/attempt.h"

#include <fcntl.h>
#include <linux/close_range.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <new>
#include <sstream>

#include "operators/host/gpus.h"
#include "operators/host/verdict.h"

namespace pipelined::host {
namespace {

// A signal handler can reach nothing but a global; it belongs to the one attempt of this process.
std::atomic<bool> cancel_asked{false};

void on_cancel(int) { cancel_asked = true; }

void on_crash(int signal) { ::_exit(crash_status_base + signal); }

void on_out_of_memory() { ::_exit(out_of_memory_status); }

void set_handler(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  ::sigaction(signal, &action, nullptr);
}

void set_signals() {
  set_handler(SIGTERM, on_cancel);
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGSYS, SIGTRAP, SIGXFSZ}) {
    struct sigaction now {};
    // A sanitizer's handler says more than ours.
    if (::sigaction(signal, nullptr, &now) == 0 && now.sa_handler == SIG_DFL) {
      set_handler(signal, on_crash);
    }
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool write_all(int fd, const std::string& bytes) {
  std::size_t at = 0;
  while (at < bytes.size()) {
    const ssize_t put = ::write(fd, bytes.data() + at, bytes.size() - at);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    at += static_cast<std::size_t>(put);
  }
  return true;
}

void send_report(const wire::Run& run, const wire::Ended& ended) {
  auto frame = wire::encode(ended);
  if (!frame) {
    frame = wire::encode(plain_report(
        run, Outcome::failed, "its notes, metrics and requests are larger than a report can be"));
  }
  if (frame) write_all(report_descriptor, *frame);
}

/// Progress goes to the host as frames, lines go to the log as text.
class ReportSink : public Sink {
 public:
  explicit ReportSink(const wire::Run& run) : run_(run) {}

  void progress(std::int64_t done, std::int64_t total) override {
    const auto frame = wire::encode(wire::Progress{run_.attempt, done, total});
    const std::lock_guard lock(sending_);
    if (frame) write_all(report_descriptor, *frame);
  }
  void log(std::int32_t level, std::string_view text) override {
    write_all(STDERR_FILENO, std::string(level_name(level)) + ": " + std::string(text) + "\n");
  }
  void end(const wire::Ended& ended) {
    const std::lock_guard lock(sending_);
    send_report(run_, ended);
  }

 private:
  const wire::Run& run_;
  std::mutex sending_;
};

[[noreturn]] void refuse(const wire::Run& run, const Error& error) {
  send_report(run, plain_report(run, Outcome::unsupported,
                                "the attempt was not started: " + error.message));
  ::_exit(0);
}

Error failed(const std::string& what) {
  return {ErrorCode::io, what + ": " + std::strerror(errno)};
}

Result<void> limit_memory(const AttemptSetup& setup, std::int64_t bytes) {
  if (bytes <= 0) return {};
  // RLIMIT_DATA counts what is asked for, not what is touched, so it stands a little above the limit
  // that the host watches; it stops the one huge request that no sampling would be in time for.
  const auto room = static_cast<rlim_t>(bytes + bytes / 8 + (32 << 20) + setup.data_base_bytes);
  struct rlimit now {};
  ::getrlimit(RLIMIT_DATA, &now);
  const rlim_t value = now.rlim_max == RLIM_INFINITY ? room : std::min(room, now.rlim_max);
  const struct rlimit wanted { value, value };
  if (::setrlimit(RLIMIT_DATA, &wanted) != 0) return failed("limit memory");
  std::set_new_handler(on_out_of_memory);
  return {};
}

Result<void> limit_files(const wire::Limits& limits) {
  if (limits.scratch_bytes <= 0) return {};
  // The one huge file that no looking would be in time for.
  const auto bytes = static_cast<rlim_t>(limits.scratch_bytes);
  const rlimit wanted{bytes, bytes};
  if (::setrlimit(RLIMIT_FSIZE, &wanted) != 0) return failed("limit the size of files");
  return {};
}

/// A group with the controller holds an attempt to its share of time; without one it is kept to as
/// many processors.
Result<void> limit_processors(const wire::Limits& limits) {
  if (limits.processors.empty()) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  for (const int processor : limits.processors) {
    if (processor >= 0 && processor < CPU_SETSIZE) CPU_SET(processor, &set);
  }
  if (::sched_setaffinity(0, sizeof set, &set) != 0) return failed("choose processors");
  return {};
}

Result<void> limit_processes(const AttemptSetup& setup) {
  // Counted by user: only in a user namespace of our own are these the attempts' alone.  Root is
  // exempt; there only the host's sampling counts.
  if (setup.kill_unit->kind() != KillUnitKind::pid_namespace || ::geteuid() == 0) return {};
  rlimit now{};
  ::getrlimit(RLIMIT_NPROC, &now);
  const rlim_t value = std::min(now.rlim_max, static_cast<rlim_t>(setup.processes_max));
  const rlimit wanted{value, value};
  if (::setrlimit(RLIMIT_NPROC, &wanted) != 0) return failed("limit processes");
  return {};
}

Result<void> make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return failed("make the folder " + path);
}

Result<void> enter_folder(const wire::Run& run, bool command) {
  const std::string& folder = command ? run.scratch : run.folder;
  if (command && !run.outputs.empty()) TRY_VOID(make_folder(run.folder + "/out"));
  if (command) TRY_VOID(make_folder(run.scratch));
  if (::chdir(folder.c_str()) != 0) return failed("enter the folder " + folder);
  ::setenv("TMPDIR", folder.c_str(), 1);
  ::setenv("HOME", folder.c_str(), 1);
  for (const auto& [name, value] : gpu_environment(run.limits)) ::setenv(name.c_str(), value.c_str(), 1);
  return {};
}

/// Takes the inputs from the file that the daemon laid beside the frame.
Result<void> load_inputs(wire::Run& run) {
  std::ifstream file(run.inputs_file, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::io, "the list of its inputs cannot be read"};
  return wire::read_inputs(run, text.str());
}

SandboxPaths paths_of(const wire::Run& run, bool command) {
  SandboxPaths paths;
  for (const auto& [port, artifacts] : run.inputs) {
    for (const wire::Input& input : artifacts) paths.readable.push_back(input.path);
  }
  for (const std::string& folder : run.readable) {
    // One that is not there is the operator's to report, in its own words.
    if (::access(folder.c_str(), F_OK) == 0) paths.readable.push_back(folder);
  }
  // The daemon reads the log in the attempt's folder, so nothing may stand there but a plain file.
  if (!command) paths.writable_plainly = {run.folder};
  if (command) paths.writable = {run.scratch};
  if (command && !run.secrets.empty()) paths.readable.push_back(run.folder + "/secrets");
  if (command && !run.outputs.empty()) paths.writable.push_back(run.folder + "/out");
  paths.network = run.network;
  paths.devices = gpu_devices(run.limits);
  return paths;
}

Result<void> set_up(const AttemptSetup& setup, wire::Run& run) {
  if (!run.inputs_file.empty()) TRY_VOID(load_inputs(run));
  TRY_VOID(limit_processors(run.limits));
  TRY_VOID(enter_folder(run, setup.commands));
  if (setup.load) TRY_VOID(setup.load());
  TRY_VOID(setup.sandbox->enter(paths_of(run, setup.commands)));
  // Whoever goes without walls by the administrator's word still has no use for capabilities.
  TRY_VOID(drop_capabilities());
  TRY_VOID(limit_processes(setup));
  TRY_VOID(limit_files(run.limits));
  if (setup.kill_unit->controllers().memory) return {};  // its group has the limit
  return limit_memory(setup, run.limits.memory_bytes);
}

void take_channels(int report, int output) {
  set_signals();
  ::dup2(output, STDOUT_FILENO);
  ::dup2(output, STDERR_FILENO);
  // The programs that a command starts must not get the channel; forks of the operator do, but die.
  ::dup3(report, report_descriptor, O_CLOEXEC);
}

/// From a process that is in its kill unit and has its channels to the end.
[[noreturn]] void live(const AttemptSetup& setup, wire::Run& run) {
  if (const auto done = set_up(setup, run); !done) refuse(run, done.error());
  if (::syscall(SYS_close_range, report_descriptor + 1, ~0u, 0u) != 0) {
    refuse(run, failed("close inherited descriptors"));
  }
  ReportSink sink(run);
  sink.end(setup.runner(run, sink, cancel_asked));
  // No destructors of the host's or the plugin's: they are not this process's to run.
  ::_exit(0);
}

/// The run that comes through the channel; nothing if it closes or something else comes.
std::optional<wire::Run> read_run(int runs) {
  wire::Decoder decoder;
  std::vector<char> chunk(64 * 1024);
  for (;;) {
    const ssize_t got = ::read(runs, chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return std::nullopt;
    decoder.feed({chunk.data(), static_cast<std::size_t>(got)});
    auto message = decoder.next();
    if (!message) return std::nullopt;
    if (!*message) continue;
    auto* run = std::get_if<wire::Run>(&**message);
    return run != nullptr ? std::optional(std::move(*run)) : std::nullopt;
  }
}

}  // namespace

void live_attempt(const AttemptSetup& setup, wire::Run& run, const AttemptGroup& group,
                  int report, int output) {
  take_channels(report, output);
  if (group) {
    if (const auto done = group.enter(); !done) refuse(run, done.error());
  }
  if (const auto done = setup.kill_unit->enter_attempt(); !done) refuse(run, done.error());
  live(setup, run);
}

void await_attempt(const AttemptSetup& setup, int runs, int report, int output) {
  char name[16] = {};
  ::prctl(PR_GET_NAME, name);
  ::prctl(PR_SET_NAME, spare_name);
  take_channels(report, output);
  if (!setup.kill_unit->enter_attempt()) ::_exit(1);
  auto run = read_run(runs);
  if (!run) ::_exit(1);
  ::prctl(PR_SET_NAME, name);
  live(setup, *run);
}

std::int64_t data_bytes_now() {
  char text[256] = {};
  const UniqueFd fd(::open("/proc/self/statm", O_RDONLY | O_CLOEXEC));
  if (!fd || ::read(fd.get(), text, sizeof text - 1) <= 0) return 0;
  long long size = 0, resident = 0, shared = 0, code = 0, library = 0, data = 0;
  if (std::sscanf(text, "%lld %lld %lld %lld %lld %lld", &size, &resident, &shared, &code, &library,
                  &data) != 6) {
    return 0;
  }
  return data * ::sysconf(_SC_PAGESIZE);
}

wire::Ended plain_report(const wire::Run& run, Outcome outcome, std::string error) {
  wire::Ended ended;
  ended.attempt = run.attempt;
  ended.fence = run.fence;
  ended.outcome = outcome;
  ended.error = std::move(error);
  return ended;
}

}  // namespace pipelined::host
