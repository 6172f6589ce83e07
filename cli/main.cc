// pipectl: what the process has, handed to run_pipectl.
#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "cli/parse.h"

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string program_folder() {
  std::array<char, 4096> path{};
  const ssize_t size = ::readlink("/proc/self/exe", path.data(), path.size());
  const std::string text(path.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  return text.substr(0, text.rfind('/'));
}

int terminal_width() {
  winsize size{};
  return ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

}  // namespace

int main(int argc, char** argv) {
  // An interruption ends the client alone, never the run that it waits for.
  std::signal(SIGINT, [](int) { ::_exit(130); });
  std::ios::sync_with_stdio(false);
  const bool is_terminal = ::isatty(STDOUT_FILENO) == 1;
  const bool colour = is_terminal && variable("NO_COLOR").empty() && variable("TERM") != "dumb";
  pipelined::cli::Terminal terminal{std::cout, std::cerr, is_terminal, colour,
                                    is_terminal ? terminal_width() : 0};
  pipelined::cli::Environment environment{
      variable("PIPELINED_SOCKET"), variable("PIPELINED_URL"),     variable("PIPELINED_TOKEN"),
      variable("XDG_RUNTIME_DIR"),  variable("XDG_STATE_HOME"),    variable("HOME"),
      variable("PIPELINED_WORKER"), variable("PIPELINED_PLUGINS"), program_folder(),
      variable("PIPELINED_TOKEN_FILE"), variable("PIPELINED_CA")};
  return pipelined::cli::run_pipectl({argv + 1, argv + argc}, terminal, environment);
}
