// Fakes of the ports: a ledger whose commits fail on demand, artifacts and an executor that answer
// when the test says so.  Everything is kept in public fields.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "daemon/ports.h"

namespace pipelined::testing {

class FakeClock : public Clock {
 public:
  Instant now() override { return {1'700'000'000'000 + steady_ms, steady_ms}; }
  std::int64_t steady_ms = 1000;
};

class FakeLedger : public LedgerStore {
 public:
  Result<void> begin() override {
    ++begun;
    open = true;
    return {};
  }
  Result<void> commit() override {
    open = false;
    if (!commit_errors.empty()) {
      auto error = commit_errors.front();
      commit_errors.pop_front();
      return error;
    }
    ++committed;
    return {};
  }
  void rollback() override { open = false; }
  Result<Recovered> recover() override { return recovered; }
  Result<void> probe() override {
    ++probes;
    if (probe_error) return *probe_error;
    return {};
  }

  void put(const PipelineRow&) override {}
  void put(const ArrivalRow&) override {}
  void put(const SpanRow&) override {}
  void put(const RunRow&) override {}
  void put(const StepRow&) override {}
  void put(const AttemptRow&) override {}
  void put(const ResultRow&) override {}
  void put(const AcceptanceRow&) override {}
  void put(const ResolutionRow&) override {}
  void put(const AlertRow&) override {}
  void put(const DecisionRow&) override {}
  void put(const HoldRow&) override {}
  void put(const SlotRow&) override {}
  void put(const PollRow&) override {}
  void put(const InvalidationRow&) override {}
  void put(const BackfillRow&) override {}
  void put(const StepRequestRow&) override {}
  void put(const ModelVersionRow&) override {}
  void put(const ModelMarkRow&) override {}
  void mark_fired(const std::vector<std::int64_t>&, RunNumber) override {}
  std::optional<PollRow> find_poll(const std::string&, const std::string&) override { return {}; }
  std::optional<ResultRow> find_result(const Digest&, std::int64_t) override { return {}; }
  std::optional<ResultRow> find_result_by_id(std::int64_t) override { return {}; }
  std::optional<Digest> first_lost(const ResultRow&) override { return {}; }
  std::optional<ResultRow> nearest_result(const std::string&, const std::string&,
                                          const std::string&) override {
    return {};
  }
  std::optional<std::int64_t> find_duration(const std::string&, const std::string&) override {
    return {};
  }
  std::optional<AcceptanceRow> find_acceptance(const Digest&) override { return {}; }
  std::optional<ResolutionRow> find_resolution(const Digest&, std::int64_t) override { return {}; }
  std::vector<StepRow> finished_steps(const std::string&, const std::string&, const std::string&,
                                      bool, std::int64_t, int, int) override {
    return {};
  }
  std::vector<Digest> ancestors(const Digest&, int) override { return {}; }
  std::vector<StepRow> steps_of(RunNumber) override { return {}; }
  std::optional<RunRow> find_run(RunNumber) override { return {}; }
  std::optional<SlotRow> find_slot(const std::string&, const std::string&,
                                   const std::string&) override {
    return {};
  }
  std::optional<SlotRow> last_slot(const std::string&, const std::string&, TimeMs) override {
    return {};
  }
  std::vector<RunRow> ended_runs(const std::string&, int) override { return {}; }
  std::optional<DecisionRow> last_decision(const std::string&, const std::string&) override {
    return {};
  }
  std::optional<ArrivalRow> find_arrival(std::int64_t) override { return {}; }
  std::optional<ArrivalRow> newest_span(const std::string&, const std::string&) override {
    return {};
  }
  std::optional<InvalidationRow> find_invalidation(const Digest&) override { return {}; }
  bool is_bad(const Digest&) override { return false; }
  std::vector<ResultRow> results_with_key(const Digest&, std::int64_t, int) override { return {}; }
  std::vector<ResultRow> results_of_step(const std::string&, const std::string&,
                                         const std::string&, std::int64_t, int) override {
    return {};
  }
  std::vector<ResultRow> results_from(const Digest&, std::int64_t, int) override { return {}; }

  std::optional<ResultRow> find_maker(const Digest&) override { return {}; }
  std::optional<ModelVersionRow> newest_model(const std::string&) override { return {}; }
  std::optional<ModelVersionRow> find_model(const std::string&, const ModelVersion&) override {
    return {};
  }
  std::optional<ModelVersionRow> find_model_content(const std::string&, const Digest&) override {
    return {};
  }
  std::vector<ModelMarkRow> model_marks(const std::string&, const std::string&,
                                        const std::string&) override {
    return {};
  }

  Recovered recovered;
  std::deque<Error> commit_errors;  ///< the next commits fail with these
  std::optional<Error> probe_error;
  int begun = 0, committed = 0, probes = 0;
  bool open = false;
};

class FakeArtifacts : public ArtifactPort {
 public:
  void prepare(const effect::StartAttempt& start,
               std::function<void(Result<AttemptPlan>)> done) override {
    preparing.emplace_back(start, std::move(done));
  }
  void promote(const AttemptPlan& plan, const std::vector<OutputSpec>& outputs,
               std::function<void(Result<Promoted>)> done) override {
    promoting.push_back({plan, outputs, std::move(done)});
  }
  void discard(const std::string& attempt, bool) override { discarded.push_back(attempt); }

  /// Answers the oldest waiting `prepare`: a folder, or the error.
  void finish_prepare(std::optional<Error> error = {}) {
    auto [start, done] = std::move(preparing.front());
    preparing.pop_front();
    if (error) return done(*error);
    done(AttemptPlan{start, "/attempts/" + start.attempt, {}});
  }
  /// Answers the oldest waiting `promote`: a binding an output, or the error.
  void finish_promote(std::optional<Error> error = {}) {
    Waiting waiting = std::move(promoting.front());
    promoting.pop_front();
    if (error) return waiting.done(*error);
    Promoted promoted;
    for (const OutputSpec& output : waiting.outputs) {
      promoted.outputs.push_back(
          {output.port, 0, {sha256(waiting.plan.start.attempt + output.port), output.type, 7}});
    }
    waiting.done(std::move(promoted));
  }

  struct Waiting {
    AttemptPlan plan;
    std::vector<OutputSpec> outputs;
    std::function<void(Result<Promoted>)> done;
  };
  std::deque<std::pair<effect::StartAttempt, std::function<void(Result<AttemptPlan>)>>> preparing;
  std::deque<Waiting> promoting;
  std::vector<std::string> discarded;
};

class FakeExecutor : public Executor {
 public:
  void start(AttemptPlan plan) override { started.push_back(std::move(plan)); }
  void kill(const std::string& attempt, std::int64_t grace_ms, const std::string& why) override {
    killed.push_back({attempt, grace_ms, why});
  }
  struct Kill {
    std::string attempt;
    std::int64_t grace_ms;
    std::string why;
  };
  std::vector<AttemptPlan> started;
  std::vector<Kill> killed;
};

}  // namespace pipelined::testing
