// A ledger that reads the real one and forgets what is put: the ground of `plan`.
//
// Pure forwarding; knows nothing of why.  Lives as long as one plan.
#pragma once

#include "dag/ledger.h"

namespace pipelined {

class DryLedger : public Ledger {
 public:
  /// The real ledger must outlive this one.
  explicit DryLedger(Ledger& real) : real_(real) {}

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

  std::optional<ResultRow> find_result(const Digest& key, std::int64_t before_seq) override {
    return real_.find_result(key, before_seq);
  }
  std::optional<PollRow> find_poll(const std::string& pipeline,
                                   const std::string& source) override {
    return real_.find_poll(pipeline, source);
  }
  std::optional<ResultRow> find_result_by_id(std::int64_t id) override {
    return real_.find_result_by_id(id);
  }
  std::optional<Digest> first_lost(const ResultRow& result) override {
    return real_.first_lost(result);
  }
  std::optional<ResultRow> nearest_result(const std::string& pipeline, const std::string& step,
                                          const std::string& element) override {
    return real_.nearest_result(pipeline, step, element);
  }
  std::optional<std::int64_t> find_duration(const std::string& pipeline,
                                            const std::string& step) override {
    return real_.find_duration(pipeline, step);
  }
  std::optional<AcceptanceRow> find_acceptance(const Digest& key) override {
    return real_.find_acceptance(key);
  }
  std::optional<ResolutionRow> find_resolution(const Digest& scope,
                                               std::int64_t before_seq) override {
    return real_.find_resolution(scope, before_seq);
  }
  std::vector<StepRow> finished_steps(const std::string& pipeline, const std::string& step,
                                      const std::string& element, bool full_only,
                                      std::int64_t before_seq, int offset, int limit) override {
    return real_.finished_steps(pipeline, step, element, full_only, before_seq, offset, limit);
  }
  std::vector<Digest> ancestors(const Digest& artifact, int limit) override {
    return real_.ancestors(artifact, limit);
  }
  std::vector<StepRow> steps_of(RunNumber run) override { return real_.steps_of(run); }
  std::optional<RunRow> find_run(RunNumber run) override { return real_.find_run(run); }
  std::optional<SlotRow> find_slot(const std::string& pipeline, const std::string& trigger,
                                   const std::string& slot) override {
    return real_.find_slot(pipeline, trigger, slot);
  }
  std::optional<SlotRow> last_slot(const std::string& pipeline, const std::string& trigger,
                                   TimeMs not_after) override {
    return real_.last_slot(pipeline, trigger, not_after);
  }
  std::vector<RunRow> ended_runs(const std::string& pipeline, int limit) override {
    return real_.ended_runs(pipeline, limit);
  }
  std::optional<DecisionRow> last_decision(const std::string& pipeline,
                                           const std::string& kind) override {
    return real_.last_decision(pipeline, kind);
  }
  std::optional<ArrivalRow> find_arrival(std::int64_t number) override {
    return real_.find_arrival(number);
  }
  std::optional<ArrivalRow> newest_span(const std::string& pipeline,
                                        const std::string& source) override {
    return real_.newest_span(pipeline, source);
  }
  std::optional<InvalidationRow> find_invalidation(const Digest& key) override {
    return real_.find_invalidation(key);
  }
  bool is_bad(const Digest& artifact) override { return real_.is_bad(artifact); }
  std::vector<ResultRow> results_with_key(const Digest& key, std::int64_t after,
                                          int limit) override {
    return real_.results_with_key(key, after, limit);
  }
  std::vector<ResultRow> results_of_step(const std::string& pipeline, const std::string& step,
                                         const std::string& element, std::int64_t after,
                                         int limit) override {
    return real_.results_of_step(pipeline, step, element, after, limit);
  }
  std::vector<ResultRow> results_from(const Digest& artifact, std::int64_t after,
                                      int limit) override {
    return real_.results_from(artifact, after, limit);
  }
  std::optional<ResultRow> find_maker(const Digest& artifact) override {
    return real_.find_maker(artifact);
  }
  std::optional<ModelVersionRow> newest_model(const std::string& model) override {
    return real_.newest_model(model);
  }
  std::optional<ModelVersionRow> find_model(const std::string& model,
                                            const ModelVersion& version) override {
    return real_.find_model(model, version);
  }
  std::optional<ModelVersionRow> find_model_content(const std::string& model,
                                                    const Digest& content) override {
    return real_.find_model_content(model, content);
  }
  std::vector<ModelMarkRow> model_marks(const std::string& model, const std::string& kind,
                                        const std::string& subject) override {
    return real_.model_marks(model, kind, subject);
  }

 private:
  Ledger& real_;
};

}  // namespace pipelined
