// The pipelines that the simulator runs, and operators with nothing behind them.
#pragma once

#include <string>
#include <vector>

#include "dag/pipeline.h"

namespace pipelined::sim {

/// Texts that pass `check`; every construct of the engine stands in one of them.
const std::vector<std::string>& pipeline_texts();
OperatorSet operators();
/// The text without one step.
std::string without_step(const std::string& text, const std::string& step);
/// The text without its schedule, so that it comes to rest.
std::string without_schedule(const std::string& text);
/// The same pipeline as its owner changes it: other values of [params], another policy.
std::string revised(const std::string& text, std::int64_t variant);

}  // namespace pipelined::sim
