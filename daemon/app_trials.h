// Looking at artifacts with SQL and trying single steps, outside of all runs.
//
// Puts together what an ad-hoc attempt needs: inputs from recorded results, parameters, a share of
// the rows.  User data is read by workers alone; of what they write only names, sizes and small
// plain texts are looked at here.  Nothing is recorded.  Loop thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "daemon/api/backend.h"
#include "daemon/app_pipelines.h"
#include "daemon/exec/adhoc.h"
#include "daemon/exec/plugin_registry.h"

namespace pipelined {

class Trials {
 public:
  /// All must outlive this and every callback.
  Trials(Store& store, Artifacts& artifacts, PipelineShelf& shelf, const PluginRegistry& registry,
         AdHoc& adhoc);

  /// See Backend::query_artifacts.
  void query(const std::vector<Digest>& artifacts, const std::string& query, std::int64_t rows,
             std::function<void(Result<std::string>)> done);
  /// See Backend::try_step.
  void try_step(Trial trial, std::function<void(Result<TrialOutcome>)> done);

 private:
  struct Attempt;  ///< a step on its way

  Result<void> find_inputs(Attempt& attempt);
  Result<void> find_input(Attempt& attempt, const PipelineStep& step, const PipelineInput& input);
  Result<void> find_recorded(Attempt& attempt, const PipelineInput& input, PortInputs& port);
  std::optional<ArtifactRef> recorded_output(const std::string& pipeline, const std::string& step,
                                             const std::string& element, const std::string& port);
  Result<SpanRow> span_of(const std::string& pipeline, const std::string& source,
                          const std::string& element);
  void go_on(std::shared_ptr<Attempt> attempt);
  void sample_next(std::shared_ptr<Attempt> attempt, std::size_t port, std::size_t position);
  void start(std::shared_ptr<Attempt> attempt);
  void finish(Attempt& attempt, const AdHocEnd& end);

  Store& store_;
  Artifacts& artifacts_;
  PipelineShelf& shelf_;
  const PluginRegistry& registry_;
  AdHoc& adhoc_;
};

}  // namespace pipelined
