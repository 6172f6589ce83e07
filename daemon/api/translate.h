// Recorded rows as the structs of the protocol.
//
// Adds what rows do not say: steps that still wait have no row.  Why things are as they are is
// explaining.h's part.  Reads through the backend and changes nothing.  Loop thread only.
#pragma once

#include <string>
#include <vector>

#include "daemon/api/backend.h"
#include "daemon/api/protocol.h"

namespace pipelined::api {

protocol::Why why_of(const Reason& reason);
protocol::RunSummary summary_of(const RunView& view);
/// Which of a run's steps are listed.
struct StepPage {
  std::int64_t offset = 0, limit = 500;
  bool stuck_only = false;   ///< only those that failed, halted, are in review or were rejected
};
/// A run with one page of its steps; steps without a row stand as waiting while the run is open.
protocol::RunDetail detail_of(Backend& backend, const RunView& run, const StepPage& page);
/// One step of a run with its attempts, inputs and outputs.
protocol::Step step_of(const StepView& view);

protocol::Span span_of(const SpanRow& row);
protocol::Alert alert_of(const AlertView& view);
protocol::Operator operator_of(const OperatorInfo& info);
protocol::Finding finding_of(const Diagnostic& diagnostic);
protocol::Planned planned_of(const PlannedStep& step);
protocol::PipelineInfo pipeline_of(Backend& backend, const PipelineRow& row);
protocol::Change change_of(const BackendEvent& event);
protocol::ArtifactDetail artifact_of(const ArtifactDetail& detail);

}  // namespace pipelined::api
