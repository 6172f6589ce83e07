#include "operators/host/host_loop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "operators/host/process_tree.h"

namespace pipelined::host {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::size_t buffer_bytes = 64 * 1024;
/// An attempt this young is not watched through its pipes: most have ended by then, and what they
/// said is read once, at the end.  A full pipe waits for us at most as long.
constexpr milliseconds unwatched{2};
constexpr milliseconds sampled_after{100};
/// Runs with larger frames are not handed to a spare process: a pipe holds this much.
constexpr std::size_t spare_frame_max = 32 * 1024;
/// Files and folders that are looked at before something else has its turn.
constexpr std::int64_t scratch_entries_a_look = 5000;
/// Between the end of the report channel and the end of the process.
constexpr milliseconds closing_grace{500};

bool unblock(int fd) { return ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK) == 0; }

struct Pipe {
  UniqueFd read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    return Error{ErrorCode::io, std::string("make a pipe: ") + std::strerror(errno)};
  }
  Pipe made{UniqueFd(ends[0]), UniqueFd(ends[1])};
  unblock(made.read.get());
  return made;
}

}  // namespace

HostLoop::HostLoop(UniqueFd socket, KillUnit& kill_unit, const AttemptSetup& setup,
                   HostLimits limits)
    : socket_(std::move(socket)),
      kill_unit_(kill_unit),
      setup_(setup),
      limits_(limits),
      buffer_(buffer_bytes) {
  unblock(socket_.get());
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  ::sigprocmask(SIG_BLOCK, &child, nullptr);
  signals_.reset(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
  CHECK(signals_);
  ::signal(SIGPIPE, SIG_IGN);
}

HostLoop::~HostLoop() { kill_all(); }

void HostLoop::say(const wire::Message& message) {
  if (const auto frame = wire::encode(message)) outgoing_ += *frame;
}

Result<void> HostLoop::serve() {
  write_socket();
  std::vector<pollfd> polled;
  std::vector<LiveAttempt*> watched;
  for (;;) {
    // What was said leaves first: the daemon goes on while the process is made.
    if (attempts_.empty() && !spare_) make_spare();
    const Time now = Clock::now();
    polled.assign({{signals_.get(), POLLIN, 0},
                   {socket_.get(), static_cast<short>(outgoing_.empty() ? POLLIN : POLLIN | POLLOUT),
                    0}});
    watched.clear();
    for (const auto& [pid, attempt] : attempts_) {
      if (now - attempt->started < unwatched) continue;
      watched.push_back(attempt.get());
      polled.push_back({attempt->report.get(), POLLIN, 0});
      polled.push_back({attempt->output.get(), POLLIN, 0});
    }
    if (::poll(polled.data(), polled.size(), poll_timeout_ms(now)) < 0 && errno != EINTR) {
      return Error{ErrorCode::io, std::string("wait for attempts: ") + std::strerror(errno)};
    }
    for (std::size_t i = 0; i < watched.size(); ++i) {
      if (polled[2 + 2 * i].revents != 0) read_report(*watched[i]);
      if (polled[3 + 2 * i].revents != 0) read_output(*watched[i], 16);
    }
    if (polled[0].revents != 0) reap();
    if (polled[1].revents & (POLLIN | POLLHUP | POLLERR)) {
      TRY(open, read_socket());
      if (!open) return {};
    }
    on_timers(Clock::now());
    if (!outgoing_.empty()) write_socket();
  }
}

int HostLoop::poll_timeout_ms(Time now) const {
  Time next = next_sample_;
  for (const auto& [pid, attempt] : attempts_) {
    next = std::min(next, attempt->kill_at);
    if (now - attempt->started < unwatched) next = std::min(next, attempt->started + unwatched);
  }
  if (next == Time::max()) return -1;
  const auto left = std::chrono::ceil<milliseconds>(next - now).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000));
}

Result<bool> HostLoop::read_socket() {
  const ssize_t got = ::read(socket_.get(), buffer_.data(), buffer_.size());
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (got <= 0) return false;
  decoder_.feed({buffer_.data(), static_cast<std::size_t>(got)});
  for (;;) {
    TRY(message, decoder_.next());
    if (!message) return true;
    TRY_VOID(handle(*std::move(message)));
  }
}

void HostLoop::write_socket() {
  while (!outgoing_.empty()) {
    const ssize_t put = ::write(socket_.get(), outgoing_.data(), outgoing_.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return;  // full: poll says when to go on; broken: reading says so
    outgoing_.erase(0, static_cast<std::size_t>(put));
  }
}

Result<void> HostLoop::handle(wire::Message message) {
  if (auto* run = std::get_if<wire::Run>(&message)) {
    start(std::move(*run));
  } else if (const auto* asked = std::get_if<wire::Cancel>(&message)) {
    cancel(*asked);
  } else {
    return Error{ErrorCode::invalid, "the daemon sent a message that is not for a host"};
  }
  return {};
}

void HostLoop::fault(const wire::Run& run, const std::string& why) {
  wire::Ended ended = plain_report(run, Outcome::failed, "the attempt was not started: " + why);
  ended.lost = true;
  say(ended);
}

namespace {

/// The values that the attempt is given, so that none of them gets into its log.
std::vector<std::string> read_secrets(const wire::Run& run) {
  std::vector<std::string> values;
  for (const std::string& name : run.secrets) {
    std::ifstream file(run.folder + "/secrets/" + name, std::ios::binary);
    values.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    // Who prints a file with its last line break may print it without, too.
    if (!values.back().empty() && values.back().back() == '\n') values.back().pop_back();
  }
  return values;
}

}  // namespace

void HostLoop::start(wire::Run run) {
  if (by_id_.contains(run.attempt)) return fault(run, "an attempt of that id runs already");
  auto attempt = std::make_unique<LiveAttempt>(std::move(run), limits_.log);
  attempt->log.hide(read_secrets(attempt->run));
  attempt->facts.processes_max = limits_.processes_max;
  attempt->facts.files_max = limits_.files_max;
  attempt->started = Clock::now();
  if (kill_unit_.groups()) {
    const wire::Limits& limits = attempt->run.limits;
    auto group = kill_unit_.groups().make(
        {limits.memory_bytes, limits_.processes_max, limits.cpus});
    if (!group) return fault(attempt->run, group.error().message);
    attempt->group = *std::move(group);
  }
  if (!use_spare(*attempt)) {
    if (const auto forked = fork_for(*attempt); !forked) {
      kill_unit_.groups().remove(std::move(attempt->group));
      return fault(attempt->run, forked.error().message);
    }
  }
  next_sample_ = std::min(next_sample_, attempt->started + sampled_after);
  say(wire::Started{attempt->run.attempt});
  by_id_[attempt->run.attempt] = attempt.get();
  attempts_[attempt->pid] = std::move(attempt);
}

Result<void> HostLoop::fork_for(LiveAttempt& attempt) {
  TRY(report, make_pipe());
  TRY(output, make_pipe());
  TRY(pid, kill_unit_.fork_attempt());
  if (pid == 0) {
    live_attempt(setup_, attempt.run, attempt.group, report.write.get(), output.write.get());
  }
  attempt.pid = pid;
  attempt.report = std::move(report.read);
  attempt.output = std::move(output.read);
  return {};
}

/// Whether a spare process has taken the attempt.
bool HostLoop::use_spare(LiveAttempt& attempt) {
  if (!spare_) return false;
  const auto frame = wire::encode(attempt.run);
  // What fits into a pipe is taken at once, whatever the other side does.
  const bool grouped = !attempt.group || attempt.group.take_in(spare_->pid);
  if (!frame || frame->size() > spare_frame_max || !grouped ||
      ::write(spare_->runs.get(), frame->data(), frame->size()) !=
          static_cast<ssize_t>(frame->size())) {
    drop_spare();
    return false;
  }
  attempt.pid = spare_->pid;
  attempt.report = std::move(spare_->report);
  attempt.output = std::move(spare_->output);
  spare_.reset();
  return true;
}

/// Without one the next attempt is forked when it comes: nothing that fails here is of consequence.
void HostLoop::make_spare() {
  auto report = make_pipe(), output = make_pipe(), runs = make_pipe();
  if (!report || !output || !runs) return;
  ::fcntl(runs->read.get(), F_SETFL, ::fcntl(runs->read.get(), F_GETFL) & ~O_NONBLOCK);
  const auto pid = kill_unit_.fork_attempt();
  if (!pid) return;
  if (*pid == 0) {
    runs->write.reset();  // its end must be seen when the host closes it
    await_attempt(setup_, runs->read.get(), report->write.get(), output->write.get());
  }
  spare_ = Spare{*pid, std::move(runs->write), std::move(report->read), std::move(output->read)};
}

void HostLoop::drop_spare() {
  if (!spare_) return;
  kill_unit_.send(spare_->pid, SIGKILL);
  ::waitpid(spare_->pid, nullptr, 0);
  spare_.reset();
}

std::set<pid_t> HostLoop::live_processes() const {
  std::set<pid_t> live;
  for (const auto& [pid, attempt] : attempts_) live.insert(pid);
  if (spare_) live.insert(spare_->pid);
  return live;
}

void HostLoop::cancel(const wire::Cancel& cancel) {
  const auto found = by_id_.find(cancel.attempt);
  if (found == by_id_.end()) return;  // it has ended; its report is on the way
  LiveAttempt& attempt = *found->second;
  if (attempt.facts.killed_for == KilledFor::nothing) attempt.facts.killed_for = KilledFor::cancel;
  attempt.facts.grace_ms = cancel.grace_ms;
  if (cancel.grace_ms > 0) kill_unit_.send(attempt.pid, SIGTERM);
  attempt.kill_at =
      std::min(attempt.kill_at, Clock::now() + milliseconds(std::max<std::int64_t>(0, cancel.grace_ms)));
}

void HostLoop::read_report(LiveAttempt& attempt) {
  for (;;) {
    const ssize_t got = ::read(attempt.report.get(), buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return;
    if (got == 0) {
      // Its process is ending, or it closed the channel in order to go on unseen.
      attempt.report.reset();
      attempt.kill_at = std::min(attempt.kill_at, Clock::now() + closing_grace);
      return;
    }
    attempt.decoder.feed({buffer_.data(), static_cast<std::size_t>(got)});
    for (;;) {
      auto message = attempt.decoder.next();
      if (!message) {
        attempt.facts.bad_report = "sent bytes to the host that are no report";
        return;
      }
      if (!*message) break;
      take_report(attempt, **std::move(message));
    }
  }
}

void HostLoop::take_report(LiveAttempt& attempt, wire::Message message) {
  if (const auto* progress = std::get_if<wire::Progress>(&message)) {
    if (progress->attempt == attempt.run.attempt) return say(*progress);
  } else if (auto* ended = std::get_if<wire::Ended>(&message)) {
    if (ended->attempt == attempt.run.attempt && ended->fence == attempt.run.fence) {
      // The first report stands; a second one is no reason to doubt it.
      if (!attempt.facts.report) attempt.facts.report = std::move(*ended);
      attempt.kill_at = std::min(attempt.kill_at, Clock::now() + closing_grace);
      return;
    }
  }
  attempt.facts.bad_report = "sent a report that is not its own";
}

void HostLoop::read_output(LiveAttempt& attempt, int chunks_max) {
  for (int i = 0; attempt.output && i < chunks_max; ++i) {
    const ssize_t got = ::read(attempt.output.get(), buffer_.data(), buffer_.size());
    if (got < 0) return;
    if (got == 0) return attempt.output.reset();
    attempt.log.append({buffer_.data(), static_cast<std::size_t>(got)});
  }
}

void HostLoop::reap() {
  signalfd_siginfo ignored[8];
  while (::read(signals_.get(), ignored, sizeof ignored) > 0) {
  }
  struct Gone {
    std::unique_ptr<LiveAttempt> attempt;
    int status = 0;
    rusage usage{};
  };
  std::vector<Gone> gone;
  Gone one;
  pid_t pid = 0;
  while ((pid = ::wait4(-1, &one.status, WNOHANG, &one.usage)) > 0) {
    if (spare_ && spare_->pid == pid) spare_.reset();  // somebody shot it
    const auto found = attempts_.find(pid);
    if (found == attempts_.end()) continue;  // a stray
    one.attempt = std::move(found->second);
    attempts_.erase(found);
    one.attempt->group.kill();
    gone.push_back(std::move(one));
  }
  if (gone.empty()) return;
  kill_unit_.clear(live_processes());
  for (Gone& ended : gone) end(*ended.attempt, ended.status, ended.usage);
}

void HostLoop::end(LiveAttempt& attempt, int wait_status, const rusage& usage) {
  if (attempt.report) read_report(attempt);
  read_output(attempt, 16);

  AttemptFacts& facts = attempt.facts;
  facts.wait_status = wait_status;
  take_use(attempt, usage);
  look_at_the_end(attempt);
  attempt.log.end();
  facts.last_lines = attempt.log.last_lines();
  if (attempt.kernel_kills_before >= 0) {
    facts.kernel_memory_kill = kernel_memory_kills() > attempt.kernel_kills_before;
  }
  const wire::Ended ended = decide(attempt.run, facts);
  if (ended.error.empty()) {
    attempt.log.flush();
  } else {
    attempt.log.finish(std::string("pipelined: ") + name_of(ended.outcome) + ": " + ended.error);
  }
  by_id_.erase(attempt.run.attempt);
  say(ended);
}

void HostLoop::take_use(LiveAttempt& attempt, const rusage& usage) {
  AttemptFacts& facts = attempt.facts;
  facts.cpu_ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                 (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
  facts.memory_peak_bytes =
      std::max<std::int64_t>(facts.memory_peak_bytes, std::int64_t{usage.ru_maxrss} * 1024);
  if (!attempt.group) return;
  const GroupUse use = attempt.group.use();
  facts.cpu_ms = std::max(facts.cpu_ms, use.cpu_ms);
  if (use.memory_peak_bytes > 0) facts.memory_peak_bytes = use.memory_peak_bytes;
  if (use.out_of_memory && facts.killed_for == KilledFor::nothing) {
    facts.killed_for = KilledFor::memory;
  }
  kill_unit_.groups().remove(std::move(attempt.group));
}

/// What a longer attempt left is measured once more; it may have been over its limit since the last look.
void HostLoop::look_at_the_end(LiveAttempt& attempt) {
  const bool looked = attempt.scratch_look != Time::min();
  const bool limited = attempt.run.limits.scratch_bytes > 0;
  if (!looked && !limited && Clock::now() - attempt.started < sampled_after) return;
  ScratchWalk last(attempt.run.folder);
  last.step(4 * scratch_entries_a_look);
  attempt.facts.scratch_bytes = std::max(attempt.facts.scratch_bytes, last.found().bytes);
  if (limited && last.found().bytes > attempt.run.limits.scratch_bytes &&
      attempt.facts.killed_for == KilledFor::nothing) {
    attempt.facts.killed_for = KilledFor::scratch;
  }
}

void HostLoop::kill(LiveAttempt& attempt, KilledFor why) {
  if (attempt.facts.killed_for == KilledFor::nothing) attempt.facts.killed_for = why;
  attempt.kill_at = Time::max();
  attempt.group.kill();
  kill_unit_.send(attempt.pid, SIGKILL);
}

void HostLoop::on_timers(Time now) {
  for (const auto& [pid, attempt] : attempts_) {
    if (now < attempt->kill_at) continue;
    attempt->facts.grace_expired = attempt->facts.killed_for == KilledFor::cancel &&
                                   attempt->facts.grace_ms > 0 && !attempt->facts.report;
    kill(*attempt, attempt->facts.report ? KilledFor::nothing : KilledFor::report_closed);
  }
  if (now >= next_sample_) sample(now);
}

void HostLoop::sample(Time now) {
  bool limited = false, young = false, looking = false;
  for (const auto& [pid, attempt] : attempts_) {
    limited |= attempt->run.limits.memory_bytes > 0;
    young |= now - attempt->started < milliseconds(1000);
    attempt->log.flush();
    if (attempt->kernel_kills_before < 0) attempt->kernel_kills_before = kernel_memory_kills();
    looking |= sample_scratch(*attempt, now);
  }
  sample_memory();
  const milliseconds pause(looking ? 20 : limited || young ? 100 : 500);
  next_sample_ = attempts_.empty() ? Time::max() : now + pause;
}

void HostLoop::sample_memory() {
  for (const auto& [pid, usage] : sample_children(limits_.processes_max)) {
    const auto found = attempts_.find(pid);
    if (found == attempts_.end()) continue;
    LiveAttempt& attempt = *found->second;
    attempt.facts.memory_peak_bytes = std::max(attempt.facts.memory_peak_bytes, usage.memory_bytes);
    const std::int64_t limit = attempt.run.limits.memory_bytes;
    if (limit > 0 && usage.memory_bytes > limit) {
      kill(attempt, KilledFor::memory);
    } else if (usage.processes > limits_.processes_max) {
      kill(attempt, KilledFor::processes);
    }
  }
}

/// Looks at a part of what the attempt has written; whether there is more to look at at once.
bool HostLoop::sample_scratch(LiveAttempt& attempt, Time now) {
  if (now < attempt.scratch_look || now - attempt.started < sampled_after) return false;
  const bool complete = attempt.scratch.step(scratch_entries_a_look);
  judge_scratch(attempt);
  if (!complete) return true;
  // Much to look at is looked at less often; with a limit it must be seen soon.
  const bool limited = attempt.run.limits.scratch_bytes > 0;
  const bool much = attempt.scratch.found().entries > scratch_entries_a_look;
  attempt.scratch_look = now + milliseconds(limited ? 300 : much ? 10'000 : 2'000);
  return false;
}

void HostLoop::judge_scratch(LiveAttempt& attempt) {
  const ScratchUse& found = attempt.scratch.found();
  attempt.facts.scratch_bytes = std::max(attempt.facts.scratch_bytes, found.bytes);
  const std::int64_t limit = attempt.run.limits.scratch_bytes;
  if (limit > 0 && found.bytes > limit) {
    kill(attempt, KilledFor::scratch);
  } else if (found.entries > limits_.files_max || (found.hidden && limit > 0)) {
    kill(attempt, KilledFor::files);
  }
}

void HostLoop::kill_all() {
  drop_spare();
  for (const auto& [pid, attempt] : attempts_) {
    attempt->group.kill();
    kill_unit_.send(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
    kill_unit_.groups().remove(std::move(attempt->group));
  }
  attempts_.clear();
  by_id_.clear();
  kill_unit_.clear({});
}

}  // namespace pipelined::host
