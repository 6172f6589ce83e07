// The only doors between decisions and the machine.
//
// The supervisor (daemon/exec/supervisor) drives the engine over these interfaces; the daemon
// implements them with processes, files and SQLite, the simulator with fakes.  All calls and all
// callbacks are on the loop thread; an implementation may work elsewhere but answers here.
// Callbacks never run inside the call that asked for them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "dag/engine.h"
#include "dag/ledger.h"
#include "dag/result.h"

namespace pipelined {

/// Both clocks, read once a turn.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant now() = 0;
};

/// A ledger with turns: everything put between begin and commit becomes true at once, durably.
class LedgerStore : public Ledger {
 public:
  virtual Result<void> begin() = 0;
  /// An error means that nothing of the turn is recorded; the ledger is as it was before begin.
  virtual Result<void> commit() = 0;
  virtual void rollback() = 0;
  virtual Result<Recovered> recover() = 0;
  /// Whether a small durable write works (after a full disk).
  virtual Result<void> probe() = 0;
};

/// An attempt ready to be run: where its inputs lie and which folder is its own.
struct AttemptPlan {
  effect::StartAttempt start;
  std::string folder;                            ///< absolute; holds out/, scratch/ and log
  std::vector<std::vector<std::string>> inputs;  ///< absolute tree paths, as start.inputs
};

/// What the worker said of an attempt, or what is known of its end.
struct AttemptReport {
  std::string attempt, fence;
  Outcome outcome = Outcome::failed;
  bool lost = false;       ///< a fault of the machine, not of the operator: counts no try
  bool retryable = false;  ///< RETRY, a crash of the operator or a timeout
  std::vector<std::string> outputs;  ///< ports that it wrote or passes
  std::vector<MetricFact> metrics;
  Value notes;
  std::vector<event::StepRequest> requests;  ///< what it asks the system to do
  std::string error;       ///< a sentence; of a halt: the verdict
  std::int64_t cpu_ms = 0, memory_peak_bytes = 0, scratch_bytes = 0;
  std::string failure_class;  ///< as in AttemptRow
};

/// Runs attempts.  One report an attempt reaches `on_ended` if all goes well; none or two must do no harm.
class Executor {
 public:
  virtual ~Executor() = default;
  std::function<void(AttemptReport)> on_ended;
  std::function<void(const std::string& attempt, std::int64_t done, std::int64_t total)> on_progress;

  virtual void start(AttemptPlan plan) = 0;
  /// Asks, waits `grace_ms`, kills the whole tree; the report follows.  Unknown attempts are ignored.
  virtual void kill(const std::string& attempt, std::int64_t grace_ms, const std::string& why) = 0;
};

/// The artifact store as the supervisor sees it.
class ArtifactPort {
 public:
  virtual ~ArtifactPort() = default;

  /// Makes the attempt's folder and the trees of its inputs (verified on first use after a start).
  /// An error with code `corrupt` or `not_found` names the lost artifact.
  virtual void prepare(const effect::StartAttempt& start,
                       std::function<void(Result<AttemptPlan>)> done) = 0;

  /// What became of an attempt's outputs.
  struct Promoted {
    std::vector<Binding> outputs;
    std::string refused;   ///< a sentence when one was no plain file of ours, else empty
  };
  /// Moves the named outputs out of the attempt's folder into the store, durably; batches calls of
  /// a turn.  An error with code `exhausted` means a full disk: the outputs still lie in the folder.
  virtual void promote(const AttemptPlan& plan, const std::vector<OutputSpec>& outputs,
                       std::function<void(Result<Promoted>)> done) = 0;
  /// Removes the attempt's folder but for its log.  Unless its work is `finished`, what a resumable
  /// operator left in its scratch folder is kept for the next attempt with its `start.checkpoint`.
  virtual void discard(const std::string& attempt, bool finished) = 0;
};

}  // namespace pipelined
