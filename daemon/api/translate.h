// Recorded rows as the structs of the protocol.
//
// Adds what rows do not say: steps that still wait (they have no row), the sentences of explain, the
// spans behind a halt's inputs.  Reads through the backend and changes nothing.  Loop thread only.
#pragma once

#include <string>
#include <vector>

#include "daemon/api/backend.h"
#include "daemon/api/protocol.h"
#include "dag/explain.h"

namespace pipelined::api {

protocol::Why why_of(const Reason& reason);
protocol::RunSummary summary_of(const RunView& view);
/// The whole run; steps without a row stand as waiting while the run is open.
protocol::RunDetail detail_of(Backend& backend, const RunDetail& run);
/// One step of a run with its attempts, inputs and outputs.
protocol::Step step_of(const StepView& view);
/// Why the run is as it is; `name.step` empty: every step that is not simply done.  An unknown step
/// is an error that names the nearest.
Result<protocol::Explanation> explanation_of(Backend& backend, const RunDetail& run,
                                             const StepName& name);
/// What is known of a halted or reviewed step, for sentences.
HeldStep held_of(Backend& backend, const RunDetail& run, const StepView& step);

protocol::Span span_of(const SpanRow& row);
protocol::Alert alert_of(const AlertView& view);
protocol::Operator operator_of(const OperatorInfo& info);
protocol::Finding finding_of(const Diagnostic& diagnostic);
protocol::Planned planned_of(const PlannedStep& step);
protocol::PipelineInfo pipeline_of(Backend& backend, const PipelineRow& row);
protocol::Change change_of(const BackendEvent& event);
protocol::ArtifactDetail artifact_of(const ArtifactDetail& detail);
/// Everything that the artifact was made from, nearest first, at most `limit` nodes.
protocol::Lineage lineage_of(Backend& backend, const Digest& artifact, std::size_t limit);

}  // namespace pipelined::api
