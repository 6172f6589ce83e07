// Attempts that belong to no run: somebody looks at an artifact or tries a step.
//
// They run in the same workers behind the same walls as all others, two at a time, and nothing of
// them is recorded: their outputs go with their folder.  The engine does not know of them; reports
// of its own attempts are passed on to whoever had the executor's callback before.  Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "daemon/ports.h"

namespace pipelined {

/// An attempt that has ended.  Its folder, with `out/`, is there as long as this is held.
struct AdHocEnd {
  AttemptReport report;
  std::string folder;
  std::vector<OutputSpec> outputs;  ///< those of its start
  std::int64_t took_ms = 0;
  std::function<void()> discard;

  AdHocEnd() = default;
  AdHocEnd(const AdHocEnd&) = delete;
  AdHocEnd& operator=(const AdHocEnd&) = delete;
  ~AdHocEnd() {
    if (discard) discard();
  }
};

class AdHoc {
 public:
  /// Folders that stand in the place of an input's tree, by port and position.
  using Replaced = std::map<std::pair<std::string, std::size_t>, std::string>;
  using Done = std::function<void(Result<std::shared_ptr<const AdHocEnd>>)>;
  /// Runs a function on the loop after so many milliseconds.
  using After = std::function<void(std::int64_t ms, std::function<void()>)>;

  /// Takes the executor's `on_ended` over.  REQUIRES: made after the supervisor; all outlive this.
  /// `name`: five letters or digits that their attempts' ids begin with.
  AdHoc(Clock& clock, ArtifactPort& artifacts, Executor& executor, After after,
        std::string name = "ADH0C");
  ~AdHoc();

  /// Runs one attempt; `start.attempt` and `start.fence` are chosen here.  It is killed after
  /// `start.timeout_ms`.  Errors: `unavailable` when two run already, or what `prepare` says.
  void run(effect::StartAttempt start, Replaced replaced, Done done);

  /// Runs a function on the loop, later.
  void later(std::function<void()> task) { after_(0, std::move(task)); }

  static constexpr std::size_t at_once_max = 2;

 private:
  struct Live {
    AttemptPlan plan;
    std::int64_t begun_ms = 0;
    bool timed_out = false;
    Done done;
  };

  void on_prepared(const std::string& attempt, const Replaced& replaced, Result<AttemptPlan> plan);
  bool take(AttemptReport& report);
  void finish(const std::string& attempt, Result<std::shared_ptr<const AdHocEnd>> end);

  Clock& clock_;
  ArtifactPort& artifacts_;
  Executor& executor_;
  After after_;
  std::string name_;
  std::function<void(AttemptReport)> others_;
  std::map<std::string, Live> live_;
  std::int64_t last_ = 0;
  std::shared_ptr<AdHoc*> self_;   ///< late callbacks look here
};

}  // namespace pipelined
