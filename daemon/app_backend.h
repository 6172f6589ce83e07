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
  Clock& clock;
  /// Runs a function on the loop, later.
  std::function<void(std::function<void()>)> post;
  /// Further figures ("alerts_delivered_total") that other parts know.
  std::function<void(DaemonFigures&)> add_figures;
  std::function<std::vector<DoctorLine>()> doctor;
};

class DaemonBackend : public Backend {
 public:
  explicit DaemonBackend(BackendParts parts);

  void submit(Event event, Answer done) override;
  void apply_pipeline(PipelineUpload upload,
                      std::function<void(Result<ApplyOutcome>)> done) override;
  std::vector<Diagnostic> check(const PipelineUpload& upload) override;
  Result<std::vector<PlannedStep>> plan(const std::string& pipeline,
                                        const RunOptions& options) override;
  std::shared_ptr<const Pipeline> pipeline(const std::string& name) override;
  std::shared_ptr<const Pipeline> pipeline_version(const Digest& version) override;
  Store& store() override { return parts_.store; }
  Result<OpenedFile> open_file(const Digest& artifact, const std::string& path) override;
  std::string log_path(const std::string& attempt) override;
  OperatorListing operators() override;
  std::vector<SourceState> sources() override;
  std::vector<DoctorLine> doctor() override { return parts_.doctor(); }
  DaemonFigures figures() override;
  std::uint64_t subscribe(Listener listener) override;
  void unsubscribe(std::uint64_t subscription) override;

  /// The engine's answer to a request, or the supervisor's refusal.
  void on_reply(const effect::Reply& reply);
  /// Tells everybody who listens.
  void publish(const BackendEvent& event);

 private:
  using ReplyCallback = std::function<void(const effect::Reply&)>;
  RequestId wait_for_reply(ReplyCallback done);
  void put_in_force(std::shared_ptr<const Pipeline> pipeline, const std::string& folder,
                    ApplyOutcome outcome, std::function<void(Result<ApplyOutcome>)> done);

  BackendParts parts_;
  TimeMs started_at_;
  RequestId last_request_ = 0;
  std::map<RequestId, ReplyCallback> waiting_;
  std::uint64_t last_subscription_ = 0;
  std::map<std::uint64_t, Listener> listeners_;
  std::shared_ptr<DaemonBackend*> self_;  ///< late callbacks look here
};

/// The row of the version in force, or nothing.
std::optional<PipelineRow> row_in_force(Store& store, const std::string& pipeline);

}  // namespace pipelined
