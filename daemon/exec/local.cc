#include "daemon/exec/local.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <set>
#include <thread>
#include <utility>

#include "daemon/exec/processors.h"
#include "daemon/posix/fault.h"
#include "daemon/posix/unique_fd.h"
#include "operators/wire.h"

namespace pipelined {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr int host_socket = 3;
/// What a host may take beyond the grace period before it is taken for hung.
constexpr std::int64_t host_patience_ms = 10'000;

/// An attempt that was handed to a host and has not been reported.
struct Handed {
  std::string fence, killed_why;
  std::vector<int> processors;              ///< that it was bound to
  std::vector<std::string> secrets;          ///< values that it was given
  std::unique_ptr<asio::steady_timer> hung;  ///< runs after a kill
};

/// One process of pipelined-worker.
struct Host {
  Host(asio::io_context& loop, std::string name_of_plugin)
      : plugin(std::move(name_of_plugin)), socket(loop), process(loop) {}

  std::string plugin;
  std::string groups;  ///< its folder of control groups; empty: none
  pid_t pid = 0;
  asio::local::stream_protocol::socket socket;
  asio::posix::stream_descriptor process;  ///< a pidfd
  wire::Decoder decoder;
  std::array<char, 64 * 1024> incoming;
  std::string outgoing, being_written;
  bool writing = false, flush_posted = false, ready = false, ended = false;
  std::string refused;
  std::map<std::string, Handed> attempts;
};

using HostPointer = std::shared_ptr<Host>;

wire::Run run_of(const AttemptPlan& plan) {
  const effect::StartAttempt& start = plan.start;
  wire::Run run;
  run.attempt = start.attempt;
  run.fence = start.fence;
  run.operator_id = start.operator_id;
  run.parameters = start.params;
  for (std::size_t port = 0; port < start.inputs.size(); ++port) {
    const PortInputs& inputs = start.inputs[port];
    auto& list = run.inputs[inputs.port];
    for (std::size_t i = 0; i < inputs.artifacts.size(); ++i) {
      const ArtifactRef& artifact = inputs.artifacts[i];
      list.push_back({artifact.digest.hex(), artifact.type, plan.inputs[port][i]});
    }
  }
  for (const OutputSpec& output : start.outputs) {
    run.outputs[output.port] = {output.type, plan.folder + "/out/" + output.port};
  }
  run.folder = plan.folder;
  run.scratch = plan.folder + "/scratch";
  run.log = plan.folder + "/log";
  run.seed = start.seed;
  run.limits = {start.cpus, start.memory_bytes, start.timeout_ms, start.scratch_bytes, {},
                {start.gpus.begin(), start.gpus.end()}};
  run.network = start.network;
  run.secrets = start.secrets;
  run.readable = start.readable;
  return run;
}

/// Inputs that a frame holds; more of them go into a file beside it.
constexpr std::size_t inputs_a_frame = 1000;

/// The frame of a run.  Many inputs are laid into a file of the attempt's folder first.
Result<std::string> encode_run(wire::Run& run) {
  std::size_t count = 0;
  for (const auto& [port, artifacts] : run.inputs) count += artifacts.size();
  if (count <= inputs_a_frame) return wire::encode(run);
  TRY(text, wire::inputs_text(run));
  const std::string path = run.folder + "/inputs.json";
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.close();
  if (!file) return Error{ErrorCode::io, "cannot write the inputs of an attempt to " + path};
  run.inputs.clear();
  run.inputs_file = path;
  return wire::encode(run);
}

AttemptReport report_of(const wire::Ended& ended) {
  AttemptReport report;
  report.attempt = ended.attempt;
  report.fence = ended.fence;
  report.outcome = ended.outcome;
  report.lost = ended.lost;
  report.retryable = ended.retryable;
  report.outputs = ended.outputs;
  report.metrics = ended.metrics;
  report.notes = ended.notes;
  for (const Value& asked : ended.requests) {
    const ValueTable* table = asked.as_table();
    if (table == nullptr) continue;
    event::StepRequest request;
    for (const auto& [name, value] : *table) {
      if (name == "kind" && value.as_text() != nullptr) request.kind = *value.as_text();
      if (name == "arguments") request.arguments = value;
    }
    report.requests.push_back(std::move(request));
  }
  report.error = ended.error;
  report.cpu_ms = ended.cpu_ms;
  report.memory_peak_bytes = ended.memory_peak_bytes;
  report.scratch_bytes = ended.scratch_bytes;
  report.failure_class = ended.failure_class;
  return report;
}

AttemptReport failure(const std::string& attempt, const std::string& fence, std::string error) {
  AttemptReport report;
  report.attempt = attempt;
  report.fence = fence;
  report.error = std::move(error);
  return report;
}

/// Writes the secrets that the step names into the attempt's folder, readable for our user alone.
/// Gives their values, so that what comes back can be freed of them.
Result<std::vector<std::string>> hand_over_secrets(const AttemptPlan& plan,
                                                   const LocalOptions& options) {
  std::vector<std::string> values;
  if (plan.start.secrets.empty()) return values;
  const std::string folder = plan.folder + "/secrets";
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return Error{ErrorCode::io, "make the folder " + folder + ": " + std::strerror(errno)};
  }
  for (const std::string& name : plan.start.secrets) {
    if (!options.secret) return Error{ErrorCode::not_found, "there are no secrets here"};
    TRY(value, options.secret(name));
    const std::string path = folder + "/" + name;
    const UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400));
    if (!file || ::write(file.get(), value.data(), value.size()) !=
                     static_cast<ssize_t>(value.size())) {
      return Error{ErrorCode::io, "hand over the secret " + name + ": " + std::strerror(errno)};
    }
    values.push_back(std::move(value));
  }
  return values;
}

void hide_in(std::string& text, const std::vector<std::string>& secrets) {
  for (std::string secret : secrets) {
    if (!secret.empty() && secret.back() == '\n') secret.pop_back();
    if (secret.size() < 4) continue;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "***");
    }
  }
}

Value without(const Value& value, const std::vector<std::string>& secrets) {
  if (const std::string* text = value.as_text()) {
    std::string cleaned = *text;
    hide_in(cleaned, secrets);
    return cleaned;
  }
  if (const ValueList* list = value.as_list()) {
    ValueList cleaned;
    for (const Value& item : *list) cleaned.push_back(without(item, secrets));
    return cleaned;
  }
  if (const ValueTable* table = value.as_table()) {
    ValueTable cleaned;
    for (const auto& [name, item] : *table) {
      std::string key = name;
      hide_in(key, secrets);
      cleaned[key] = without(item, secrets);
    }
    return cleaned;
  }
  return value;
}

/// What an attempt says of its end goes into the database: never with a secret in it.
void hide_secrets(AttemptReport& report, const std::vector<std::string>& secrets) {
  if (secrets.empty()) return;
  hide_in(report.error, secrets);
  report.notes = without(report.notes, secrets);
  for (MetricFact& metric : report.metrics) {
    hide_in(metric.name, secrets);
    hide_in(metric.slice, secrets);
  }
}

/// posix_spawn's two helpers, freed together.
class SpawnPlan {
 public:
  SpawnPlan() {
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    sigset_t all, none;
    sigfillset(&all);
    sigemptyset(&none);
    posix_spawnattr_setsigdefault(&attributes, &all);
    posix_spawnattr_setsigmask(&attributes, &none);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  }
  ~SpawnPlan() {
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
  }
  SpawnPlan(const SpawnPlan&) = delete;
  SpawnPlan& operator=(const SpawnPlan&) = delete;

  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
};

Result<pid_t> spawn(std::vector<std::string> words, int socket) {
  if (const int error = fault::at(fault::Place::host_spawn); error > 0) {
    return Error{ErrorCode::io, "start " + words.front() + ": " + std::strerror(error)};
  }
  SpawnPlan plan;
  posix_spawn_file_actions_addopen(&plan.actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&plan.actions, socket, host_socket);
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  char* environment[] = {nullptr};
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, words.front().c_str(), &plan.actions, &plan.attributes,
                                  pointers.data(), environment);
  if (error != 0) {
    return Error{ErrorCode::io, "start " + words.front() + ": " + std::strerror(error)};
  }
  return pid;
}

std::string how_it_ended(int status) {
  if (WIFSIGNALED(status)) return "was killed by signal " + std::to_string(WTERMSIG(status));
  const int code = WEXITSTATUS(status);
  if (code > 128) return std::string("died of SIG") + (::sigabbrev_np(code - 128) != nullptr
                                                           ? ::sigabbrev_np(code - 128)
                                                           : std::to_string(code - 128).c_str());
  return "ended with exit status " + std::to_string(code);
}

}  // namespace

struct LocalExecutor::State : std::enable_shared_from_this<LocalExecutor::State> {
  State(asio::io_context& its_loop, LocalOptions its_options, LocalExecutor& its_owner)
      : loop(its_loop), options(std::move(its_options)), owner(&its_owner) {}

  asio::io_context& loop;
  LocalOptions options;
  Processors processors = Processors::of_this_process();
  LocalExecutor* owner;  ///< null once it is gone: handlers may still be queued
  std::map<std::string, HostPointer> hosts;         ///< by plugin; those that take attempts
  std::set<HostPointer> processes;                  ///< those not yet waited for
  std::map<std::string, HostPointer> host_of;       ///< by attempt
  /// A host from before plugins were read again, and the last run that it is for.
  struct OldHost {
    HostPointer host;
    RunNumber last_run = 0;
  };
  std::vector<OldHost> old_hosts;                   ///< the oldest first

  Result<HostPointer> host_for(const std::string& plugin, RunNumber run);
  Result<std::vector<std::string>> words_for(const std::string& plugin,
                                             const std::string& groups) const;
  Result<std::string> lend_groups() const;
  bool groups_limit_time() const {
    return options.cgroups != nullptr && options.cgroups->has("cpu");
  }
  void take_back_groups(const Host& host) const;
  void send(const HostPointer& host, const std::string& frame);
  void flush(const HostPointer& host);
  void read(const HostPointer& host);
  void take(const HostPointer& host, const wire::Message& message);
  void take_ended(const HostPointer& host, const wire::Ended& ended);
  void close(const HostPointer& host);
  void bury(const HostPointer& host);
  void report(AttemptReport report);
  void report_later(AttemptReport report);
};

Result<std::string> LocalExecutor::State::lend_groups() const {
  if (options.cgroups == nullptr || !options.cgroups->available()) return std::string();
  return options.cgroups->lend();
}

void LocalExecutor::State::take_back_groups(const Host& host) const {
  if (!host.groups.empty()) options.cgroups->take_back(host.groups);
}

Result<std::vector<std::string>> LocalExecutor::State::words_for(const std::string& plugin,
                                                                 const std::string& groups) const {
  std::vector<std::string> words{options.worker, "host"};
  if (plugin.empty()) {
    words.push_back("--builtin");
  } else {
    const auto path = options.plugin_path ? options.plugin_path(plugin) : std::nullopt;
    if (!path) return Error{ErrorCode::not_found, "there is no plugin " + plugin + " here"};
    words.push_back(*path);
    if (options.fork_safe && !options.fork_safe(plugin)) words.push_back("--fresh");
  }
  if (options.allow_unsandboxed) words.push_back("--allow-unsandboxed");
  if (!options.kill_unit.empty()) words.insert(words.end(), {"--kill-unit", options.kill_unit});
  for (const std::string& path : options.readable) words.insert(words.end(), {"--read", path});
  words.insert(words.end(), options.extra_words.begin(), options.extra_words.end());
  if (!groups.empty()) words.insert(words.end(), {"--cgroup", groups});
  words.insert(words.end(), {"--log-bytes", std::to_string(options.log_bytes_max)});
  return words;
}

Result<HostPointer> LocalExecutor::State::host_for(const std::string& plugin, RunNumber run) {
  for (const OldHost& old : old_hosts) {
    if (run <= old.last_run && old.host->plugin == plugin && !old.host->ended) return old.host;
  }
  if (const auto found = hosts.find(plugin); found != hosts.end()) return found->second;
  TRY(groups, lend_groups());
  TRY(words, words_for(plugin, groups));
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return Error{ErrorCode::io, std::string("make a socket pair: ") + std::strerror(errno)};
  }
  const auto host = std::make_shared<Host>(loop, plugin);
  host->groups = groups;
  host->socket.assign(asio::local::stream_protocol(), ends[0]);
  const auto pid = spawn(std::move(words), ends[1]);
  ::close(ends[1]);
  if (!pid) return pid.error();
  host->pid = *pid;
  fault::at(fault::Place::host_spawned);
  const int process = static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0u));
  if (process < 0) return Error{ErrorCode::io, std::string("watch a host: ") + std::strerror(errno)};
  host->process.assign(process);
  hosts[plugin] = host;
  processes.insert(host);
  read(host);
  return host;
}

void LocalExecutor::State::send(const HostPointer& host, const std::string& frame) {
  host->outgoing += frame;
  if (host->flush_posted) return;
  host->flush_posted = true;
  // Once the caller's turn is over, so that all frames of a turn leave together.
  asio::post(loop, [self = shared_from_this(), host] {
    host->flush_posted = false;
    self->flush(host);
  });
}

void LocalExecutor::State::flush(const HostPointer& host) {
  if (host->writing || host->outgoing.empty() || host->ended) return;
  host->writing = true;
  fault::at(fault::Place::host_send);
  host->being_written = std::exchange(host->outgoing, {});
  asio::async_write(host->socket, asio::buffer(host->being_written),
                    [self = shared_from_this(), host](const error_code& error, std::size_t) {
                      host->writing = false;
                      fault::at(fault::Place::host_sent);
                      if (!error) self->flush(host);  // else reading sees the end too
                    });
}

void LocalExecutor::State::read(const HostPointer& host) {
  host->socket.async_read_some(
      asio::buffer(host->incoming),
      [self = shared_from_this(), host](const error_code& error, std::size_t size) {
        if (error) return self->close(host);
        host->decoder.feed({host->incoming.data(), size});
        for (;;) {
          const auto message = host->decoder.next();
          if (!message) return self->close(host);  // it talks nonsense: end it
          if (!*message) break;
          self->take(host, **message);
        }
        self->read(host);
      });
}

void LocalExecutor::State::take(const HostPointer& host, const wire::Message& message) {
  if (std::holds_alternative<wire::Ready>(message)) host->ready = true;
  if (const auto* refused = std::get_if<wire::Refused>(&message)) host->refused = refused->message;
  if (const auto* ended = std::get_if<wire::Ended>(&message)) take_ended(host, *ended);
  if (const auto* progress = std::get_if<wire::Progress>(&message)) {
    if (owner != nullptr && owner->on_progress && host->attempts.contains(progress->attempt)) {
      owner->on_progress(progress->attempt, progress->done, progress->total);
    }
  }
}

void LocalExecutor::State::take_ended(const HostPointer& host, const wire::Ended& ended) {
  const auto found = host->attempts.find(ended.attempt);
  if (found == host->attempts.end()) return;
  fault::at(fault::Place::host_ended);
  AttemptReport made = report_of(ended);
  hide_secrets(made, found->second.secrets);
  if (made.outcome == Outcome::cancelled && !found->second.killed_why.empty()) {
    made.error = found->second.killed_why + " (" + made.error + ")";
  }
  processors.give_back(found->second.processors);
  host->attempts.erase(found);
  host_of.erase(ended.attempt);
  report(std::move(made));
}

/// The host's socket has closed: no new attempt for it; wait until its processes are gone.
void LocalExecutor::State::close(const HostPointer& host) {
  if (host->ended) return;
  host->ended = true;
  if (const auto found = hosts.find(host->plugin);
      found != hosts.end() && found->second == host) {
    hosts.erase(found);
  }
  error_code ignored;
  host->socket.close(ignored);
  host->process.async_wait(asio::posix::stream_descriptor::wait_read,
                           [self = shared_from_this(), host](const error_code& error) {
                             if (!error) self->bury(host);
                           });
}

void LocalExecutor::State::bury(const HostPointer& host) {
  int status = 0;
  ::waitpid(host->pid, &status, 0);
  host->pid = 0;
  processes.erase(host);
  take_back_groups(*host);  // kills what a guardian that was shot could not
  const std::string name = host->plugin.empty() ? "built-in operators" : "plugin " + host->plugin;
  for (const auto& [attempt, handed] : std::exchange(host->attempts, {})) {
    host_of.erase(attempt);
    processors.give_back(handed.processors);
    AttemptReport made = failure(attempt, handed.fence, "");
    if (!host->refused.empty()) {
      made.outcome = Outcome::unsupported;
      made.error = "the host of " + name + " refused to start: " + host->refused;
    } else if (!host->ready) {
      made.error = "the host of " + name + " " + how_it_ended(status) + " while it was loading";
    } else {
      made.lost = true;
      made.error = "lost with its host, which " + how_it_ended(status);
    }
    report(std::move(made));
  }
}

void LocalExecutor::State::report(AttemptReport made) {
  if (owner != nullptr && owner->on_ended) owner->on_ended(std::move(made));
}

void LocalExecutor::State::report_later(AttemptReport made) {
  asio::post(loop, [self = shared_from_this(), made = std::move(made)]() mutable {
    self->report(std::move(made));
  });
}

LocalExecutor::LocalExecutor(asio::io_context& loop, LocalOptions options)
    : state_(std::make_shared<State>(loop, std::move(options), *this)) {}

LocalExecutor::~LocalExecutor() {
  state_->owner = nullptr;
  std::vector<pid_t> left;
  const auto hosts = std::exchange(state_->processes, {});
  for (const HostPointer& host : hosts) {
    error_code ignored;
    host->socket.close(ignored);  // the host kills its attempts when it sees this
    host->process.close(ignored);
    host->ended = true;
    for (auto& [id, handed] : host->attempts) handed.hung.reset();
    left.push_back(host->pid);
  }
  state_->hosts.clear();
  state_->old_hosts.clear();
  state_->host_of.clear();
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  for (const pid_t pid : left) {
    while (::waitpid(pid, nullptr, WNOHANG) == 0) {
      // The guardian ends its host and what is below when it is asked to.
      if (std::chrono::steady_clock::now() > patience) ::kill(pid, SIGTERM);
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
  }
  for (const HostPointer& host : hosts) state_->take_back_groups(*host);
}

void LocalExecutor::start(AttemptPlan plan) {
  const std::string attempt = plan.start.attempt, fence = plan.start.fence;
  const auto host = state_->host_for(plan.start.plugin, plan.start.run);
  if (!host) return state_->report_later(failure(attempt, fence, host.error().message));
  auto secrets = hand_over_secrets(plan, state_->options);
  if (!secrets) return state_->report_later(failure(attempt, fence, secrets.error().message));
  wire::Run run = run_of(plan);
  if (!state_->groups_limit_time()) run.limits.processors = state_->processors.take(run.limits.cpus);
  const auto frame = encode_run(run);
  if (!frame) {
    state_->processors.give_back(run.limits.processors);
    return state_->report_later(failure(
        attempt, fence, "the attempt cannot be described to its worker: " + frame.error().message));
  }
  Handed& handed = (*host)->attempts[attempt];
  handed.fence = fence;
  handed.processors = std::move(run.limits.processors);
  handed.secrets = std::move(*secrets);
  state_->host_of[attempt] = *host;
  state_->send(*host, *frame);
}

void LocalExecutor::kill(const std::string& attempt, std::int64_t grace_ms,
                         const std::string& why) {
  const auto found = state_->host_of.find(attempt);
  if (found == state_->host_of.end() || found->second->ended) return;
  const HostPointer host = found->second;
  Handed& handed = host->attempts[attempt];
  handed.killed_why = why;
  fault::at(fault::Place::host_kill);
  if (const auto frame = wire::encode(wire::Cancel{attempt, grace_ms})) state_->send(host, *frame);
  handed.hung = std::make_unique<asio::steady_timer>(state_->loop);
  handed.hung->expires_after(std::chrono::milliseconds(grace_ms + host_patience_ms));
  handed.hung->async_wait([host](const error_code& error) {
    // The host does not answer: its guardian ends it and every attempt in it.
    if (!error && host->pid > 0) ::kill(host->pid, SIGTERM);
  });
}

void LocalExecutor::renew_hosts(RunNumber last_run) {
  for (auto& [plugin, host] : std::exchange(state_->hosts, {})) {
    state_->old_hosts.push_back({host, last_run});
  }
}

bool LocalExecutor::has_old_hosts() const { return !state_->old_hosts.empty(); }

void LocalExecutor::retire_hosts(RunNumber oldest_open) {
  std::erase_if(state_->old_hosts, [&](const State::OldHost& old) {
    if (old.host->ended) return true;
    if (old.last_run >= oldest_open || !old.host->attempts.empty()) return false;
    state_->close(old.host);  // nothing is left for it to do: it ends with its socket
    return true;
  });
}

std::vector<int> LocalExecutor::host_pids() const {
  std::vector<int> pids;
  for (const auto& [plugin, host] : state_->hosts) pids.push_back(host->pid);
  return pids;
}

}  // namespace pipelined
