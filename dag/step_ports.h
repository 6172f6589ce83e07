// The names of a spec resolved against operators: ports, outputs, edges, fan-out.
//
// What `check` (which reports) and `compile` (which relies) must see alike stands here once.  Every
// function is forgiving: an unknown name gives an empty answer, for `check` to complain about.
// Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dag/graph.h"
#include "dag/operator_info.h"
#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined {

/// The outputs that this step has, in the operator's order: those of the descriptor, those that the
/// step declares with `out.x`, and for a port named after a parameter (`{shares}`,
/// `{shares}_statistics`) one for every key of that table.  `*` never appears.
std::vector<PortInfo> outputs_of(const StepSpec& step, const OperatorInfo& info);

/// The only output that is neither evidence nor optional: what `in.x = "step"` means.  An error
/// names the candidates when there are none or several.
Result<PortInfo> only_output(const StepSpec& step, const OperatorInfo& info);

/// The output of that name (or the only one, when the name is empty), or an error that names the
/// nearest.
Result<PortInfo> output_of(const StepSpec& step, const OperatorInfo& info,
                           const std::string& output);

/// The port that an input of this step feeds, with the name that the step gives it; nothing when the
/// operator has no such port.
std::optional<PortInfo> input_of(const StepSpec& step, const OperatorInfo& info,
                                 const std::string& port);

/// Whether an output of `given` ("examples/1") may feed an input of type `wanted` ("*", "a/1|b/1").
bool types_fit(const std::string& given, const std::string& wanted);

/// The source whose spans are the elements of each step, in file order; empty: one element.  Follows
/// `foreach` through other steps; a circle or an unknown name gives empty.
std::vector<std::string> fan_sources(const PipelineSpec& spec);

/// Edges between steps (numbers are places in `spec.steps`): data of the same run and `after`.
/// `latest` reads earlier runs and makes none; a step's own earlier span makes none.
std::vector<Edge> step_edges(const PipelineSpec& spec);

/// Whether this input reads something that another step makes in the same run.
bool reads_this_run(const InputSpec& input);

}  // namespace pipelined
