// What the HTTP interface asks for, answered by the parts of the daemon.
//
// Keeps the callers who wait for the engine and those who listen to changes; everything else is
// looked up where it belongs.  It decides nothing.  Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "daemon/api/backend.h"
#include "daemon/app_deliveries.h"
#include "daemon/app_pipelines.h"
#include "daemon/app_trials.h"
#include "daemon/exec/plugin_registry.h"
#include "daemon/exec/supervisor.h"

namespace pipelined {

/// The parts that answer.  All must outlive the backend.
struct BackendParts {
  Store& store;
  Artifacts& artifacts;
  Supervisor& supervisor;
  PipelineShelf& shelf;
  Deliveries& deliveries;
  const PluginRegistry& registry;
  Trials& trials;
  Clock& clock;
  /// Runs a function on the loop, later.
  std::function<void(std::function<void()>)> post;
  /// Further figures ("alerts_delivered_total") that other parts know.
  std::function<void(DaemonFigures&)> add_figures;
  std::function<std::vector<DoctorLine>()> doctor;
  /// The tokens have changed.
  std::function<void()> tokens_changed;
  std::function<Result<ReloadOutcome>()> reload;
  std::function<void(const std::string& sink, std::function<void(Result<std::string>)>)> test_sink;
  std::function<Result<std::string>(const std::string& name)> secret;
  /// A fact for the log: who was denied what, or that the audit log could not be written.
  std::function<void(const char* word, const RequestOrigin&, const std::string&)> note;
  Keeping& keeping;
};

class DaemonBackend : public Backend {
 public:
  explicit DaemonBackend(BackendParts parts);

  void set_origin(OriginPointer origin) override { origin_ = std::move(origin); }
  void end_request(const OriginPointer& origin, const std::string& outcome) override;
  Result<std::string> create_token(const TokenWish& wish) override;
  Result<void> revoke_token(const std::string& name, const std::string& who) override;
  Result<ReloadOutcome> reload() override { return parts_.reload(); }
  Result<std::string> secret(const std::string& name) override { return parts_.secret(name); }
  void test_sink(const std::string& name, std::function<void(Result<std::string>)> done) override {
    parts_.test_sink(name, std::move(done));
  }
  void submit(Event event, Answer done) override;
  void apply_pipeline(PipelineUpload upload,
                      std::function<void(Result<ApplyOutcome>)> done) override;
  std::vector<Diagnostic> check(const PipelineUpload& upload) override;
  Result<std::vector<PlannedStep>> plan(const std::string& pipeline,
                                        const RunOptions& options) override;
  Result<std::vector<StepFreshness>> freshness(const std::string& pipeline) override;
  std::optional<Reason> why_waiting(RunNumber run, const StepName& step) override;
  std::shared_ptr<const Pipeline> pipeline(const std::string& name) override;
  Result<std::vector<PlannedStep>> plan_migration(RunNumber run) override;
  Result<std::vector<PlannedSpan>> plan_backfill(const BackfillRow& wish) override;
  Result<std::vector<Dependent>> dependents(const event::InvalidateRequested& wish) override;
  std::shared_ptr<const Pipeline> pipeline_version(const Digest& version) override;
  Store& store() override { return parts_.store; }
  Result<OpenedFile> open_file(const Digest& artifact, const std::string& path) override;
  void query_artifacts(const std::vector<Digest>& artifacts, const std::string& query,
                       std::int64_t rows, std::function<void(Result<std::string>)> done) override;
  void try_step(Trial trial, std::function<void(Result<TrialOutcome>)> done) override;
  std::string log_path(const std::string& attempt) override;
  OperatorListing operators() override;
  std::vector<SourceState> sources() override;
  std::vector<DoctorLine> doctor() override { return parts_.doctor(); }
  DaemonFigures figures() override;
  Keeping& keeping() override { return parts_.keeping; }
  std::uint64_t subscribe(Listener listener) override;
  void unsubscribe(std::uint64_t subscription) override;

  /// The engine applied a request in the open turn: its line of the audit log is part of it.
  void on_applied(const Event& event, const effect::Reply* reply);
  /// The engine's answer to a request, or the supervisor's refusal.
  void on_reply(const effect::Reply& reply);
  /// Tells everybody who listens.
  void publish(const BackendEvent& event);

 private:
  Result<const Engine*> engine_that_plans() const;
  using ReplyCallback = std::function<void(const effect::Reply&)>;
  RequestId wait_for_reply(ReplyCallback done, OriginPointer origin);
  AuditRow audit_row(const RequestOrigin& origin, std::string outcome) const;
  void put_in_force(std::shared_ptr<const Pipeline> pipeline, const std::string& folder,
                    ApplyOutcome outcome, OriginPointer origin,
                    std::function<void(Result<ApplyOutcome>)> done);

  BackendParts parts_;
  TimeMs started_at_;
  RequestId last_request_ = 0;
  /// A caller who waits, and whom the audit log names.
  struct Waiting {
    ReplyCallback done;
    OriginPointer origin;
  };
  std::map<RequestId, Waiting> waiting_;
  OriginPointer origin_;
  std::int64_t denials_ = 0;             ///< recorded in this minute
  TimeMs denials_since_ = 0;
  std::uint64_t last_subscription_ = 0;
  std::map<std::uint64_t, Listener> listeners_;
  std::shared_ptr<DaemonBackend*> self_;  ///< late callbacks look here
};

/// The row of the version in force, or nothing.
std::optional<PipelineRow> row_in_force(Store& store, const std::string& pipeline);

}  // namespace pipelined
