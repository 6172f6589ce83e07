// A ledger in memory with turns, for engine tests and the simulator.
//
// What is put after `begin` is undone by `rollback` and by a failing `commit`; what was committed
// stays.  `fail_next_commit` and `lose` plant faults.  The same contract as the store's.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <tuple>

#include "daemon/ports.h"

namespace pipelined {

class MemoryLedger : public LedgerStore {
 public:
  MemoryLedger();
  ~MemoryLedger() override;

  std::map<std::pair<std::string, Digest>, PipelineRow> pipelines;
  std::map<std::int64_t, ArrivalRow> arrivals;
  std::map<std::tuple<std::string, std::string, std::string, std::int64_t>, SpanRow> spans;
  std::map<RunNumber, RunRow> runs;
  std::map<std::tuple<RunNumber, std::string, std::string>, StepRow> steps;
  std::map<std::string, AttemptRow> attempts;
  std::map<std::int64_t, ResultRow> results;
  std::multimap<Digest, std::int64_t> results_by_key;
  std::map<std::tuple<std::string, std::string, std::string>, std::vector<std::int64_t>>
      results_by_step;                  ///< those with a key, oldest first
  std::map<Digest, AcceptanceRow> acceptances;
  std::map<std::pair<Digest, RunNumber>, ResolutionRow> resolutions;
  std::map<std::string, AlertRow> alerts;
  std::vector<DecisionRow> decisions;
  std::map<std::tuple<std::string, std::string, RunNumber, std::string, std::string>, HoldRow> holds;
  std::map<std::tuple<std::string, std::string, std::string>, SlotRow> slots;
  std::map<std::pair<std::string, std::string>, PollRow> polls;
  std::map<std::int64_t, InvalidationRow> invalidations;
  std::map<std::int64_t, BackfillRow> backfills;
  std::map<std::pair<std::int64_t, std::int64_t>, StepRequestRow> requests;
  std::map<std::pair<std::string, ModelVersion>, ModelVersionRow> models;
  std::vector<ModelMarkRow> marks;      ///< of models
  std::set<Digest> lost;                ///< objects that are gone
  bool fail_next_commit = false;
  ErrorCode commit_error = ErrorCode::io;
  bool disk_full = false;
  std::size_t commits = 0;
  std::function<void(bool done)> at_commit;  ///< before and after one that works; may throw

  void put(const PipelineRow& row) override;
  void put(const ArrivalRow& row) override;
  void put(const SpanRow& row) override;
  void put(const RunRow& row) override;
  void put(const StepRow& row) override;
  void put(const AttemptRow& row) override;
  void put(const ResultRow& row) override;
  void put(const AcceptanceRow& row) override;
  void put(const ResolutionRow& row) override;
  void put(const AlertRow& row) override;
  void put(const DecisionRow& row) override;
  void put(const HoldRow& row) override;
  void put(const SlotRow& row) override;
  void put(const PollRow& row) override;
  void put(const InvalidationRow& row) override;
  void put(const BackfillRow& row) override;
  void put(const StepRequestRow& row) override;
  void put(const ModelVersionRow& row) override;
  void put(const ModelMarkRow& row) override;
  void mark_fired(const std::vector<std::int64_t>& numbers, RunNumber run) override;

  std::optional<ResultRow> find_result(const Digest& key, std::int64_t before_seq) override;
  std::optional<ResultRow> find_result_by_id(std::int64_t id) override;
  std::optional<Digest> first_lost(const ResultRow& result) override;
  std::optional<ResultRow> nearest_result(const std::string& pipeline, const std::string& step,
                                          const std::string& element) override;
  std::optional<std::int64_t> find_duration(const std::string& pipeline,
                                            const std::string& step) override;
  std::optional<AcceptanceRow> find_acceptance(const Digest& key) override;
  std::optional<ResolutionRow> find_resolution(const Digest& scope,
                                               std::int64_t before_seq) override;
  std::vector<StepRow> finished_steps(const std::string& pipeline, const std::string& step,
                                      const std::string& element, bool full_only,
                                      std::int64_t before_seq, int offset, int limit) override;
  std::vector<Digest> ancestors(const Digest& artifact, int limit) override;
  std::vector<StepRow> steps_of(RunNumber run) override;
  std::optional<RunRow> find_run(RunNumber run) override;

  std::optional<PollRow> find_poll(const std::string& pipeline,
                                   const std::string& source) override;
  std::optional<SlotRow> find_slot(const std::string& pipeline, const std::string& trigger,
                                   const std::string& slot) override;
  std::optional<SlotRow> last_slot(const std::string& pipeline, const std::string& trigger,
                                   TimeMs not_after) override;
  std::vector<RunRow> ended_runs(const std::string& pipeline, int limit) override;
  std::optional<DecisionRow> last_decision(const std::string& pipeline,
                                           const std::string& kind) override;
  std::optional<ArrivalRow> find_arrival(std::int64_t number) override;
  std::optional<ArrivalRow> newest_span(const std::string& pipeline,
                                        const std::string& source) override;
  std::optional<InvalidationRow> find_invalidation(const Digest& key) override;
  bool is_bad(const Digest& artifact) override;
  std::vector<ResultRow> results_with_key(const Digest& key, std::int64_t after,
                                          int limit) override;
  std::vector<ResultRow> results_of_step(const std::string& pipeline, const std::string& step,
                                         const std::string& element, std::int64_t after,
                                         int limit) override;
  std::vector<ResultRow> results_from(const Digest& artifact, std::int64_t after,
                                      int limit) override;

  std::optional<ResultRow> find_maker(const Digest& artifact) override;
  std::optional<ModelVersionRow> newest_model(const std::string& model) override;
  std::optional<ModelVersionRow> find_model(const std::string& model,
                                            const ModelVersion& version) override;
  std::optional<ModelVersionRow> find_model_content(const std::string& model,
                                                    const Digest& content) override;
  std::vector<ModelMarkRow> model_marks(const std::string& model, const std::string& kind,
                                        const std::string& subject) override;

  Result<void> begin() override;
  Result<void> commit() override;
  void rollback() override;
  Result<void> probe() override;
  Result<Recovered> recover() override;

  std::int64_t last_seq = 0;

 private:
  template <class Wanted>
  std::vector<ResultRow> good_results(std::int64_t after, int limit, Wanted wanted) const;
  void note(std::int64_t seq);

  template <class Map, class Key>
  void save(Map& map, const Key& key);
  template <class Map, class Key, class Row>
  void set(Map& map, const Key& key, const Row& row);

  bool open_ = false;
  std::int64_t seq_before_ = 0;
  std::vector<std::function<void()>> undo_;
};

}  // namespace pipelined
