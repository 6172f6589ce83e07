// The names of a spec resolved against operators: ports, outputs, edges, fan-out.
//
// What `check` (which reports) and `compile` (which relies) must see alike stands here once.  Every
// function is forgiving: an unknown name gives an empty answer, for `check` to complain about.
// Pure functions, any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "dag/graph.h"
#include "dag/operator_info.h"
#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined {

/// The outputs that this step has: those of the descriptor (`{shares}` spelled out from the resolved
/// `params`), then those that the step declares with `out.x`.  `*` never appears.
std::vector<PortInfo> outputs_of(const StepSpec& step, const OperatorInfo& info,
                                 const ValueTable& params);

/// The output of that name among a step's `outputs`; for an empty name the only one that is neither
/// evidence nor optional, which is what `in.x = "step"` means.  An error names the nearest or the
/// candidates.
Result<PortInfo> pick_output(const std::string& step, const std::vector<PortInfo>& outputs,
                             const std::string& name);

/// The port that an input of this step feeds, with the name that the step gives it; nothing when the
/// operator has no such port.
std::optional<PortInfo> input_of(const StepSpec& step, const OperatorInfo& info,
                                 const std::string& port);

/// Whether an output of `given` ("examples/1") may feed an input of type `wanted` ("*", "a/1|b/1").
bool types_fit(const std::string& given, const std::string& wanted);

/// The source whose spans are the elements of each step, in file order; empty: one element.  Follows
/// `foreach` through other steps; a circle or an unknown name gives empty.
std::vector<std::string> fan_sources(const PipelineSpec& spec);

/// Parameters that the engine fills in where the operator of a step that generates declares them: the
/// elements so far in order, each {values, done}, `generates.max`, and whether `generates.time` has
/// passed, so that it must end.
inline constexpr const char* generated_param = "generated";
inline constexpr const char* generated_max_param = "generated_max";
inline constexpr const char* generated_stopped_param = "generated_stopped";
/// The kind of the request that names an element.
inline constexpr const char* element_request = "element";

/// What stands for a source where the elements come from a step that generates them: "@search".
std::string generated_source(const std::string& step);
/// Whether it is such a one: its elements are no spans.
inline bool is_generated_source(const std::string& fan_source) {
  return fan_source.starts_with('@');
}
/// The step that generates the elements of such a source; empty: they are spans.
std::string generator_of(const std::string& fan_source);
/// What `${name}` in the parameters of a fanned-out step stands for: the pipeline's parameters and,
/// where a step generates the elements (else null), `each.x` with the values that it declares.
ValueTable step_values(ValueTable params, const StepSpec* generator);

/// Edges between steps (numbers are places in `spec.steps`): data of the same run, `after`, and
/// `foreach`, whose elements must be known first.  What looks back (`span = -1`, `latest`) makes none.
std::vector<Edge> step_edges(const PipelineSpec& spec);

/// The steps' places by name.
std::unordered_map<std::string_view, std::uint32_t> step_places(const PipelineSpec& spec);

}  // namespace pipelined
