// The engine's view of what is recorded.
//
// `put` records a row in the open transaction and later `find`s see it at once; nothing that was
// put is true for anybody else before the shell has committed the whole turn.  Implemented by the
// store (daemon/store) and by the simulator.  The engine decides; a ledger only remembers: no
// method chooses, retries or waits.  Calls come from the loop thread only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "dag/model_records.h"
#include "dag/records.h"

namespace pipelined {

/// Everything the engine needs in order to go on after a start.
struct Recovered {
  std::vector<PipelineRow> pipelines;      ///< current versions
  std::vector<SpanRow> spans;              ///< newest and older versions of every span
  std::vector<ArrivalRow> unfired;         ///< arrivals whose `run` is 0
  std::vector<HoldRow> holds;              ///< active ones, oldest first
  std::vector<RunRow> runs;                ///< queued, running, halted and in review
  std::vector<StepRow> steps;              ///< of those runs
  std::vector<AttemptRow> attempts;        ///< of those runs, still marked running
  std::vector<BackfillRow> backfills;      ///< those that are running
  std::int64_t last_seq = 0, last_run = 0, last_arrival = 0, last_result = 0;
  std::int64_t last_backfill = 0;
};

class Ledger {
 public:
  virtual ~Ledger() = default;

  virtual void put(const PipelineRow& row) = 0;    ///< `current` unsets it on the others of that name
  virtual void put(const ArrivalRow& row) = 0;     ///< by number, replacing
  virtual void put(const SpanRow& row) = 0;        ///< by (pipeline, source, span, version)
  virtual void put(const RunRow& row) = 0;         ///< by number
  virtual void put(const StepRow& row) = 0;        ///< by (run, step, element)
  virtual void put(const AttemptRow& row) = 0;     ///< by id
  virtual void put(const ResultRow& row) = 0;      ///< by id, once
  virtual void put(const AcceptanceRow& row) = 0;  ///< by key, the newest holds
  virtual void put(const ResolutionRow& row) = 0;  ///< by (scope, run)
  virtual void put(const AlertRow& row) = 0;       ///< by id, the first stays; fills the outbox too
  virtual void put(const DecisionRow& row) = 0;
  virtual void put(const HoldRow& row) = 0;        ///< by its identity
  virtual void put(const SlotRow& row) = 0;        ///< by (pipeline, trigger, slot), the first stays
  virtual void put(const PollRow& row) = 0;        ///< by (pipeline, source), replacing
  virtual void put(const InvalidationRow& row) = 0;  ///< by result, the first stays
  virtual void put(const BackfillRow& row) = 0;      ///< by id
  virtual void put(const StepRequestRow& row) = 0;   ///< by (result, ordinal)
  virtual void put(const ModelVersionRow& row) = 0;  ///< by (model, version), once
  virtual void put(const ModelMarkRow& row) = 0;
  /// Marks every arrival of these numbers as taken by `run`.
  virtual void mark_fired(const std::vector<std::int64_t>& arrivals, RunNumber run) = 0;

  /// The newest result with that key whose seq is below `before_seq`, if any; never one that was
  /// declared bad.
  virtual std::optional<ResultRow> find_result(const Digest& key, std::int64_t before_seq) = 0;
  virtual std::optional<ResultRow> find_result_by_id(std::int64_t id) = 0;
  /// The first output of the result whose object is missing or has the wrong size.
  virtual std::optional<Digest> first_lost(const ResultRow& result) = 0;
  /// The newest result with a key of that step and element in that pipeline: what a miss is compared
  /// with.  Empty element: any element will do when none has exactly that one.
  virtual std::optional<ResultRow> nearest_result(const std::string& pipeline,
                                                  const std::string& step,
                                                  const std::string& element) = 0;
  /// How long it took to make a recent result with a key of that step.
  virtual std::optional<std::int64_t> find_duration(const std::string& pipeline,
                                                    const std::string& step) = 0;
  virtual std::optional<AcceptanceRow> find_acceptance(const Digest& key) = 0;
  /// The recorded answer with the highest run among those with seq below `before_seq`.
  virtual std::optional<ResolutionRow> find_resolution(const Digest& scope,
                                                       std::int64_t before_seq) = 0;
  /// Finished (succeeded or cached) step rows of `step` in runs with `full()` options, seq below
  /// `before_seq`, highest run first, at most `limit` after skipping `offset`; never one whose result
  /// was declared bad.
  virtual std::vector<StepRow> finished_steps(const std::string& pipeline, const std::string& step,
                                              const std::string& element, bool full_only,
                                              std::int64_t before_seq, int offset, int limit) = 0;
  /// Every digest that the artifact descends from, through recorded results, nearest first, at most
  /// `limit`; the artifact itself is not among them.
  virtual std::vector<Digest> ancestors(const Digest& artifact, int limit) = 0;
  virtual std::vector<StepRow> steps_of(RunNumber run) = 0;
  virtual std::optional<RunRow> find_run(RunNumber run) = 0;
  virtual std::optional<SlotRow> find_slot(const std::string& pipeline, const std::string& trigger,
                                           const std::string& slot) = 0;
  /// Of that trigger the row with the latest `due_at` that is not after `not_after`.
  virtual std::optional<SlotRow> last_slot(const std::string& pipeline, const std::string& trigger,
                                           TimeMs not_after) = 0;
  virtual std::optional<PollRow> find_poll(const std::string& pipeline,
                                           const std::string& source) = 0;
  /// Runs of the pipeline that are over, highest number first, without their spans.
  virtual std::vector<RunRow> ended_runs(const std::string& pipeline, int limit) = 0;
  /// The newest decision of that kind about the pipeline as a whole.
  virtual std::optional<DecisionRow> last_decision(const std::string& pipeline,
                                                   const std::string& kind) = 0;
  virtual std::optional<ArrivalRow> find_arrival(std::int64_t number) = 0;
  /// The newest first version of a span of that source.
  virtual std::optional<ArrivalRow> newest_span(const std::string& pipeline,
                                                const std::string& source) = 0;
  /// The newest declaration that a result with that key is bad.
  virtual std::optional<InvalidationRow> find_invalidation(const Digest& key) = 0;
  /// Whether all recorded results that made this artifact were declared bad, and there is one.
  virtual bool is_bad(const Digest& artifact) = 0;
  /// Results that were not declared bad, oldest first, at most `limit` with ids above `after`: of a
  /// key, …
  virtual std::vector<ResultRow> results_with_key(const Digest& key, std::int64_t after,
                                                  int limit) = 0;
  /// … of a step (an empty element: of all its elements), …
  virtual std::vector<ResultRow> results_of_step(const std::string& pipeline,
                                                 const std::string& step,
                                                 const std::string& element, std::int64_t after,
                                                 int limit) = 0;
  /// … with this artifact among their inputs.
  virtual std::vector<ResultRow> results_from(const Digest& artifact, std::int64_t after,
                                              int limit) = 0;
  /// The newest result that made this artifact rather than passing it on; never one that was
  /// declared bad.
  virtual std::optional<ResultRow> find_maker(const Digest& artifact) = 0;
  /// The version of that model with the highest number.
  virtual std::optional<ModelVersionRow> newest_model(const std::string& model) = 0;
  virtual std::optional<ModelVersionRow> find_model(const std::string& model,
                                                    const ModelVersion& version) = 0;
  virtual std::optional<ModelVersionRow> find_model_content(const std::string& model,
                                                            const Digest& content) = 0;
  /// All marks of that kind and subject, oldest first.
  virtual std::vector<ModelMarkRow> model_marks(const std::string& model, const std::string& kind,
                                                const std::string& subject) = 0;
};

}  // namespace pipelined
