// The pipelines that the simulator runs, and operators with nothing behind them.
#pragma once

#include <string>
#include <vector>

#include "dag/pipeline.h"

namespace pipelined::sim {

/// Texts that pass `check`; every construct of the engine stands in one of them.
const std::vector<std::string>& pipeline_texts();
OperatorSet operators();

}  // namespace pipelined::sim
