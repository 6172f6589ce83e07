#include "daemon/app.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "daemon/app_state.h"

namespace pipelined {
namespace {

using std::chrono::milliseconds;

/// Between two rounds of small work: files to try again, pipeline folders, the list of files taken.
constexpr milliseconds chores_interval{1000};
/// Between two looks at the conditions of alert rules, in rounds of chores.
constexpr int alert_look_rounds = 5;

std::uint64_t entropy() {
  std::uint64_t bits = 0;
  CHECK(::getrandom(&bits, sizeof bits, 0) == static_cast<ssize_t>(sizeof bits));
  return bits;
}

Result<std::string> read_secret(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  if (!file) return Error{ErrorCode::io, "cannot read the token in " + path};
  std::string secret = text.str();
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  return secret;
}

}  // namespace

// ---------------------------------------------------------------------------------- the start

Result<std::unique_ptr<App>> App::start(asio::io_context& loop, Log& log, AppOptions options) {
  auto state = std::make_unique<State>(loop, log, std::move(options));
  TRY_VOID(state->open_parts());
  state->make_relay();
  state->make_deliveries();
  state->make_keeper();
  state->make_backend();
  TRY_VOID(state->supervisor->start(state->options.config.capacity));
  fault::at(fault::Place::start_recovered);
  state->refresh_sources();
  TRY_VOID(state->open_server());
  state->folders.set_folders(state->options.config.pipelines);
  state->watchdog = std::make_unique<Watchdog>(loop, *state->artifacts, state->notifier,
                                               state->options.watchdog_ms);
  fault::at(fault::Place::start_ready);
  state->say_ready();
  state->post([inside = state.get()] {
    inside->relay->pump();
    inside->do_chores();
  });
  return std::unique_ptr<App>(new App(std::move(state)));
}

PluginOptions App::State::plugin_options() const {
  PluginOptions plugins;
  plugins.folders = options.config.plugins;
  plugins.worker = options.config.worker;
  plugins.cache = options.config.state + "/plugins";
  return plugins;
}

Result<void> App::State::open_parts() {
  const Config& config = options.config;
  auto taken = StateFolder::take(config.state);
  if (!taken) return taken.error();
  folder = std::make_unique<StateFolder>(std::move(*taken));
  fault::at(fault::Place::start_locked);

  StoreOptions store_options;
  store_options.path = config.state + "/state.db";
  store_options.sinks.assign(config.sinks.begin(), config.sinks.end());
  store_options.product_version = product_version;
  TRY(opened_store, Store::open(store_options));
  store = std::move(opened_store);
  fault::at(fault::Place::start_store);

  TRY_VOID(make_private_folder(config.store));
  ArtifactsOptions artifact_options;
  artifact_options.folder = config.store;
  artifact_options.post = [this](std::function<void()> task) { post(std::move(task)); };
  artifact_options.find_manifest = [this](const Digest& digest) {
    return store->find_manifest(digest);
  };
  TRY(opened_artifacts, Artifacts::open(artifact_options));
  artifacts = std::move(opened_artifacts);
  fault::at(fault::Place::start_artifacts);
  store->set_objects(artifacts.get());

  registry = read_plugins(plugin_options());
  for (const std::string& problem : registry.problems) {
    log.warning("plugin_refused", {{"why", problem}});
  }

  LocalOptions local;
  local.worker = config.worker;
  local.plugin_path = [this](const std::string& plugin) { return registry.path_of(plugin); };
  local.fork_safe = [this](const std::string& plugin) {
    const auto found = registry.plugins.find(plugin);
    return found == registry.plugins.end() || found->second.fork_safe;
  };
  local.secret = [this](const std::string& name) { return secret(name); };
  local.allow_unsandboxed = !config.sandbox;
  local.readable = config.readable;
  local.log_bytes_max = config.log_bytes;
  cgroups = Cgroups::enter(config.cgroup);
  log.info("cgroups", {{"where", cgroups.words()}, {"used", cgroups.available()}});
  local.cgroups = &cgroups;
  local.kill_unit = config.kill_unit;
  executor = std::make_unique<LocalExecutor>(loop, std::move(local));

  shelf = std::make_unique<PipelineShelf>(
      *artifacts, [this]() -> const OperatorSet& { return registry.operators; },
      [this](const Digest& digest) { return store->find_manifest(digest); }, &zones);
  supervisor = std::make_unique<Supervisor>(clock, *store, *artifacts, *executor,
                                            supervisor_callbacks());
  const AdHoc::After after = [this](std::int64_t ms, std::function<void()> task) {
    auto timer = std::make_shared<asio::steady_timer>(loop, milliseconds(ms));
    timer->async_wait([timer, task = std::move(task)](const boost::system::error_code& error) {
      if (!error) task();
    });
  };
  adhoc = std::make_unique<AdHoc>(clock, *artifacts, *executor, after);
  poll_attempts = std::make_unique<AdHoc>(clock, *artifacts, *executor, after, "P0LLS");
  polls = std::make_unique<Polls>(*poll_attempts, *artifacts, [this](Event event) {
    return supervisor->post(std::move(event));
  });
  trials = std::make_unique<Trials>(*store, *artifacts, *shelf, registry, *adhoc);
  return {};
}

Supervisor::Callbacks App::State::supervisor_callbacks() {
  Supervisor::Callbacks calls;
  calls.reply = [this](const effect::Reply& reply) {
    fault::at(fault::Place::reply_send);
    backend->on_reply(reply);
    fault::at(fault::Place::reply_sent);
  };
  calls.applied = [this](const Event& event, const effect::Reply* reply) {
    backend->on_applied(event, reply);
  };
  calls.alerts_queued = [this] { post([this] { on_alerts(); }); };
  calls.run_changed = [this](const effect::RunChanged& changed) {
    log.info("run_changed", {{"run", changed.run},
                             {"pipeline", changed.pipeline},
                             {"state", name_of(changed.state)}});
    backend->publish({BackendEvent::Kind::run, changed.pipeline, changed.run,
                      name_of(changed.state), {}});
  };
  calls.sources_changed = [this] { post([this] { refresh_sources(); }); };
  calls.start_poll = [this](effect::StartPoll wish) { polls->start(std::move(wish)); };
  calls.wake = [this](std::optional<std::int64_t> at) {
    if (!at) return void(wake_timer.cancel());
    wake_timer.expires_at(std::chrono::steady_clock::time_point(milliseconds(*at)));
    wake_timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) run_turn();
    });
  };
  calls.post_turn = [this] { post([this] { run_turn(); }); };
  calls.load_pipeline = [this](const std::string&, const Digest& version) {
    return shelf->load(version);
  };
  calls.zones = &zones;
  calls.entropy = entropy;
  calls.note = [this](const char* word, const std::string& sentence) {
    log.warning(word, {{"what", sentence}});
  };
  calls.trouble = [this](const std::optional<Error>& trouble) { on_trouble(trouble); };
  return calls;
}

void App::State::make_relay() {
  const auto to_loop = [this](std::function<void()> task) { post(std::move(task)); };
  webhooks = std::make_unique<WebhookClient>(to_loop);
  commands = std::make_unique<CommandSink>(to_loop);
  sinks = std::make_unique<Sinks>(
      *webhooks, *commands,
      Sinks::Doors{[this](const std::string& name) { return secret(name); },
                   [this] { return clock.now().wall_ms; }, to_loop});
  AlertWatch::Doors doors;
  doors.post = [this](Event event) { supervisor->post(std::move(event)); };
  doors.queued = [this] { relay->pump(); };
  doors.free_bytes = free_bytes_of;
  doors.sources = [this] {
    std::vector<std::pair<std::string, std::string>> names;
    for (const WatchedSource& one : deliveries->sources()) names.emplace_back(one.pipeline, one.source);
    for (const QueriedSource& one : deliveries->queried()) names.emplace_back(one.pipeline, one.source);
    return names;
  };
  alert_watch = std::make_unique<AlertWatch>(*store, clock, options.config.store, std::move(doors));
  use_alert_rules();
  OutboxRelay::Callbacks calls;
  calls.wake = [this](std::optional<TimeMs> at) {
    if (!at) return void(relay_timer.cancel());
    relay_timer.expires_after(milliseconds(std::max<TimeMs>(0, *at - clock.now().wall_ms)));
    relay_timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) relay->pump();
    });
  };
  calls.note = [this](const char* word, const Delivery& delivery, const std::string& why) {
    log.info("alert_delivery", {{"outcome", word},
                                {"alert", delivery.alert.id},
                                {"sink", delivery.sink},
                                {"try", delivery.tries},
                                {"why", why}});
  };
  relay = std::make_unique<OutboxRelay>(*store, *sinks, clock, std::move(calls));
}

void App::State::make_deliveries() {
  Deliveries::Callbacks calls;
  calls.post = [this](Event event) { return supervisor->post(std::move(event)); };
  calls.note = [this](const char* word, const std::string& pipeline, const std::string& source,
                      const std::string& sentence) {
    log.info(word, {{"pipeline", pipeline}, {"source", source}, {"what", sentence}});
    backend->publish({BackendEvent::Kind::source, pipeline, 0, source, sentence});
  };
  deliveries = std::make_unique<Deliveries>(loop, *store, *artifacts, options.config.state,
                                            std::move(calls));
}

void App::State::make_keeper() {
  Keeper::Parts parts{*store, *artifacts, options.config.state, options.config.store, nullptr,
                      nullptr, nullptr, options.config.retention,
                      options.config.collect_hours, options.config.scrub, nullptr};
  parts.corrupt_found = [this](const Digest& artifact, const std::string& sentence) {
    event::TroubleFound trouble;
    trouble.id = "artifact/" + artifact.hex() + "/corrupt/" + std::to_string(clock.now().wall_ms);
    trouble.subject = "artifact " + artifact.brief(), trouble.severity = "error";
    trouble.sentence = sentence;
    supervisor->post(std::move(trouble));
  };
  parts.now = [this] { return clock.now().wall_ms; };
  parts.post = [this](std::function<void()> task) { post(std::move(task)); };
  parts.live = [this] {
    LiveFacts facts;
    facts.process = ::getpid();
    for (std::string& attempt : supervisor->live_attempts()) facts.attempts.insert(std::move(attempt));
    return facts;
  };
  keeper = std::make_unique<Keeper>(std::move(parts));
}

void App::State::make_backend() {
  BackendParts parts{*store,   *artifacts, *supervisor,
                     *shelf,   *deliveries, registry, *trials,
                     clock,    [this](std::function<void()> task) { post(std::move(task)); },
                     nullptr,  nullptr, nullptr, nullptr, nullptr, nullptr, nullptr,
                     *keeper};
  parts.reload = [this] { return reload(); };
  parts.secret = [this](const std::string& name) { return secret(name); };
  parts.test_sink = [this](const std::string& name, std::function<void(Result<std::string>)> done) {
    test_sink(name, std::move(done));
  };
  parts.tokens_changed = [this] {
    if (auto tokens = good_tokens(); tokens && server) server->set_tokens(std::move(*tokens));
  };
  parts.note = [this](const char* word, const RequestOrigin& origin, const std::string& why) {
    note_access(word, origin, why);
  };
  parts.add_figures = [this](DaemonFigures& figures) {
    const auto count = [&figures](const char* name, std::int64_t value) {
      figures.counters.emplace_back(name, static_cast<double>(value));
    };
    count("alerts_delivered_total", relay->delivered());
    count("alerts_not_delivered_total", relay->failed());
    const PromotionCounts promoted = artifacts->promotion_counts();
    count("promotion_batches_total", promoted.batches);
    count("promoted_files_total", promoted.files);
    count("promoted_bytes_total", promoted.bytes);
  };
  parts.doctor = [this] {
    const Config& config = options.config;
    std::vector<DoctorLine> lines;
    const DoctorOptions asked{config.worker, config.state, config.store, &cgroups,
                              config.kill_unit};
    for (const DoctorFact& fact : examine_machine(asked)) {
      lines.push_back({fact.name, fact.good ? "ok" : "warning", fact.value, fact.advice});
    }
    for (const std::string& problem : registry.problems) {
      lines.push_back({"plugin", "warning", problem, "it is not used"});
    }
    return lines;
  };
  backend = std::make_unique<DaemonBackend>(std::move(parts));
}

/// The token of the configuration or the service's credential, and those that somebody made.
Result<std::vector<api::Token>> App::State::good_tokens() {
  std::vector<api::Token> tokens;
  std::string token_file = options.config.token_file;
  if (token_file.empty() && !options.credentials_folder.empty()) {
    token_file = options.credentials_folder + "/api-token";
    if (::access(token_file.c_str(), R_OK) != 0) token_file.clear();
  }
  if (!token_file.empty()) {
    TRY(secret, read_secret(token_file));
    TRY(token, api::make_token("api-token", secret, api::Role::reviewer));
    tokens.push_back(std::move(token));
  }
  for (const TokenRow& row : list_tokens(*store)) {
    const auto role = api::parse_role(row.role);
    if (role && row.revoked_at == 0) tokens.push_back({row.name, row.digest, *role, row.expires_at});
  }
  return tokens;
}

void App::State::note_access(const char* word, const RequestOrigin& origin,
                             const std::string& why) {
  log.warning(word, {{"who", origin.who},
                     {"role", origin.role},
                     {"from", origin.from},
                     {"action", origin.action},
                     {"why", why}});
}

Result<void> App::State::open_server() {
  const Config& config = options.config;
  api::ServerOptions listening;
  listening.socket_path = config.socket;
  TRY(policy, socket_policy(config));
  listening.policy = std::move(policy);
  listening.hosts = config.hosts;
  listening.wall_ms = [this] { return clock.now().wall_ms; };
  const std::size_t slash = config.socket.rfind('/');
  TRY_VOID(make_private_folder(config.socket.substr(0, slash)));
  if (!config.listen.empty()) {
    TRY(address, parse_listen(config.listen));
    listening.listen_address = address.host;
    listening.listen_port = static_cast<std::uint16_t>(address.port);
    listening.tls_certificate = config.tls_certificate, listening.tls_key = config.tls_key;
  }
  TRY(tokens, good_tokens());
  listening.tokens = std::move(tokens);
  TRY(started, api::Server::start(loop, *backend, std::move(listening)));
  server = std::move(started);
  return {};
}

void App::State::say_ready() {
  const Config& config = options.config;
  const std::string port = config.listen.empty() ? "" : std::to_string(server->port());
  log.info("ready", {{"version", product_version},
                     {"state", config.state},
                     {"store", config.store},
                     {"socket", config.socket},
                     {"listen", config.listen.substr(0, config.listen.rfind(':') + 1) + port},
                     {"operators", static_cast<std::int64_t>(registry.operators.size())}});
  notifier.ready("answering on " + config.socket);
}

// ---------------------------------------------------------------------------------- the work

void App::State::run_turn() {
  const std::int64_t failed_before = supervisor->counters().commits_failed;
  supervisor->turn();
  fault::at(fault::Place::turn_performed);
  if (stopping) return;
  deliveries->after_turn(supervisor->engine() != nullptr &&
                         supervisor->counters().commits_failed == failed_before);
}

void App::State::refresh_sources() {
  if (stopping) return;
  sources_missing = false;
  std::vector<std::pair<std::shared_ptr<const Pipeline>, std::string>> in_force;
  for (const PipelineRow& row : list_pipelines(*store)) {
    if (!row.current) continue;
    // What the engine does not know it cannot take: those files stay untouched until it does.
    if (!supervisor->knows(row.name)) continue;
    auto pipeline = shelf->load(row.version);
    if (!pipeline) {
      sources_missing = true;
      log.error("pipeline_lost", {{"pipeline", row.name}, {"why", pipeline.error().message}});
      continue;
    }
    in_force.emplace_back(std::move(*pipeline), row.folder);
  }
  deliveries->set_pipelines(in_force);
}

void App::State::on_alerts() {
  if (stopping) return;
  relay->pump();
  AlertFilter filter;
  filter.limit = 100;
  std::vector<AlertView> fresh = list_alerts(*store, filter);
  std::reverse(fresh.begin(), fresh.end());
  for (const AlertView& alert : fresh) {
    if (alert.row.seq <= last_alert_seq) continue;
    last_alert_seq = alert.row.seq;
    log.warning("alert", {{"id", alert.row.id}, {"what", alert.row.sentence}});
    backend->publish({BackendEvent::Kind::alert, alert.row.pipeline, alert.row.run, {},
                      alert.row.sentence});
  }
}

void App::State::on_trouble(const std::optional<Error>& trouble) {
  if (!trouble) return notifier.status("answering on " + options.config.socket);
  log.error("read_only", {{"why", trouble->message}});
  notifier.status("only reads are answered: " + trouble->message);
  const bool disk_failed = trouble->code == ErrorCode::io || trouble->code == ErrorCode::corrupt;
  if (!disk_failed) return;
  // What a failed write left on the disk is known only to a new start.
  exit_code = 1;
  post([this] { begin_stop(false, false); });
}

void App::State::do_chores() {
  if (stopping) return;
  if (sources_missing) refresh_sources();
  deliveries->try_again();
  keeper->tick();
  look_at_wal();
  std::vector<std::string> missing;
  for (const PipelineFile& file : folders.look(missing)) apply_file(file);
  for (const std::string& path : missing) {
    log.warning("pipeline_folder_missing", {{"folder", path}});
  }
  if (executor->has_old_hosts()) executor->retire_hosts(oldest_open_run());
  if (++chores_rounds % alert_look_rounds == 0) alert_watch->look();
  chores_timer.expires_after(chores_interval);
  chores_timer.async_wait([this](const boost::system::error_code& error) {
    if (!error) do_chores();
  });
}

void App::State::look_at_wal() {
  std::error_code none;
  const auto bytes = std::filesystem::file_size(options.config.state + "/state.db-wal", none);
  const Instant now = clock.now();
  const auto told = wal_watch.look(none ? 0 : static_cast<std::int64_t>(bytes), now.steady_ms);
  if (!told) return;
  event::TroubleFound trouble;
  trouble.id = "database/log/" + std::to_string(now.wall_ms);
  trouble.subject = "database", trouble.severity = "error", trouble.sentence = *told;
  supervisor->post(std::move(trouble));
}

void App::State::apply_file(const PipelineFile& file) {
  if (!file.unreadable.empty()) {
    return report_file(file, {{file.path, {}, file.unreadable, false}});
  }
  PipelineUpload upload{file.folder, file.path, file.files, "file " + file.path};
  auto origin = std::make_shared<RequestOrigin>();
  origin->who = upload.who, origin->role = "admin", origin->from = "pipelines folder";
  origin->action = "apply", origin->subject = file.path;
  backend->set_origin(std::move(origin));
  backend->apply_pipeline(std::move(upload), [this, file](Result<ApplyOutcome> outcome) {
    if (!outcome) {
      log.warning("pipeline_file_waits", {{"file", file.path}, {"why", outcome.error().message}});
      return folders.forget(file.path);
    }
    if (has_errors(outcome->diagnostics)) return report_file(file, outcome->diagnostics);
    pipeline_of_file[file.path] = outcome->pipeline;
    log.info("pipeline_applied", {{"pipeline", outcome->pipeline},
                                  {"version", outcome->version.brief()},
                                  {"file", file.path},
                                  {"changed", outcome->changed ? "yes" : "no"}});
  });
  backend->set_origin(nullptr);
}

void App::State::report_file(const PipelineFile& file, const std::vector<Diagnostic>& problems) {
  const auto first = std::find_if(problems.begin(), problems.end(),
                                  [](const Diagnostic& problem) { return !problem.warning; });
  if (first == problems.end()) return;
  const auto errors = std::count_if(problems.begin(), problems.end(),
                                    [](const Diagnostic& problem) { return !problem.warning; });
  event::TroubleFound trouble;
  trouble.id = "pipeline-file" + file.path + "/" + file.episode;
  const auto known = pipeline_of_file.find(file.path);
  trouble.pipeline = known == pipeline_of_file.end() ? "" : known->second;
  trouble.subject = file.path;
  trouble.severity = "error";
  trouble.sentence = text_of(*first);
  if (errors > 1) trouble.sentence += " (and " + std::to_string(errors - 1) + " more)";
  trouble.sentence += "; the last good version stays in force";
  trouble.evidence = ValueTable{{"file", file.path},
                                {"line", first->at.line},
                                {"column", first->at.column},
                                {"message", first->message}};
  log.warning("pipeline_file_refused", {{"file", file.path}, {"why", text_of(*first)}});
  supervisor->post(std::move(trouble));
}

// ----------------------------------------------------------------------------------- the end

void App::State::close() {
  watchdog.reset();
  server.reset();
  keeper.reset();
  if (deliveries) deliveries->stop();
  relay.reset();
  alert_watch.reset();
  sinks.reset();
  commands.reset();
  webhooks.reset();
  trials.reset();
  polls.reset();
  poll_attempts.reset();
  adhoc.reset();
  supervisor.reset();
  executor.reset();
  backend.reset();
  deliveries.reset();
  shelf.reset();
  if (store) store->set_objects(nullptr);
  artifacts.reset();
  store.reset();
  folder.reset();
}

App::App(std::unique_ptr<State> state) : state_(std::move(state)) {}

App::~App() = default;

void App::reload() { state_->reload(); }

void App::stop(bool patiently) { state_->begin_stop(true, patiently); }

int App::exit_code() const { return state_->exit_code; }

std::uint16_t App::port() const { return state_->server ? state_->server->port() : 0; }

}  // namespace pipelined
