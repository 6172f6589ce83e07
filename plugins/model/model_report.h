// The operator `model.report`: an evaluation and an explanation as one page.
//
// Reads evaluation/1 and explanation/1 and writes a report/1 that needs no network and no script.
#pragma once

#include "operators/sdk.h"

namespace pipelined::evaluation {

/// Reads ports `evaluation` and, where it is given, `explanation`; writes `report`.
Result<void> model_report(sdk::Context& context);

}  // namespace pipelined::evaluation
