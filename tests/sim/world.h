// A machine that goes wrong on purpose, around the real engine and the real supervisor.
//
// One seed decides everything: what the pipeline is, what lands when, what people ask, how workers
// behave, when commits fail, when the daemon dies (between any two of its calls outside).  A scenario
// keeps only some of what a seed would make happen.  Phase one, a week of bursts of work with quiet
// hours between them, runs under faults; phase two heals and must come to rest.  The checker looks
// after every turn.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <vector>

#include "daemon/exec/supervisor.h"
#include "tests/sim/scenario.h"
#include "tests/support/memory_ledger.h"

namespace pipelined::sim {

/// Thrown out of a fake to stop the daemon at that call, as kill -9 would.
struct Crash {};

/// What the simulated machine has.
inline Capacity machine_capacity() { return {3, 0, 0, 0, 2, {{"narrow", 1}, {"wide", 2}}}; }

/// How long a life lasts at least, before it is healed.
constexpr std::int64_t life_ms = std::int64_t{7} * 24 * 3600 * 1000;

/// SplitMix64; the only source of chance.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next();
  std::int64_t below(std::int64_t bound) {
    return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
  }
  bool chance(int percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

/// How often each kind of fault was hit, over all seeds.
using Hits = std::map<std::string, std::int64_t>;

class World : public Clock, public Executor, public ArtifactPort {
 public:
  World(const Scenario& scenario, Hits& hits, bool trace);
  ~World() override;

  /// Both phases.  Throws Violation.
  void live();

  /// Digest of everything that happened: the same seed gives the same one.
  std::string history_digest() { return sha256(history_).hex(); }
  std::size_t runs() const { return ledger_.runs.size(); }
  /// Elements handled by all runs.
  std::size_t steps() const { return ledger_.steps.size(); }
  std::size_t spans() const { return ledger_.spans.size(); }
  /// Everything that was made to happen, in order: what a scenario may keep.
  const std::vector<Happening>& happened() const { return happened_; }
  /// Names of the steps of the first version.
  std::vector<std::string> step_names() const;
  /// Simulated milliseconds since the beginning.
  std::int64_t lived_ms() const { return now_.steady_ms; }

  // The machine, as the supervisor sees it.
  Instant now() override { return now_; }
  void start(AttemptPlan plan) override;
  void kill(const std::string& attempt, std::int64_t grace_ms, const std::string& why) override;
  void prepare(const effect::StartAttempt& start,
               std::function<void(Result<AttemptPlan>)> done) override;
  void promote(const AttemptPlan& plan, const std::vector<OutputSpec>& outputs,
               std::function<void(Result<Promoted>)> done) override;
  void discard(const std::string& attempt, bool finished) override;

 private:
  struct Due {
    std::int64_t at = 0;
    std::uint64_t order = 0;
    std::uint64_t life = 0;  ///< 0: survives a crash
    std::function<void()> what;
    bool operator<(const Due& other) const {
      return at != other.at ? at > other.at : order > other.order;
    }
  };

  void choose_pipeline();
  void add_version(const std::string& text);
  const Pipeline& pipeline_of(const RunRow& run) const;
  void boot();
  void crash();
  void may_crash(const char* where, std::int64_t one_in = 250);
  void later(std::int64_t delay_ms, bool outlives, std::function<void()> what);
  void guarded(const std::function<void()>& what);
  void step();
  void come_to_rest();
  void run_twice();
  void hit(const std::string& kind) { ++hits_[kind]; }
  Random& stream(const std::string& domain);
  bool happens(const std::string& domain, const std::string& what);
  bool has_lived() const;
  std::int64_t pause_before(const std::string& domain, std::int64_t dense_ms);
  void at_commit(bool done);
  void strike(std::int64_t kind);
  void lose_object();
  void step_clock(std::int64_t kind);
  void land(const SourceSpec& source, Random& random);
  void tell(const event::Arrived& arrived);
  void deliver_the_rest();
  void record(const std::string& line);

  void plan_arrivals();
  void plan_request();
  void plan_faults();
  Event random_request();
  Event rare_request(RequestId id, RunNumber last);
  Event random_hold(RequestId id, RunNumber last);
  Event random_backfill(RequestId id);
  Event answer_for(const StepRow& held);
  std::string any_step();
  std::shared_ptr<const Pipeline> version_of(RunNumber run) const;
  std::shared_ptr<const Pipeline> find_version(const Digest& version) const;
  bool was_decided(std::string_view kind, RunNumber run) const;
  void release_all();
  void turn();
  std::shared_ptr<const Pipeline> current() const { return pipelines_.back(); }

  void answer_poll(const effect::StartPoll& poll);
  bool has_polled() const;
  void behave(const AttemptPlan& plan);
  AttemptReport truth(const AttemptPlan& plan, Outcome outcome) const;
  void report(AttemptReport report, std::int64_t delay_ms);

  void check();
  void check_result(const ResultRow& row) const;
  void check_run(const RunRow& row);
  void check_remedies();
  void check_generated(const RunRow& row);
  bool was_passed_by(const RunRow& row, const StepRow& step) const;
  void count_own_ends();
  void check_tries(const StepRow& row) const;
  void check_collectors(const RunRow& row) const;
  void check_equal_work(const ResultRow& row);
  void check_spans() const;
  void check_attempts() const;
  void check_parents(const RunRow& row);
  void check_versions() const;
  void check_slots() const;
  void check_held(const effect::StartAttempt& start) const;
  void check_backfills() const;
  void check_schedules();
  void check_rows(bool all) const;
  void check_rebuilt();
  void check_fired() const;
  bool was_dropped(const std::string& span) const;
  void check_superseded(const RunRow& row) const;
  void check_rest() const;
  [[noreturn]] void violate(const std::string& sentence) const;

  Scenario scenario_;
  /// Every third seed decides in small portions.
  Capacity capacity() const {
    Capacity given = machine_capacity();
    if (scenario_.seed % 3 == 0) given.decisions = 2;
    return given;
  }
  Random random_;
  Hits& hits_;
  bool trace_;
  Instant now_{1'600'000'000'000, 0};
  MemoryLedger ledger_;
  std::unique_ptr<Supervisor> supervisor_;
  std::vector<std::shared_ptr<const Pipeline>> pipelines_;  ///< versions; the last is in force
  std::string text_;                                 ///< of the first version
  std::map<Digest, std::vector<Binding>> made_;      ///< outputs of each key
  std::map<Digest, ValueList> named_;                ///< elements of each key
  OperatorSet operators_;
  std::priority_queue<Due> due_;
  std::uint64_t order_ = 0, life_ = 0;
  bool faults_ = true, turn_wanted_ = false, disk_full_ = false;
  std::uint64_t clock_set_in_ = 0;  ///< the life in which the wall clock last stepped
  std::optional<std::int64_t> wake_at_;
  std::map<std::string, AttemptPlan> working_;       ///< processes that live now
  std::set<Digest> stored_, poison_;                 ///< promoted objects; contents that lies name
  std::map<std::string, Random> streams_;            ///< by what they decide
  std::map<std::string, std::int64_t> counted_;      ///< what would have happened, by domain
  std::vector<Happening> happened_;
  std::map<std::string, std::uint64_t> prepared_in_;  ///< attempt → life
  std::map<std::pair<std::string, std::string>, std::int64_t> changes_;  ///< of a span's content
  std::map<RequestId, RunNumber> promised_;          ///< runs named in replies
  RequestId last_request_ = 0;
  std::map<std::string, std::map<std::string, std::string>> delivered_;  ///< source → span → content
  std::int64_t rows_ = 0;                            ///< of the table that is polled
  std::int64_t seen_before_turn_ = 0;                ///< the greatest seq of a hold
  std::int64_t last_checked_result_ = 0;
  std::int64_t checks_ = 0;
  std::map<std::tuple<RunNumber, std::string, std::string>, std::int64_t> own_ends_;
  std::string history_;
};

}  // namespace pipelined::sim
