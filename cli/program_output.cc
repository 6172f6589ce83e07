#include "cli/program_output.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char** environ;

namespace pipelined::cli {
namespace {

/// While a program runs, a key that interrupts is for it: it ends its work and says so.
class InterruptionsToTheProgram {
 public:
  InterruptionsToTheProgram() : before_(std::signal(SIGINT, SIG_IGN)) {}
  ~InterruptionsToTheProgram() { std::signal(SIGINT, before_); }
  InterruptionsToTheProgram(const InterruptionsToTheProgram&) = delete;
  InterruptionsToTheProgram& operator=(const InterruptionsToTheProgram&) = delete;

 private:
  void (*before_)(int);
};

std::string read_to_end(int descriptor) {
  std::string text;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

}  // namespace

Result<ProgramEnd> program_output(const std::vector<std::string>& command) {
  const InterruptionsToTheProgram guard;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error{ErrorCode::io, "cannot make a pipe"};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t interruption;
  sigemptyset(&interruption);
  sigaddset(&interruption, SIGINT);
  posix_spawnattr_setsigdefault(&attributes, &interruption);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, words.front(), &actions, &attributes, words.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  ProgramEnd end;
  if (failed == 0) end.text = read_to_end(ends[0]);
  ::close(ends[0]);
  if (failed != 0) {
    return Error{ErrorCode::unavailable, "start " + command.front() + ": " + std::strerror(failed)};
  }
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  end.succeeded = status == 0;
  return end;
}

}  // namespace pipelined::cli
