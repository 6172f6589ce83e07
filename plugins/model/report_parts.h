// The parts of a model's report, each from the JSON of its artifact.
//
// Pure: documents in, blocks of a page out.  They throw what nlohmann/json throws where a document
// is not what docs/formats.md says; the caller makes a sentence of it.
#pragma once

#include <nlohmann/json.hpp>

#include "plugins/common/html_report.h"

namespace pipelined::evaluation {

/// Verdict, metrics beside the baseline, what was required, curves, counts, slices, fairness.
void add_evaluation(const nlohmann::json& evaluation, HtmlReport& report);
/// Importance, dependence, interactions.
void add_explanation(const nlohmann::json& explanation, HtmlReport& report);

}  // namespace pipelined::evaluation
