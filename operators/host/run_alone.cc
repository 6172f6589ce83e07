#include "operators/host/run_alone.h"

#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <optional>

#include "dag/digest.h"
#include "operators/host/unique_fd.h"
#include "operators/value_json.h"

namespace pipelined::host {
namespace {

namespace fs = std::filesystem;

constexpr int host_socket = 3;
constexpr std::int64_t grace_ms = 3000;

Error wrong(const std::string& sentence) { return {ErrorCode::invalid, sentence}; }

/// "PORT=TYPE:FOLDER" in its parts, the folder absolute.
struct PortWords {
  std::string port, type, folder;
};

Result<PortWords> port_words(const std::string& option, const std::string& word) {
  const std::size_t equals = word.find('='), colon = word.find(':', equals);
  if (equals == std::string::npos || colon == std::string::npos || equals == 0 ||
      colon + 1 == word.size()) {
    return wrong(option + " wants PORT=TYPE:FOLDER, for example examples=examples/1:data, not \"" +
                 word + "\"");
  }
  return PortWords{word.substr(0, equals), word.substr(equals + 1, colon - equals - 1),
                   fs::absolute(word.substr(colon + 1)).lexically_normal().string()};
}

template <class Number>
Result<Number> number_of(const std::string& option, const std::string& word) {
  Number value{};
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error == std::errc() && end == word.data() + word.size() && value >= 0) return value;
  return wrong(option + " wants a number, not \"" + word + "\"");
}

Result<void> take_port(wire::Run& run, const std::string& option, const std::string& word) {
  TRY(words, port_words(option, word));
  if (option == "--output") {
    run.outputs[words.port] = {words.type, words.folder};
    return {};
  }
  if (!fs::is_directory(words.folder)) {
    return Error{ErrorCode::not_found, "input " + words.port + ": there is no folder " + words.folder};
  }
  run.inputs[words.port].push_back({sha256(words.folder).hex(), words.type, words.folder});
  return {};
}

/// Whether the option is one of `run`; all others are the host's.
Result<bool> take_option(wire::Run& run, const std::string& option, const std::string& value) {
  if (option == "--params") {
    auto params = value_from_json(value);
    if (!params) return params.error().within("--params");
    if (params->as_table() == nullptr) return wrong("--params wants one JSON object");
    run.parameters = std::move(*params->as_table());
  } else if (option == "--input" || option == "--output") {
    TRY_VOID(take_port(run, option, value));
  } else if (option == "--cpus") {
    TRY(cpus, number_of<double>(option, value));
    run.limits.cpus = cpus;
  } else if (option == "--memory") {
    TRY(bytes, number_of<std::int64_t>(option, value));
    run.limits.memory_bytes = bytes;
  } else if (option == "--seed") {
    TRY(seed, number_of<std::int64_t>(option, value));
    run.seed = seed;
  } else {
    return false;
  }
  return true;
}

/// A host with the socket to it; it ends when the socket closes.
struct StartedHost {
  UniqueFd socket;
  pid_t pid = 0;
};

Result<StartedHost> start_host(std::vector<std::string> words) {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error{ErrorCode::io, std::string("make a socket pair: ") + std::strerror(errno)};
  }
  StartedHost host{UniqueFd(ends[0]), 0};
  const UniqueFd other(ends[1]);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, other.get(), host_socket);
  // Nothing that the host prints may be taken for the answer; a key pressed at the terminal is for
  // this process, which asks the attempt to end.
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  words.insert(words.begin(), {"pipelined-worker", "host"});
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  char* environment[] = {nullptr};
  const int failed = ::posix_spawn(&host.pid, "/proc/self/exe", &actions, &attributes,
                                   pointers.data(), environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == 0) return host;
  return Error{ErrorCode::io, std::string("start a host: ") + std::strerror(failed)};
}

Result<void> send(int socket, const wire::Message& message) {
  TRY(frame, wire::encode(message));
  std::string_view left = frame;
  while (!left.empty()) {
    const ssize_t put = ::send(socket, left.data(), left.size(), MSG_NOSIGNAL);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return Error{ErrorCode::io, "the host went away"};
    left.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

/// Waits for the end of the attempt; a signal to this process asks it to end.
Result<wire::Ended> await_end(const wire::Run& run, int socket, int signals) {
  wire::Decoder decoder;
  std::vector<char> buffer(64 * 1024);
  for (;;) {
    std::array<pollfd, 2> polled{{{socket, POLLIN, 0}, {signals, POLLIN, 0}}};
    if (::poll(polled.data(), polled.size(), -1) < 0) continue;
    if (polled[1].revents != 0) {
      signalfd_siginfo taken;
      if (::read(signals, &taken, sizeof taken) > 0) {
        TRY_VOID(send(socket, wire::Cancel{run.attempt, grace_ms}));
      }
    }
    if (polled[0].revents == 0) continue;
    const ssize_t got = ::read(socket, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return Error{ErrorCode::unavailable, "the host ended before the attempt did"};
    decoder.feed({buffer.data(), static_cast<std::size_t>(got)});
    for (;;) {
      TRY(message, decoder.next());
      if (!message) break;
      if (auto* ended = std::get_if<wire::Ended>(&*message)) return std::move(*ended);
      if (const auto* refused = std::get_if<wire::Refused>(&*message)) {
        return Error{ErrorCode::unavailable, refused->message};
      }
    }
  }
}

/// The attempt's own folder, gone at the end.
class AttemptFolder {
 public:
  /// Beside the first output, so that outputs can be renamed into their places.
  static Result<AttemptFolder> make(const wire::Run& run) {
    std::error_code error;
    fs::path parent = fs::temp_directory_path(error);
    if (!run.outputs.empty()) parent = fs::path(run.outputs.begin()->second.path).parent_path();
    std::string pattern = (parent / ".pipelined-run-XXXXXX").string();
    if (::mkdtemp(pattern.data()) == nullptr) {
      return Error{ErrorCode::io, "make a folder in " + parent.string() + ": " + std::strerror(errno)};
    }
    return AttemptFolder(pattern);
  }
  AttemptFolder(AttemptFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  AttemptFolder& operator=(AttemptFolder&&) = delete;
  ~AttemptFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit AttemptFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

Result<void> make_places(const wire::Run& run) {
  for (const auto& [port, output] : run.outputs) {
    std::error_code error;
    if (!fs::exists(output.path, error) || fs::is_empty(output.path, error)) continue;
    return Error{ErrorCode::conflict,
                 "output " + port + ": " + output.path + " is there already; name a new folder"};
  }
  return {};
}

/// Moves what was written to where it was asked for.
Result<void> deliver(const std::string& folder, const wire::Run& run) {
  for (const auto& [port, output] : run.outputs) {
    const fs::path made = folder + "/out/" + port;
    std::error_code error;
    if (!fs::exists(made, error)) continue;
    fs::remove(output.path, error);  // an empty folder
    fs::rename(made, output.path, error);
    if (error) fs::copy(made, output.path, fs::copy_options::recursive, error = {});
    if (error) {
      return Error{ErrorCode::io, "put output " + port + " into " + output.path + ": " + error.message()};
    }
  }
  return {};
}

Result<wire::Ended> run_in(const AttemptFolder& folder, const RunAloneOptions& options,
                           int signals) {
  wire::Run run = options.run;
  run.attempt = "alone";
  run.fence = "alone";
  run.folder = folder.path();
  run.scratch = folder.path() + "/scratch";
  run.log = folder.path() + "/log";
  for (auto& [port, output] : run.outputs) {
    output.path = folder.path() + "/out/" + port;
    std::error_code error;
    fs::create_directories(options.host_words.front() == "--builtin"
                               ? fs::path(output.path).parent_path() : fs::path(output.path), error);
  }
  TRY(host, start_host(options.host_words));
  TRY_VOID(send(host.socket.get(), run));
  auto ended = await_end(run, host.socket.get(), signals);
  host.socket.reset();
  while (::waitpid(host.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  return ended;
}

/// What the attempt printed, without the host's last line, which the answer says too.
void show_log(const std::string& folder, bool quiet) {
  std::ifstream file(folder + "/log", std::ios::binary);
  std::string line;
  while (std::getline(file, line)) {
    if (line.starts_with("pipelined: ") && file.peek() == EOF) continue;
    if (quiet && (line.starts_with("info: ") || line.starts_with("debug: "))) continue;
    std::cerr << line << '\n';
  }
}

/// What the attempt said, without what only the daemon needs.
std::string face_of(const wire::Ended& ended) {
  const auto value = value_from_json(wire::to_json(ended));
  ValueTable face = *value->as_table()->at("ended").as_table();
  face.erase("attempt");
  face.erase("fence");
  return json_text(face);
}

int status_of(Outcome outcome) {
  switch (outcome) {
    case Outcome::ok:
    case Outcome::more: return 0;  // its elements are what it says
    case Outcome::halt: return 3;
    case Outcome::cancelled: return 8;
    default: return 1;
  }
}

int refuse(const Error& error) {
  std::cerr << "pipelined-worker run: " << error.message << '\n';
  return 1;
}

}  // namespace

Result<RunAloneOptions> parse_run_words(const std::vector<std::string>& words) {
  RunAloneOptions options;
  std::vector<std::string> names;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--builtin") {
      names.push_back(word);
    } else if (word == "--quiet") {
      options.quiet = true;
    } else if (word == "--fresh" || word == "--allow-unsandboxed") {
      options.host_words.push_back(word);
    } else if (!word.starts_with("--")) {
      names.push_back(word);
    } else if (i + 1 == words.size()) {
      return wrong(word + " wants a value");
    } else {
      TRY(taken, take_option(options.run, word, words[++i]));
      if (!taken) options.host_words.insert(options.host_words.end(), {word, words[i]});
    }
  }
  if (names.size() != 2) return wrong("name a plugin's file (or say --builtin) and an operator");
  options.host_words.insert(options.host_words.begin(), names[0]);
  options.run.operator_id = names[1];
  return options;
}

int run_alone(RunAloneOptions options) {
  sigset_t asked;
  sigemptyset(&asked);
  sigaddset(&asked, SIGINT);
  sigaddset(&asked, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &asked, nullptr);
  const UniqueFd signals(::signalfd(-1, &asked, SFD_CLOEXEC | SFD_NONBLOCK));
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (const auto free = make_places(options.run); !free) return refuse(free.error());
  const auto folder = AttemptFolder::make(options.run);
  if (!folder) return refuse(folder.error());
  const auto ended = run_in(*folder, options, signals.get());
  show_log(folder->path(), options.quiet);
  if (!ended) return refuse(ended.error());
  if (ended->outcome == Outcome::ok || ended->outcome == Outcome::halt) {
    if (const auto done = deliver(folder->path(), options.run); !done) return refuse(done.error());
  }
  std::cout << face_of(*ended) << std::endl;
  return status_of(ended->outcome);
}

}  // namespace pipelined::host
