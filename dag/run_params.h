// The values that a run is given for the parameters of its pipeline.
//
// Whether they come from the command line, a webhook or a trigger: each must be declared, of the kind
// of its default, and what its rule allows.  Pure; any thread.
#pragma once

#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined {

/// The given values as their parameters take them: a whole number for a decimal parameter becomes
/// one.  An error names the parameter, what was given and what is allowed.
Result<ValueTable> run_params(const PipelineSpec& spec, const ValueTable& given);

}  // namespace pipelined
