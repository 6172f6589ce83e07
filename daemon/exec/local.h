// Runs attempts on this machine, in hosts of pipelined-worker.
//
// One host a plugin (and one for the built-in operators) is started when it is first needed and
// again when it has died; it forks a process an attempt.  Messages of a turn go to a host in one
// write, answers are read in bulk.  A host that dies takes its attempts with it: they are reported
// lost when no process of theirs is left.  Hosts die with the daemon.  Timeouts, retries and how many
// attempts run at once are not decided here.  Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "daemon/exec/cgroups.h"
#include "daemon/ports.h"

namespace boost::asio {
class io_context;
}

namespace pipelined {

/// How hosts are started.
struct LocalOptions {
  std::string worker;  ///< path of pipelined-worker
  /// The file of a plugin by its name; nothing: no such plugin is installed.
  std::function<std::optional<std::string>(const std::string& plugin)> plugin_path;
  /// Whether a plugin can be loaded once and forked (PluginInfo::fork_safe); empty: all can.
  std::function<bool(const std::string& plugin)> fork_safe;
  /// The value of a secret by its name; empty: there are none.
  std::function<Result<std::string>(const std::string& name)> secret;
  bool allow_unsandboxed = false;       ///< the administrator's word
  std::string kill_unit;                ///< "pid_namespace", "cgroup", "subreaper"; empty: the best
  Cgroups* cgroups = nullptr;           ///< outlives the executor; null: attempts have no groups
  std::vector<std::string> readable;    ///< more folders that attempts may read
  std::vector<std::string> extra_words; ///< more options of `pipelined-worker host`
  std::int64_t log_bytes_max = 2 << 20; ///< of one attempt's log
};

class LocalExecutor : public Executor {
 public:
  /// `loop` must outlive the executor.
  LocalExecutor(boost::asio::io_context& loop, LocalOptions options);
  /// Ends every host and with it every attempt; nothing is reported.  Waits until they are gone.
  ~LocalExecutor() override;

  void start(AttemptPlan plan) override;
  void kill(const std::string& attempt, std::int64_t grace_ms, const std::string& why) override;

  /// Attempts of runs after `last_run` get new hosts, with plugins as they are on the disk now; those
  /// of earlier runs go on in the hosts that they have.
  void renew_hosts(RunNumber last_run);
  /// Whether there are hosts of earlier runs.
  bool has_old_hosts() const;
  /// Lets hosts go that no run will need any more: all of `oldest_open` and later use newer ones.
  void retire_hosts(RunNumber oldest_open);

  /// Process ids of the hosts' guardians, for `doctor` and tests.
  std::vector<int> host_pids() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pipelined
