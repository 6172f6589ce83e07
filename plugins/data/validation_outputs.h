// What validation writes: anomalies.json, report.html, remedy.json as text.
//
// Knows the formats anomalies/1, report/1 and remedy/1.  Pure functions over the judgement.
#pragma once

#include <string>

#include "plugins/data/judgement.h"

namespace pipelined {

/// The text of anomalies.json.
std::string anomalies_json(const JudgementInput& input, const Judgement& judgement);

/// The text of remedy.json: class weights and shares to keep that would bring the label back to what
/// it was, if it moved; else both are empty.
std::string remedy_json(const JudgementInput& input, const Judgement& judgement);

/// The text of report.html.
std::string validation_report(const JudgementInput& input, const Judgement& judgement);

}  // namespace pipelined
