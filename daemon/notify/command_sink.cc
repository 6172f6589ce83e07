#include "daemon/notify/command_sink.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <list>
#include <thread>
#include <utility>

namespace pipelined {
namespace {

using Clock = std::chrono::steady_clock;

int milliseconds_to(Clock::time_point until) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
  return static_cast<int>(std::max<std::int64_t>(0, std::min<std::int64_t>(left.count(), 100)));
}

Result<pid_t> start(CommandRun& command, int input) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK |
                                            POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> environment = {"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8",
                                          "PIPELINED_ALERT_ID=" + command.alert_id,
                                          "PIPELINED_ALERT_SINK=" + command.sink,
                                          "PIPELINED_ALERT_SUMMARY=" + command.summary};
  std::vector<char*> words, variables;
  for (std::string& word : command.argv) words.push_back(word.data());
  for (std::string& variable : environment) variables.push_back(variable.data());
  words.push_back(nullptr);
  variables.push_back(nullptr);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, command.argv.front().c_str(), &actions, &attributes,
                                  words.data(), variables.data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return Error{ErrorCode::io, "start " + command.argv.front() + ": " + std::strerror(error)};
  }
  return pid;
}

/// Writes what fits; true: all of it was written, or nobody reads.
bool feed(int pipe, std::string_view& rest) {
  while (!rest.empty()) {
    const ssize_t put = ::write(pipe, rest.data(), rest.size());
    if (put < 0 && errno == EAGAIN) return false;
    if (put <= 0) return true;
    rest.remove_prefix(static_cast<std::size_t>(put));
  }
  return true;
}

Result<int> run_to_end(CommandRun command, const std::atomic<bool>& stopping) {
  // A program that does not read its input is no reason for this process to die.
  sigset_t broken_pipe;
  sigemptyset(&broken_pipe);
  sigaddset(&broken_pipe, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &broken_pipe, nullptr);
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error{ErrorCode::io, std::string("make a pipe: ") + std::strerror(errno)};
  }
  const auto pid = start(command, ends[0]);
  ::close(ends[0]);
  if (!pid) {
    ::close(ends[1]);
    return pid.error();
  }
  ::fcntl(ends[1], F_SETFL, O_NONBLOCK);
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0u));
  const auto until = Clock::now() + std::chrono::milliseconds(command.timeout_ms);
  std::string_view rest = command.input;
  bool fed = false, ended = false;
  while (!ended && !stopping && Clock::now() < until) {
    if (!fed && feed(ends[1], rest)) {
      fed = true;
      ::close(ends[1]);
    }
    pollfd look[2] = {{process, POLLIN, 0}, {fed ? -1 : ends[1], POLLOUT, 0}};
    ::poll(look, 2, milliseconds_to(until));
    siginfo_t info{};
    ended = ::waitid(P_PID, static_cast<id_t>(*pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid == *pid;
  }
  if (!fed) ::close(ends[1]);
  // Also what a program that has ended left behind in its group.
  ::kill(-*pid, SIGKILL);
  int status = 0;
  ::waitpid(*pid, &status, 0);
  if (process >= 0) ::close(process);
  if (!ended) return Error{ErrorCode::unavailable, command.argv.front() + " did not end in time"};
  if (WIFSIGNALED(status)) {
    return Error{ErrorCode::unavailable, command.argv.front() + " was killed by signal " +
                                             std::to_string(WTERMSIG(status))};
  }
  return WEXITSTATUS(status);
}

}  // namespace

struct CommandSink::State {
  std::function<void(std::function<void()>)> post;
  std::atomic<bool> stopping{false};
  std::list<std::thread> threads;   ///< of the loop thread
  bool alive = true;                ///< of the loop thread
};

CommandSink::CommandSink(std::function<void(std::function<void()>)> post)
    : state_(std::make_shared<State>()) {
  state_->post = std::move(post);
}

CommandSink::~CommandSink() {
  state_->alive = false;
  state_->stopping = true;
  for (std::thread& thread : state_->threads) thread.join();
  state_->threads.clear();
}

void CommandSink::run(CommandRun command, std::function<void(Result<int>)> done) {
  State& state = *state_;
  const auto at = state.threads.emplace(state.threads.end());
  *at = std::thread([keep = state_, at, command = std::move(command), done = std::move(done)] {
    Result<int> outcome = run_to_end(command, keep->stopping);
    keep->post([keep, at, done, outcome = std::move(outcome)] {
      if (!keep->alive) return;
      at->join();
      keep->threads.erase(at);
      done(outcome);
    });
  });
}

}  // namespace pipelined
