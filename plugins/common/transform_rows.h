// What a transform has to know, gathered from examples.
//
// The loop that transform.analyse, transform.fit and trainings without a transform of their own
// share.  Reads batch by batch: memory does not grow with the rows.
#pragma once

#include <vector>

#include "model/analysis.h"
#include "operators/sdk.h"
#include "plugins/common/examples.h"

namespace pipelined {

/// Reads everything that `reader` has; says how far it is when `progress` is wanted.
Result<model::Analysis> analyse_rows(ExamplesReader& reader,
                                     std::vector<model::FeatureSpec> features,
                                     const sdk::Context& context, bool progress);

}  // namespace pipelined
