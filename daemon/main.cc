// pipelined: the daemon.  Reads its words and surroundings, makes the App and runs the loop.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <sstream>

#include "daemon/app.h"
#include "daemon/app_version.h"
#include "daemon/keeping/backup.h"
#include "daemon/keeping/offline.h"
#include "daemon/posix/fault.h"
#include "daemon/posix/sd_notify.h"
#include "dag/spec_words.h"

namespace {

using namespace pipelined;
namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

/// The first of these paths that is there, else the first.
std::string first_existing(const std::vector<fs::path>& paths) {
  std::error_code error;
  for (const fs::path& path : paths) {
    if (fs::exists(path, error)) return path.lexically_normal().string();
  }
  return paths.front().lexically_normal().string();
}

Surroundings read_surroundings() {
  Surroundings around;
  around.home = environment("HOME");
  around.state_home = environment("XDG_STATE_HOME");
  around.runtime_dir = environment("XDG_RUNTIME_DIR");
  std::error_code error;
  around.current_folder = fs::current_path(error).string();
  const fs::path bin = fs::read_symlink("/proc/self/exe", error).parent_path();
  around.worker = first_existing({bin / "pipelined-worker",
                                  bin / ".." / PIPELINED_LIBEXECDIR "/pipelined/pipelined-worker"});
  around.plugins = first_existing({bin / ".." / PIPELINED_LIBDIR "/pipelined/plugins",
                                   bin / ".." / "plugins"});
  cpu_set_t processors;
  CPU_ZERO(&processors);
  if (::sched_getaffinity(0, sizeof processors, &processors) == 0) {
    around.cpus = CPU_COUNT(&processors);
  }
  return around;
}

/// Work on a state whose daemon is stopped, instead of being the daemon.
struct Offline {
  bool fsck = false, deep = false;
  std::string output, secrets, promised, restore;
};

void add_offline(CLI::App& words, Offline& offline) {
  auto* fsck = words.add_flag("--fsck", offline.fsck,
                              "look at all invariants of a stopped daemon's state, tell, end");
  words.add_flag("--deep", offline.deep, "with --fsck: read every byte")->needs(fsck);
  words.add_option("-o,--output", offline.output, "with --fsck: table or json")
      ->needs(fsck)->check(CLI::IsMember({"table", "json"}));
  words.add_option("--restore", offline.restore,
                   "put a backup back into an empty state, verify every byte, end");
  words.add_option("--secrets", offline.secrets,
                   "with --fsck: a file of texts, one a line, that may stand nowhere")->needs(fsck);
  words.add_option("--promised", offline.promised,
                   "with --fsck: a file of runs, a number a line, that callers were told of")
      ->needs(fsck)->check(CLI::ExistingFile);
}

/// What a test asks of the failpoints.
struct FaultWords {
  bool allowed = false, list = false;
};

/// Arms the failpoints that the environment names, if the command line lets it.
Result<void> arm_faults(const FaultWords& words) {
  const std::string text = environment("PIPELINED_FAULT");
  const std::string hits = environment("PIPELINED_FAULT_HITS");
  if (text.empty() && hits.empty()) return {};
  if (!words.allowed) {
    return Error{ErrorCode::invalid,
                 "PIPELINED_FAULT is set, which makes things go wrong on purpose; start with "
                 "--allow-faults if that is meant, else unset it"};
  }
  return fault::arm(text, hits, std::strtoull(environment("PIPELINED_FAULT_SEED").c_str(),
                                              nullptr, 10));
}

void add_options(CLI::App& words, CommandLine& line, FaultWords& faults) {
  words.add_option("--config", line.config, "configuration file (pipelined.toml)");
  words.add_option("--state", line.state, "folder of the database, on a local disk");
  words.add_option("--store", line.store, "folder of artifacts (default: store in --state)");
  words.add_option("--socket", line.socket, "where pipectl finds the daemon");
  words.add_option("--listen", line.listen, "ADDRESS:PORT for HTTP beside the socket");
  words.add_option("--worker", line.worker, "the pipelined-worker program");
  words.add_option("--plugins", line.plugins, "folder with plugins; may be given several times");
  words.add_option("--pipelines", line.pipelines,
                   "folder whose pipeline files are kept applied; may be given several times");
  words.add_option("--log-level", line.log_level, "debug, info, warning or error");
  // For tests; not shown in the help.
  words.add_flag("--allow-faults", faults.allowed)->group("");
  words.add_flag("--list-failpoints", faults.list)->group("");
  words.set_version_flag("--version", std::string("pipelined ") + product_version);
}

/// The configuration file's content, or why the program cannot start with it.
Result<ConfigFile> read_config(const std::string& name, const Surroundings& around) {
  if (name.empty()) return ConfigFile{};
  const std::string path = (fs::path(around.current_folder) / name).lexically_normal().string();
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::io, "cannot read the configuration " + path};
  ConfigFile read = parse_config(text.str(), path);
  if (read.problems.empty()) return read;
  std::string all;
  for (const Diagnostic& problem : read.problems) all += "\n  " + text_of(problem);
  return Error{ErrorCode::invalid, "the configuration has mistakes:" + all};
}

int fail(const Error& error) {
  std::cerr << "pipelined: " << error.message << '\n';
  return error.code == ErrorCode::invalid ? 2 : 1;
}

/// Nobody but root may look into the memory of a process that holds tokens and everybody's data.
void harden() {
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  ::umask(077);
  std::signal(SIGPIPE, SIG_IGN);
}

/// Looks at the state of a stopped daemon; 1 when anything is violated.
int look_at(const Offline& offline, const Config& config) {
  OfflineOptions options{config.state, config.store, offline.deep, {}, {}};
  if (!offline.secrets.empty()) {
    std::ifstream file(offline.secrets);
    for (std::string line; std::getline(file, line);) options.secrets.push_back(line);
    if (file.bad() || options.secrets.empty()) {
      return fail({ErrorCode::io, "cannot read secrets from " + offline.secrets});
    }
  }
  if (!offline.promised.empty()) {
    std::ifstream file(offline.promised);
    for (RunNumber run = 0; file >> run;) options.promised.push_back(run);
    if (!file.eof()) {
      return fail({ErrorCode::invalid, offline.promised + " holds something that is no run's number"});
    }
  }
  const auto report = fsck_offline(options);
  if (!report) return fail(report.error());
  std::cout << (offline.output == "json" ? json_of(*report) : text_of(*report));
  return has_violation(*report) ? 1 : 0;
}

/// Puts a backup back; 1 when something of it is missing.
int restore(const Offline& offline, const Config& config) {
  const auto report = restore_backup({offline.restore, config.state, config.store});
  if (!report) return fail(report.error());
  std::cout << (offline.output == "json" ? json_of(*report) : text_of(*report));
  return has_violation(*report) ? 1 : 0;
}

int run(AppOptions options) {
  Log log(options.config.log_level, !environment("JOURNAL_STREAM").empty());
  boost::asio::io_context loop(1);
  // Before anything starts: a signal during the start must not be lost.
  boost::asio::signal_set ends(loop, SIGTERM, SIGINT), reloads(loop, SIGHUP);
  auto app = App::start(loop, log, std::move(options));
  if (!app) return fail({ErrorCode::io, app.error().message});
  std::function<void()> wait_for_end = [&] {
    ends.async_wait([&](const boost::system::error_code& error, int signal) {
      if (error) return;
      (*app)->stop(signal == SIGTERM);  // a person at a terminal does not want to wait
      wait_for_end();
    });
  };
  std::function<void()> wait_for_reload = [&] {
    reloads.async_wait([&](const boost::system::error_code& error, int) {
      if (error) return;
      (*app)->reload();
      wait_for_reload();
    });
  };
  wait_for_end();
  wait_for_reload();
  loop.run();
  return (*app)->exit_code();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App words("pipelined: an ML pipeline daemon. Ask it with pipectl.");
  AppOptions options;
  FaultWords faults;
  add_options(words, options.line, faults);
  Offline offline;
  add_offline(words, offline);
  try {
    words.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return words.exit(error) == 0 ? 0 : 2;
  }
  if (faults.list) {
    std::cout << fault::list();
    return 0;
  }
  if (auto armed = arm_faults(faults); !armed) return fail(armed.error());
  harden();
  options.surroundings = read_surroundings();
  auto file = read_config(options.line.config, options.surroundings);
  if (!file) return fail(file.error());
  auto config = settle_config(*file, options.line, options.surroundings);
  if (!config) return fail(config.error());
  if (offline.fsck) return look_at(offline, *config);
  if (!offline.restore.empty()) return restore(offline, *config);
  options.config = std::move(*config);
  options.notify_socket = environment("NOTIFY_SOCKET");
  options.watchdog_ms = watchdog_interval_ms(environment("WATCHDOG_USEC"),
                                             environment("WATCHDOG_PID"), ::getpid());
  options.credentials_folder = environment("CREDENTIALS_DIRECTORY");
  return run(std::move(options));
}
