// The inside of the App: all parts, and what its sources do with them.  Private to daemon/app*.cc.
//
// app.cc puts the parts together and does the work of every day; app_changes.cc reads the configuration
// again, looks secrets up and ends.  Members stand in the order in which they are made.  Loop thread.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "daemon/app.h"
#include "daemon/api/server.h"
#include "daemon/app_access.h"
#include "daemon/app_alerts.h"
#include "daemon/app_backend.h"
#include "daemon/app_deliveries.h"
#include "daemon/app_folders.h"
#include "daemon/app_pipelines.h"
#include "daemon/app_polls.h"
#include "daemon/app_trials.h"
#include "daemon/app_version.h"
#include "daemon/app_watchdog.h"
#include "daemon/artifacts/artifacts.h"
#include "daemon/config_change.h"
#include "daemon/exec/adhoc.h"
#include "daemon/exec/cgroups.h"
#include "daemon/exec/doctor.h"
#include "daemon/exec/local.h"
#include "daemon/exec/plugin_registry.h"
#include "daemon/exec/supervisor.h"
#include "daemon/keeping/keeper.h"
#include "daemon/keeping/wal_watch.h"
#include "daemon/notify/outbox_relay.h"
#include "daemon/notify/sinks.h"
#include "daemon/notify/webhook_client.h"
#include "daemon/posix/fault.h"
#include "daemon/posix/sd_notify.h"
#include "daemon/posix/state_folder.h"
#include "daemon/store/store.h"
#include "daemon/store/tokens.h"
#include "daemon/store/views.h"
#include "daemon/posix/zone_files.h"
#include "dag/spec_words.h"

namespace pipelined {

namespace asio = boost::asio;

/// The clocks of this machine.
class SystemClock : public Clock {
 public:
  Instant now() override {
    const auto ms = [](auto time) {
      return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
    };
    return {ms(std::chrono::system_clock::now()), ms(std::chrono::steady_clock::now())};
  }
};

/// Everything that is alive while the daemon runs.
struct App::State {
  State(asio::io_context& io, Log& logger, AppOptions given)
      : loop(io), log(logger), options(std::move(given)), notifier(options.notify_socket) {}
  ~State() { close(); }

  Result<void> open_parts();
  Result<void> open_server();
  Result<std::vector<api::Token>> good_tokens();
  void note_access(const char* word, const RequestOrigin& origin, const std::string& why);
  Supervisor::Callbacks supervisor_callbacks();
  void make_relay();
  void make_deliveries();
  void make_keeper();
  void make_backend();

  void run_turn();
  void refresh_sources();
  void on_alerts();
  void on_trouble(const std::optional<Error>& trouble);
  void do_chores();
  void look_at_wal();
  void apply_file(const PipelineFile& file);
  void report_file(const PipelineFile& file, const std::vector<Diagnostic>& problems);
  Result<std::string> secret(const std::string& name);
  void use_alert_rules();
  void test_sink(const std::string& name, std::function<void(Result<std::string>)> done);
  ReloadOutcome reload();
  std::vector<std::string> reload_plugins();
  void use_config(const Config& config);
  PluginOptions plugin_options() const;
  RunNumber oldest_open_run();
  void begin_stop(bool finish_work, bool patiently);
  void finish_attempts(std::chrono::steady_clock::time_point until);
  void kill_attempts();
  void drain(std::chrono::steady_clock::time_point until);
  void close();

  void post(std::function<void()> task) { asio::post(loop, std::move(task)); }
  void say_ready();

  asio::io_context& loop;
  Log& log;
  AppOptions options;
  ServiceNotifier notifier;
  SystemClock clock;
  ZoneFiles zones;
  std::unique_ptr<StateFolder> folder;
  std::unique_ptr<Store> store;
  std::unique_ptr<Artifacts> artifacts;
  PluginRegistry registry;
  Cgroups cgroups;
  std::unique_ptr<LocalExecutor> executor;
  std::unique_ptr<PipelineShelf> shelf;
  std::unique_ptr<Supervisor> supervisor;
  std::unique_ptr<AdHoc> adhoc;
  std::unique_ptr<AdHoc> poll_attempts;  ///< made after `adhoc`, so gone before it
  std::unique_ptr<Polls> polls;
  std::unique_ptr<Trials> trials;
  std::unique_ptr<WebhookClient> webhooks;
  std::unique_ptr<CommandSink> commands;
  std::unique_ptr<Sinks> sinks;
  std::unique_ptr<AlertWatch> alert_watch;
  std::unique_ptr<OutboxRelay> relay;
  std::unique_ptr<Deliveries> deliveries;
  std::unique_ptr<Keeper> keeper;
  WalWatch wal_watch;
  std::unique_ptr<DaemonBackend> backend;
  std::unique_ptr<api::Server> server;
  std::unique_ptr<Watchdog> watchdog;
  PipelineFolders folders{{}};
  std::map<std::string, std::string> pipeline_of_file;  ///< path → name, of files applied before
  asio::steady_timer wake_timer{loop}, relay_timer{loop}, chores_timer{loop}, drain_timer{loop};
  std::int64_t last_alert_seq = 0;
  bool sources_missing = false;    ///< a pipeline in force could not be read, so is not watched
  bool stopping = false, killing = false;
  bool work_stops = false;         ///< what waits is finished before attempts are killed
  int chores_rounds = 0;
  int exit_code = 0;
};

}  // namespace pipelined
