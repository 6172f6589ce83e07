// Judges the parameters of one step: names, kinds, limits, choices, references, command templates.
//
// A part of check.h on its own, because parameters are also judged when a run gets others with
// `--param`.  Knows nothing of steps beside this one.  Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "dag/operator_info.h"
#include "dag/pipeline.h"
#include "dag/spec.h"

namespace pipelined {

/// Something wrong with the parameter of that dotted name ("drift.late.l_infinity"); empty: with
/// the step as a whole.
struct ParamProblem {
  std::string name, message;
};

/// What is wrong with the step's parameters, given the pipeline's own and the files of the bundle.
std::vector<ParamProblem> check_params(const StepSpec& step, const OperatorInfo& info,
                                       const ValueTable& pipeline_params,
                                       const BundleFiles& files);

/// What is wrong with the argv, env and stdin of a `command.run` step, `${…}` already replaced.
std::vector<ParamProblem> check_command_params(const StepSpec& step, const OperatorInfo& info,
                                               const ValueTable& params);

/// What is wrong with the arguments and env of a `python.call` step, `${…}` already replaced.
std::vector<ParamProblem> check_python_params(const StepSpec& step, const ValueTable& params);

/// The names of the pipeline's parameters that a value refers to with `${name}`.
std::vector<std::string> references_in(const Value& value);

/// Whether the table is { file = "…" }: that file's name, else nothing.
const std::string* file_reference(const ValueTable& table);

}  // namespace pipelined
