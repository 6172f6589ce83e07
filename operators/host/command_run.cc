#include "operators/host/command_run.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>

#include "operators/command_template.h"
#include "operators/host/gpus.h"
#include "operators/host/verdict.h"
#include "operators/python_call.h"

namespace pipelined::host {
namespace {

namespace fs = std::filesystem;

constexpr int status_retry = 75, status_halt = 65;
constexpr const char* system_path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The path of an artifact for a command: its file if it has exactly one, else its folder.
std::string artifact_path(const std::string& folder) {
  std::error_code error;
  std::string only;
  for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (at->is_directory(error)) continue;
    if (!only.empty()) return folder;
    only = at->path().string();
  }
  return only.empty() ? folder : only;
}

Result<std::vector<std::string>> text_list(const wire::Run& run, const char* name) {
  const auto at = run.parameters.find(name);
  const ValueList* list = at == run.parameters.end() ? nullptr : at->second.as_list();
  if (list == nullptr) {
    return Error{ErrorCode::invalid, std::string(name) + " must be a list of strings"};
  }
  std::vector<std::string> words;
  for (const Value& word : *list) {
    if (word.as_text() == nullptr) {
      return Error{ErrorCode::invalid, std::string(name) + " holds " + kind_name(word) +
                                           " " + canonical(word) + "; every word is a string"};
    }
    words.push_back(*word.as_text());
  }
  return words;
}

CommandPaths paths_of(const wire::Run& run) {
  CommandPaths paths;
  for (const auto& [port, artifacts] : run.inputs) {
    for (const wire::Input& input : artifacts) {
      paths.inputs[port].push_back(artifact_path(input.path));
    }
  }
  for (const auto& [port, output] : run.outputs) paths.outputs[port] = output.path;
  for (const std::string& name : run.secrets) paths.secrets[name] = run.folder + "/secrets/" + name;
  paths.scratch = run.scratch;
  return paths;
}

/// The path of the input named by `stdin`, or of nothing.
Result<std::string> stdin_path(const wire::Run& run, const CommandPaths& paths) {
  const auto at = run.parameters.find("stdin");
  if (at == run.parameters.end()) return std::string("/dev/null");
  const std::string* port = at->second.as_text();
  if (port == nullptr) return Error{ErrorCode::invalid, "stdin must name an input port"};
  const auto found = paths.inputs.find(*port);
  if (found == paths.inputs.end()) return std::string("/dev/null");
  if (found->second.size() != 1 || !fs::is_regular_file(found->second.front())) {
    return Error{ErrorCode::invalid,
                 "stdin names the input \"" + *port + "\", which is not one single file"};
  }
  return found->second.front();
}

/// How many threads a program should start, as OpenMP and the libraries that follow it read it.
std::string threads_of(const wire::Limits& limits) {
  return std::to_string(std::max(1L, std::lround(std::floor(limits.cpus))));
}

Result<std::map<std::string, std::string>> environment_of(const wire::Run& run) {
  std::map<std::string, std::string> environment{
      {"PATH", system_path}, {"LANG", "C.UTF-8"}, {"HOME", run.scratch}, {"TMPDIR", run.scratch},
      {"OMP_NUM_THREADS", threads_of(run.limits)}};
  environment.merge(gpu_environment(run.limits));
  if (run.operator_id == python_operator) {
    environment.insert({{"PYTHONUNBUFFERED", "1"}, {"PYTHONDONTWRITEBYTECODE", "1"},
                        {"PYTHONHASHSEED", "0"}});
  }
  const auto at = run.parameters.find("env");
  if (at == run.parameters.end()) return environment;
  const ValueTable* table = at->second.as_table();
  if (table == nullptr) return Error{ErrorCode::invalid, "env must be a table of strings"};
  for (const auto& [name, value] : *table) {
    if (name.empty() || name.find('=') != std::string::npos) {
      return Error{ErrorCode::invalid, "env holds the name \"" + name + "\", which cannot be one"};
    }
    environment[name] = value.as_text() != nullptr ? *value.as_text() : canonical(value);
  }
  return environment;
}

Result<std::string> find_program(const std::string& name, const std::string& path) {
  if (name.find('/') != std::string::npos) return name;
  for (std::size_t at = 0; at <= path.size();) {
    const std::size_t end = std::min(path.find(':', at), path.size());
    const std::string candidate = path.substr(at, end - at) + "/" + name;
    struct stat found {};
    if (::stat(candidate.c_str(), &found) == 0 && S_ISREG(found.st_mode) &&
        ::access(candidate.c_str(), X_OK) == 0) {
      return candidate;
    }
    at = end + 1;
  }
  return Error{ErrorCode::invalid, "there is no program \"" + name + "\" in " + path};
}

std::vector<char*> pointers_to(std::vector<std::string>& words) {
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  return pointers;
}

struct Command {
  std::string program, stdin_file;
  std::vector<std::string> words, environment;  ///< environment as NAME=value
};

Result<std::vector<std::string>> words_of(const wire::Run& run, const CommandPaths& paths) {
  if (run.operator_id == python_operator) return python_words(run.parameters, paths);
  TRY(argv, text_list(run, "argv"));
  return expand_command(argv, paths);
}

Result<Command> make_command(const wire::Run& run) {
  const CommandPaths paths = paths_of(run);
  TRY(words, words_of(run, paths));
  TRY(environment, environment_of(run));
  TRY(input, stdin_path(run, paths));
  TRY(program, find_program(words.front(), environment["PATH"]));
  Command command{program, input, words, {}};
  for (const auto& [name, value] : environment) command.environment.push_back(name + "=" + value);
  return command;
}

Result<pid_t> start(Command& command) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, command.stdin_file.c_str(), O_RDONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t all;
  sigfillset(&all);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, command.program.c_str(), &actions, &attributes,
                                  pointers_to(command.words).data(),
                                  pointers_to(command.environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == EACCES) {
    return Error{ErrorCode::invalid, "start " + command.program +
                                         ": the sandbox does not let it be read and executed; only "
                                         "the system's folders and the step's inputs can be"};
  }
  if (error != 0) {
    return Error{ErrorCode::invalid, "start " + command.program + ": " + std::strerror(error)};
  }
  return pid;
}

/// Waits for the program and, as their adopter, for every orphan that ends before it.
int wait_for(pid_t program) {
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended == program) return status;
    if (ended < 0 && errno != EINTR) return 0;
  }
}

}  // namespace

wire::Ended run_command(const wire::Run& run) {
  auto command = make_command(run);
  if (!command) return plain_report(run, Outcome::invalid, command.error().message);
  const auto program = start(*command);
  if (!program) return plain_report(run, Outcome::failed, program.error().message);
  const int status = wait_for(*program);
  if (WIFSIGNALED(status)) {
    wire::Ended ended = plain_report(run, Outcome::failed, "");
    ended.signal = WTERMSIG(status);
    return ended;
  }
  const int code = WEXITSTATUS(status);
  wire::Ended ended = plain_report(run,
                                   code == 0              ? Outcome::ok
                                   : code == status_retry ? Outcome::retry
                                   : code == status_halt  ? Outcome::halt
                                                          : Outcome::failed,
                                   code == 0 ? "" : "exit status " + std::to_string(code));
  ended.exit_code = code;
  if (ended.outcome == Outcome::ok || ended.outcome == Outcome::halt) {
    for (const auto& [port, output] : run.outputs) {
      std::error_code error;
      if (fs::exists(fs::symlink_status(output.path, error))) ended.outputs.push_back(port);
    }
  }
  return ended;
}

}  // namespace pipelined::host
