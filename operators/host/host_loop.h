// The host: takes frames from the daemon, forks attempts, watches them, says how they ended.
//
// One thread and one poll(2).  A host without attempts keeps one process forked ahead, so that the
// next attempt of a chain of steps does not wait for a fork.  Answers of a turn leave in one write.  When the daemon's socket
// closes, every attempt is killed and the loop returns.  What an attempt does in its own process is
// attempt.h, what is said of its end verdict.h, how its processes die kill_unit.h.
#pragma once

#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "operators/host/attempt.h"
#include "operators/host/log_capture.h"
#include "operators/host/scratch_use.h"
#include "operators/host/unique_fd.h"
#include "operators/host/verdict.h"
#include "operators/wire.h"

namespace pipelined::host {

/// Bounds of what attempts may do.
struct HostLimits {
  LogBounds log;
  std::int64_t processes_max = 1024;  ///< at once in one attempt
  std::int64_t files_max = 1'000'000; ///< files and folders below one attempt's folder
};

/// An attempt as the host sees it.
struct LiveAttempt {
  using Time = std::chrono::steady_clock::time_point;

  LiveAttempt(wire::Run what, LogBounds bounds)
      : run(std::move(what)), log(run.log, bounds), scratch(run.folder) {}

  wire::Run run;
  pid_t pid = 0;
  UniqueFd report, output;    ///< reading ends
  wire::Decoder decoder;
  LogCapture log;
  AttemptGroup group;         ///< none where groups are not possible
  AttemptFacts facts;
  std::int64_t kernel_kills_before = -1;
  ScratchWalk scratch;
  Time started, kill_at = Time::max();
  Time scratch_look = Time::min();  ///< not before
};

/// A process that was forked while there was nothing to do and waits for the next attempt.
struct Spare {
  pid_t pid = 0;
  UniqueFd runs;             ///< writing end
  UniqueFd report, output;   ///< reading ends
};

class HostLoop {
 public:
  /// `socket` is the daemon's; `setup` must outlive the loop.
  HostLoop(UniqueFd socket, KillUnit& kill_unit, const AttemptSetup& setup, HostLimits limits);
  ~HostLoop();

  /// Queues a message for the daemon.
  void say(const wire::Message& message);
  /// Serves until the daemon's socket closes; an error if it talks nonsense.
  Result<void> serve();

 private:
  using Time = LiveAttempt::Time;

  int poll_timeout_ms(Time now) const;
  Result<bool> read_socket();
  void write_socket();
  Result<void> handle(wire::Message message);
  void start(wire::Run run);
  Result<void> fork_for(LiveAttempt& attempt);
  bool use_spare(LiveAttempt& attempt);
  void make_spare();
  void drop_spare();
  std::set<pid_t> live_processes() const;
  void fault(const wire::Run& run, const std::string& why);
  void cancel(const wire::Cancel& cancel);
  void read_report(LiveAttempt& attempt);
  void take_report(LiveAttempt& attempt, wire::Message message);
  void read_output(LiveAttempt& attempt, int chunks_max);
  void reap();
  void end(LiveAttempt& attempt, int wait_status, const rusage& usage);
  void take_use(LiveAttempt& attempt, const rusage& usage);
  void look_at_the_end(LiveAttempt& attempt);
  void kill(LiveAttempt& attempt, KilledFor why);
  void on_timers(Time now);
  void sample(Time now);
  void sample_memory();
  bool sample_scratch(LiveAttempt& attempt, Time now);
  void judge_scratch(LiveAttempt& attempt);
  void kill_all();

  UniqueFd socket_, signals_;
  KillUnit& kill_unit_;
  const AttemptSetup& setup_;
  HostLimits limits_;
  wire::Decoder decoder_;
  std::string outgoing_;
  std::optional<Spare> spare_;
  std::map<pid_t, std::unique_ptr<LiveAttempt>> attempts_;
  std::map<std::string, LiveAttempt*, std::less<>> by_id_;
  Time next_sample_ = Time::max();
  std::vector<char> buffer_;
};

}  // namespace pipelined::host
