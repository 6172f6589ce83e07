#include "operators/host/host_command.h"

#include <link.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <iostream>
#include <set>

#include "dag/operator_info.h"
#include "dag/value.h"
#include "operators/host/command_run.h"
#include "operators/host/loader.h"

namespace pipelined::host {
namespace {

constexpr int socket_descriptor = 3;
constexpr rlim_t files_max = 4096;

Result<std::int64_t> parse_number(const std::string& option, const std::string& word) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size() || value <= 0) {
    return Error{ErrorCode::invalid, option + " wants a number above zero, not \"" + word + "\""};
  }
  return value;
}

Result<void> parse_option(HostOptions& options, const std::string& option,
                          const std::string& value) {
  if (option == "--kill-unit") {
    options.kill_unit = parse_kill_unit(value);
    if (options.kill_unit) return {};
    return Error{ErrorCode::invalid, "--kill-unit is pid_namespace, cgroup or subreaper, not " + value};
  }
  if (option == "--cgroup") {
    options.group_folder = value;
    return {};
  }
  if (option == "--read") {
    options.sandbox.readable.push_back(value);
    return {};
  }
  static constexpr std::string_view with_numbers[] = {"--log-bytes", "--processes", "--files",
                                                      "--landlock-abi"};
  if (std::find(std::begin(with_numbers), std::end(with_numbers), option) ==
      std::end(with_numbers)) {
    return Error{ErrorCode::invalid, "unknown option " + option};
  }
  TRY(number, parse_number(option, value));
  if (option == "--landlock-abi") options.sandbox.landlock_abi_max = static_cast<int>(number);
  if (option == "--files") options.limits.files_max = number;
  if (option == "--processes") options.limits.processes_max = number;
  if (option == "--log-bytes") {
    const auto half = static_cast<std::size_t>(number / 2);
    options.limits.log = {half, half};
  }
  return {};
}

/// What attempts inherit and nobody needs to set again for each.
Result<void> narrow_environment() {
  ::syscall(SYS_close_range, socket_descriptor + 1, ~0u, 0u);
  ::clearenv();
  ::setenv("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 1);
  ::setenv("LANG", "C.UTF-8", 1);
  ::setenv("TZ", "UTC", 1);
  ::umask(077);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_max = std::min(files.rlim_max, files_max);
  files.rlim_cur = files.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &files);
  return forbid_new_privileges();
}

/// Folders of all libraries of this process: an attempt may have to load their companions.
std::vector<std::string> library_folders() {
  std::set<std::string> folders;
  ::dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        const std::string path = info->dlpi_name;
        const std::size_t slash = path.rfind('/');
        if (slash != std::string::npos && slash > 0) {
          static_cast<std::set<std::string>*>(data)->insert(path.substr(0, slash));
        }
        return 0;
      },
      &folders);
  return {folders.begin(), folders.end()};
}

wire::Ended run_builtin(const wire::Run& run, Sink&, const std::atomic<bool>&) {
  if (runs_program(run.operator_id)) return run_command(run);
  return plain_report(run, Outcome::unsupported,
                      "there is no built-in operator " + run.operator_id);
}

/// Says why no attempt can be run and ends; the daemon tells it to whoever waits.
int refuse(UniqueFd socket, const std::string& why) {
  if (const auto frame = wire::encode(wire::Refused{why})) {
    ::send(socket.get(), frame->data(), frame->size(), MSG_NOSIGNAL);
  }
  return 1;
}

}  // namespace

Result<HostOptions> parse_host_words(const std::vector<std::string>& words) {
  HostOptions options;
  bool builtin = false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string& word = words[i];
    if (word == "--builtin") {
      builtin = true;
    } else if (word == "--allow-unsandboxed") {
      options.sandbox.allow_unsandboxed = true;
    } else if (word == "--fresh") {
      options.fresh = true;
    } else if (word.starts_with("--")) {
      if (i + 1 == words.size()) return Error{ErrorCode::invalid, word + " wants a value"};
      TRY_VOID(parse_option(options, word, words[++i]));
    } else if (options.plugin.empty()) {
      options.plugin = word;
    } else {
      return Error{ErrorCode::invalid, "one plugin a host; \"" + word + "\" is a second one"};
    }
  }
  if (builtin == !options.plugin.empty()) {
    return Error{ErrorCode::invalid, "name a plugin's file, or say --builtin"};
  }
  return options;
}

int run_host(const HostOptions& options) {
  UniqueFd socket(socket_descriptor);
  const auto kind = enter_guarded_process(options.kill_unit, options.group_folder);
  if (!kind) return refuse(std::move(socket), kind.error().message);
  if (const auto done = narrow_environment(); !done) {
    return refuse(std::move(socket), done.error().message);
  }

  AttemptSetup setup;
  wire::Ready ready;
  setup.runner = run_builtin;
  setup.commands = options.plugin.empty();
  std::optional<LoadedPlugin> plugin;
  // OpenMP reads it while a plugin loads: threads that spin while they wait would take the processors
  // from the attempts beside them.
  ::setenv("OMP_WAIT_POLICY", "passive", 0);
  const auto load = [&]() -> Result<void> {
    TRY(loaded, LoadedPlugin::load(options.plugin));
    plugin.emplace(std::move(loaded));
    if (plugin->info().fork_safe || options.fresh) return {};
    return Error{ErrorCode::unsupported, "it starts threads while it loads, so it has to be loaded "
                                         "anew in each attempt (option --fresh)"};
  };
  if (!options.plugin.empty()) {
    setup.runner = [&](const wire::Run& run, Sink& sink, const std::atomic<bool>& cancelled) {
      return plugin->run(run, sink, cancelled);
    };
    if (options.fresh) {
      setup.load = load;
    } else if (const auto loaded = load(); !loaded) {
      return refuse(std::move(socket), loaded.error().message);
    } else {
      ready = {plugin->info().id, plugin->info().version};
    }
  }

  SandboxOptions walls = options.sandbox;
  for (std::string& folder : library_folders()) walls.readable.push_back(std::move(folder));
  const auto sandbox = Sandbox::prepare(walls);
  if (!sandbox) return refuse(std::move(socket), sandbox.error().message);
  if (const auto done = sandbox->enter_host(); !done) {
    return refuse(std::move(socket), done.error().message);
  }
  auto kill_unit = KillUnit::create(*kind, options.group_folder);
  if (!kill_unit) return refuse(std::move(socket), kill_unit.error().message);

  setup.kill_unit = &*kill_unit;
  setup.sandbox = &*sandbox;
  setup.processes_max = options.limits.processes_max;
  setup.data_base_bytes = data_bytes_now();
  HostLoop loop(std::move(socket), *kill_unit, setup, options.limits);
  loop.say(ready);
  const auto served = loop.serve();
  if (!served) std::cerr << "pipelined-worker host: " << served.error().message << '\n';
  return served ? 0 : 1;
}

std::string probe_json() {
  const int abi = landlock_abi();
  const auto sandbox = Sandbox::prepare({});
  const ValueTable facts{
      {"landlock_abi", abi},
      {"sandbox", sandbox ? Value(true) : Value(sandbox.error().message)},
      {"seccomp", ::prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0},
      {"kill_unit", name_of(best_kill_unit(""))},
      {"uid", static_cast<std::int64_t>(::geteuid())}};
  return canonical(facts);
}

}  // namespace pipelined::host
