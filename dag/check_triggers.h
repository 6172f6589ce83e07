// Judges what a pipeline file says about when runs start: triggers, expectations, parameters.
//
// A part of check, in a file of its own.  Time zones are looked up if somebody is there who knows
// them.  Pure otherwise; any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dag/spec.h"
#include "dag/time_zone.h"

namespace pipelined {

std::vector<Diagnostic> check_triggers(const PipelineSpec& spec, const std::string& file_name,
                                       ZoneSource* zones);

/// "pipeline.step.output" taken apart; what is not there is empty.
struct StepReference {
  std::string pipeline, step, output;
};
/// REQUIRES: one to three words with dots between.
StepReference parse_step_reference(std::string_view text);

}  // namespace pipelined
