// The language of `--select`: which steps of a pipeline take part.
//
//   train            that step                    +train     it and all that it needs
//   train+           it and all that needs it     2+train+1  two levels up, one level down
//   tag:nightly      steps with that tag          group:prep steps of that group
//   step:data_*      `*` matches any characters   data_*     the same
//
//   a and b, a,b     both        not a, !a    all but        ( … )   first this
//   a or b, a b      either; in a row of words `!x` takes away: "validate+ !tag:model"
//
// Knows the spec alone, nothing of runs.  Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dag/pipeline.h"
#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined {

/// The selected steps' names in file order.  An error says at which character what is wrong, and the
/// nearest name.  An empty expression selects everything.
Result<std::vector<std::string>> select_steps(const PipelineSpec& spec,
                                              std::string_view expression);
/// The same of a compiled pipeline.
Result<std::vector<std::string>> select_steps(const Pipeline& pipeline,
                                              std::string_view expression);

}  // namespace pipelined
