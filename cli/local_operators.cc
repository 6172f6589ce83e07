#include "cli/local_operators.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>

#include "operators/value_json.h"

extern char** environ;

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

/// The first of these that exists.
std::string first_existing(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    std::error_code error;
    if (fs::exists(path, error)) return path;
  }
  return {};
}

std::string read_all(int descriptor) {
  std::string text;
  std::array<char, 65536> piece{};
  for (;;) {
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0 || text.size() > (std::size_t{16} << 20)) return text;
    text.append(piece.data(), static_cast<std::size_t>(got));
  }
}

/// What the program prints on stdout; its exit status must be 0.
Result<std::string> output_of(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return Error{ErrorCode::io, "cannot make a pipe"};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  std::vector<char*> words;
  for (const std::string& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  pid_t child = 0;
  const int failed =
      ::posix_spawn(&child, words.front(), &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string text;
  if (failed == 0) text = read_all(ends[0]);
  ::close(ends[0]);
  int status = -1;
  if (failed == 0) {
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
  }
  if (failed != 0 || status != 0) {
    return Error{ErrorCode::unavailable, command.front() + " could not describe " + command.back()};
  }
  return text;
}

}  // namespace

Result<LocalPrograms> find_programs(std::string worker, std::string plugins,
                                    const std::string& folder) {
  if (worker.empty()) {
    worker = first_existing({folder + "/pipelined-worker",
                             folder + "/../libexec/pipelined/pipelined-worker"});
  }
  if (plugins.empty()) {
    std::vector<std::string> places = {folder + "/../plugins",
                                       folder + "/../lib/pipelined/plugins"};
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder + "/../lib", error)) {
      places.push_back(entry.path().string() + "/pipelined/plugins");  // lib/<architecture>
    }
    plugins = first_existing(places);
  }
  if (worker.empty()) {
    return Error{ErrorCode::unavailable,
                 "there is no pipelined-worker beside pipectl to run operators or tell what they "
                 "are; name one with PIPELINED_WORKER"};
  }
  return LocalPrograms{std::move(worker), std::move(plugins)};
}

Result<PluginInfo> describe_plugin(const LocalPrograms& programs, const std::string& file) {
  TRY(text, output_of({programs.worker, "describe", file}));
  TRY(value, value_from_json(text));
  return plugin_from_value(value);
}

Result<LocalOperators> describe_local(std::string worker, std::string plugins,
                                      const std::string& folder) {
  TRY(programs, find_programs(std::move(worker), std::move(plugins), folder));
  LocalOperators found;
  OperatorInfo command = command_run_info();
  found.operators[command.id] = std::move(command);
  std::vector<std::string> files;
  std::error_code error;
  if (!programs.plugins.empty()) {
    for (const auto& entry : fs::directory_iterator(programs.plugins, error)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path().string());
    }
  }
  std::sort(files.begin(), files.end());
  for (const std::string& file : files) {
    const auto plugin = describe_plugin(programs, file);
    if (!plugin) {
      found.problems.push_back(file + ": " + plugin.error().message);
      continue;
    }
    for (const OperatorInfo& info : plugin->operators) found.operators[info.id] = info;
  }
  return found;
}

}  // namespace pipelined::cli
