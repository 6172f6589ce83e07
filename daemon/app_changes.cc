// The App while it changes: configuration and plugins read again, secrets looked up, the end.
#include <algorithm>
#include <fstream>
#include <sstream>
#include <utility>

#include "daemon/app_state.h"

namespace pipelined {
namespace {

using std::chrono::milliseconds;

/// How long a stop waits for killed attempts to be gone.
constexpr milliseconds drain_max{10'000};
/// No secret is larger.
constexpr std::size_t secret_bytes_max = 64 << 10;

}  // namespace

/// The value of a secret, read anew each time so that a changed one is used at once.
Result<std::string> App::State::secret(const std::string& name) {
  const auto found = options.config.secrets.find(name);
  if (found == options.config.secrets.end()) {
    return Error{ErrorCode::not_found, "there is no secret '" + name + "' in the configuration; add "
                                       "it to [secrets] of pipelined.toml"};
  }
  const SecretSource& source = found->second;
  if (!source.credential.empty() && options.credentials_folder.empty()) {
    return Error{ErrorCode::not_found, "the secret '" + name + "' is a credential of the service "
                                       "manager, which gave none; see LoadCredential="};
  }
  const std::string path = source.file.empty() ? options.credentials_folder + "/" + source.credential
                                               : source.file;
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::io, "cannot read the secret '" + name + "' in " + path};
  if (text.str().size() > secret_bytes_max) {
    return Error{ErrorCode::invalid, "the secret '" + name + "' has more than 64 KiB"};
  }
  return text.str();
}

/// Sinks and rules of the configuration, from now on.
void App::State::use_alert_rules() {
  const Config& config = options.config;
  sinks->set_sinks(config.sinks);
  alert_watch->set_rules(config.alerts);
  store->set_sinks({config.sinks.begin(), config.sinks.end()}, alert_watch->router());
}

void App::State::test_sink(const std::string& name, std::function<void(Result<std::string>)> done) {
  const Sink* sink = sinks->find(name);
  if (sink == nullptr) {
    return done(Error{ErrorCode::not_found, "the configuration names no sink " + name});
  }
  Delivery test;
  test.alert.id = "test/" + name + "/" + std::to_string(clock.now().wall_ms);
  test.alert.severity = "info", test.alert.subject = "test";
  test.alert.sentence = "this is a test of the sink " + name;
  test.alert.at = clock.now().wall_ms;
  WebhookRequest request;
  request.sink = name;
  request.idempotency_key = idempotency_key(test.alert.id);
  request.body = message_json(test), request.summary = message_summary(test);
  sinks->send(std::move(request), [name, done = std::move(done)](Result<int> status) {
    if (!status) return done(status.error());
    if (*status >= 200 && *status < 300) return done("The sink " + name + " took the message.");
    done(Error{ErrorCode::unavailable,
               "the sink " + name + " answered with status " + std::to_string(*status)});
  });
}

/// What the configuration says takes effect where it can; a file with mistakes changes nothing.
ReloadOutcome App::State::reload() {
  ReloadOutcome outcome;
  if (stopping) {
    outcome.problems.push_back("the daemon is stopping");
    return outcome;
  }
  notifier.reloading(clock.now().steady_ms * 1000);
  const std::string path = options.config.file;
  if (!path.empty()) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    const ConfigFile read = parse_config(text.str(), path);
    if (!file) outcome.problems.push_back("cannot read the configuration " + path);
    for (const Diagnostic& problem : read.problems) outcome.problems.push_back(text_of(problem));
    auto config = settle_config(read, options.line, options.surroundings);
    if (!config) outcome.problems.push_back(config.error().message);
    const auto policy = config ? socket_policy(*config) : Result<api::SocketPolicy>(config.error());
    if (config && !policy) outcome.problems.push_back(policy.error().message);
    if (outcome.problems.empty()) {
      const ConfigChange change = compare_configs(options.config, *config);
      outcome.changed = change.at_once, outcome.needs_restart = change.at_restart;
      use_config(*config);
      server->set_policy(*policy);
    }
  }
  if (outcome.problems.empty()) outcome.plugins = reload_plugins();
  for (const std::string& why : outcome.problems) log.error("config_refused", {{"why", why}});
  for (const std::string& key : outcome.changed) log.info("config_changed", {{"key", key}});
  for (const std::string& key : outcome.needs_restart) {
    log.warning("config_needs_restart", {{"key", key}});
  }
  log.info("reloaded", {{"file", path.empty() ? "none" : path}});
  say_ready();
  return outcome;
}

void App::State::use_config(const Config& config) {
  options.config = taken_over(options.config, config);
  log.set_level(options.config.log_level);
  folders.set_folders(options.config.pipelines);
  keeper->set_policy(options.config.retention, options.config.collect_hours);
  keeper->set_scrubbing(options.config.scrub);
  use_alert_rules();
  supervisor->post(event::CapacityChanged{options.config.capacity});
  if (auto tokens = good_tokens(); tokens) server->set_tokens(std::move(*tokens));
}

/// New attempts of new runs get the files as they are now; runs that have begun go on in the hosts
/// that they have, whose plugin is the one that their keys speak of.
std::vector<std::string> App::State::reload_plugins() {
  PluginRegistry before = std::exchange(registry, read_plugins(plugin_options()));
  std::vector<std::string> said;
  for (const auto& [name, plugin] : registry.plugins) {
    const auto old = before.plugins.find(name);
    if (old != before.plugins.end() && old->second.digest == plugin.digest) continue;
    said.push_back(name + (old == before.plugins.end() ? " is new" : " has changed") + ", version " +
                   plugin.version);
  }
  for (const auto& [name, plugin] : before.plugins) {
    if (registry.plugins.count(name) == 0) said.push_back(name + " is gone");
  }
  for (const std::string& problem : registry.problems) {
    log.warning("plugin_refused", {{"why", problem}});
  }
  executor->renew_hosts(newest_run(*store, ""));
  if (said.empty()) return said;
  for (const std::string& sentence : said) log.info("plugin_changed", {{"what", sentence}});
  shelf->forget();
  for (const PipelineRow& row : list_pipelines(*store)) {
    if (!row.current) continue;
    auto pipeline = shelf->load(row.version);
    if (pipeline) {
      supervisor->post(event::PipelineApplied{std::move(*pipeline), 0, row.folder});
    } else {
      said.push_back("pipeline " + row.name + " no longer fits: " + pipeline.error().message);
    }
  }
  return said;
}

RunNumber App::State::oldest_open_run() {
  RunNumber oldest = INT64_MAX;
  RunFilter filter;
  filter.limit = view_limit_max;
  for (const RunState state :
       {RunState::queued, RunState::running, RunState::halted, RunState::in_review}) {
    filter.state = state;
    for (const RunView& view : list_runs(*store, filter)) oldest = std::min(oldest, view.row.number);
  }
  return oldest;
}

// ----------------------------------------------------------------------------------- the end

void App::State::begin_stop(bool finish_work, bool patiently) {
  if (std::exchange(stopping, true)) {
    // Whoever asks again does not want to wait: first not for attempts, then not for anything.
    if (killing) return loop.stop();
    return kill_attempts();
  }
  log.info("stopping", {{"attempts", static_cast<std::int64_t>(supervisor->live())}});
  fault::at(fault::Place::stop_begins);
  work_stops = finish_work;
  notifier.stopping();
  deliveries->stop();
  chores_timer.cancel();
  relay_timer.cancel();
  if (!finish_work || !patiently || options.config.drain_ms <= 0 || supervisor->live() == 0) {
    return kill_attempts();
  }
  Capacity closed = options.config.capacity;
  closed.closed = true;
  supervisor->post(event::CapacityChanged{closed});
  finish_attempts(std::chrono::steady_clock::now() + milliseconds(options.config.drain_ms));
}

/// Attempts that run may end by themselves until then; what they made is kept.
void App::State::finish_attempts(std::chrono::steady_clock::time_point until) {
  if (killing) return;
  if (supervisor->live() == 0 || std::chrono::steady_clock::now() >= until) return kill_attempts();
  drain_timer.expires_after(milliseconds(50));
  drain_timer.async_wait([this, until](const boost::system::error_code& error) {
    if (!error) finish_attempts(until);
  });
}

void App::State::kill_attempts() {
  killing = true;
  wake_timer.cancel();
  drain_timer.cancel();
  if (work_stops) supervisor->stop();
  drain(std::chrono::steady_clock::now() + drain_max);
}

void App::State::drain(std::chrono::steady_clock::time_point until) {
  if (!supervisor->draining() || std::chrono::steady_clock::now() >= until) {
    fault::at(fault::Place::stop_drained);
    return loop.stop();
  }
  drain_timer.expires_after(milliseconds(20));
  drain_timer.async_wait([this, until](const boost::system::error_code& error) {
    if (!error) drain(until);
  });
}

}  // namespace pipelined
