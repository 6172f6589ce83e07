// The language of `--select`: which steps of a pipeline take part.
//
//   train          that step                +train   it and all that it needs
//   train+         it and all that needs it +train+  both
//   tag:nightly    steps with that tag      data_*   `*` matches any characters of a name
//
// Blanks unite; a comma keeps what both sides have ("+train,tag:model"); a leading `!` takes away.
// Knows the spec alone, nothing of runs.  Pure, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"
#include "dag/spec.h"

namespace pipelined {

/// The selected steps' names in file order.  An error says which word names nothing, and the
/// nearest name.  An empty expression selects everything.
Result<std::vector<std::string>> select_steps(const PipelineSpec& spec,
                                              std::string_view expression);

}  // namespace pipelined
