// The daemon's configuration: pipelined.toml, the command line over it, and the defaults below both.
//
// Text in, plain values out: this opens no file and reads no environment (Surroundings brings what is
// known of the machine), so that every rule can be tried with a few lines of text.  Unknown keys are
// errors with their place.  Pure functions, any thread.  The keys: docs/deploying.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/api/exchange.h"
#include "daemon/notify/sink.h"
#include "daemon/store/store.h"
#include "dag/alert_rules.h"
#include "dag/engine.h"
#include "dag/result.h"
#include "dag/retention.h"
#include "dag/spec.h"

namespace pipelined {

/// What the defaults hang on.  Empty text: not there.
struct Surroundings {
  std::string home, state_home, runtime_dir;  ///< HOME, XDG_STATE_HOME, XDG_RUNTIME_DIR
  std::string current_folder;                 ///< relative paths of the command line start here
  std::string worker;                         ///< the worker that belongs to this program
  std::string plugins;                        ///< the plugin folder that belongs to this program
  double cpus = 1;                            ///< of the machine, as this process may use them
};

/// What the command line says; empty: nothing.
struct CommandLine {
  std::string config, state, store, socket, listen, worker, log_level;
  std::vector<std::string> plugins, pipelines;
};

/// How much is written to the log.
enum class LogLevel { debug, info, warning, error };
/// "debug", "info", "warning", "error"; nothing otherwise.
std::optional<LogLevel> parse_log_level(std::string_view word);

/// Where the value of a secret is: a file, or a credential of the service manager by its name.
struct SecretSource {
  std::string file, credential;
  bool operator==(const SecretSource&) const = default;
};

/// Everything that the daemon can be told, with absolute paths.
struct Config {
  std::string file;                     ///< where it was read from; empty: nowhere
  std::string state, store, socket;
  std::string listen;                   ///< "127.0.0.1:8080"; empty: the socket alone
  std::string worker;                   ///< the pipelined-worker program
  std::string token_file;               ///< the token that callers of `listen` must show
  std::string group;                    ///< whose members may use the socket as reviewers; empty: none
  std::vector<std::string> hosts;       ///< more names that a Host header may have, lower case
  std::map<std::string, api::Role> users, groups;  ///< who may use the socket as what, by name
  std::vector<std::string> plugins;     ///< folders of plugins
  std::vector<std::string> pipelines;   ///< folders whose *.toml files are kept applied
  Capacity capacity;
  bool sandbox = true;                  ///< false: attempts run without walls where there are none
  std::vector<std::string> readable;    ///< more folders that attempts may read
  std::string kill_unit;                ///< "pid_namespace", "cgroup", "subreaper"; empty: the best
  std::string cgroup;                   ///< folder of cgroup v2 to use; empty: what was delegated
  std::int64_t log_bytes = 2 << 20;     ///< kept of what one attempt prints
  std::vector<Sink> sinks;              ///< where messages go
  std::vector<AlertRule> alerts;        ///< which alerts go where
  std::map<std::string, SecretSource> secrets;  ///< by name; values are read when they are used
  std::int64_t drain_ms = 60'000;       ///< what attempts that run get to finish at a stop
  std::string tls_certificate, tls_key; ///< files; both or none
  LogLevel log_level = LogLevel::info;
  RetentionPolicy retention;
  std::int64_t collect_hours = 0;      ///< between collections; 0: only when asked for
  ScrubPolicy scrub;
};

/// What a configuration file says; fields that it does not set are empty.
struct ConfigFile {
  Config values;
  bool cpus_given = false;
  std::vector<Diagnostic> problems;     ///< every one, in order of place; none: it may be used
};

/// Reads the text of a pipelined.toml.  `path` (absolute) is where it stands: relative paths in it
/// start from its folder.
ConfigFile parse_config(std::string_view text, const std::string& path);

/// File, command line and defaults together.  Errors are sentences: a path too long for a socket,
/// an address that is none, no state folder to be found.
Result<Config> settle_config(const ConfigFile& file, const CommandLine& line,
                             const Surroundings& surroundings);

/// An address of the configuration taken apart.
struct ListenAddress {
  std::string host;
  int port = 0;
  bool loopback = false;
};
/// "127.0.0.1:8080", "[::1]:8080".  Names are not taken: nothing is looked up here.
Result<ListenAddress> parse_listen(const std::string& text);

}  // namespace pipelined
