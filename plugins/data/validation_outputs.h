// What validation writes: anomalies.json, report.html, remedy.json as text.
//
// Knows the formats anomalies/1, report/1 and remedy/1.  Pure functions over the judgement.
#pragma once

#include <map>
#include <string>

#include "plugins/data/judgement.h"

namespace pipelined {

/// The text of anomalies.json.
std::string anomalies_json(const JudgementInput& input, const Judgement& judgement);

/// What brings the label's shares back to what they were.
struct Remedy {
  std::string method = "none";                     ///< none, weights or undersample
  std::map<std::string, double> class_weights;     ///< of weights: how much a row of the class counts
  std::map<std::string, double> undersample;       ///< of undersample: the share of its rows to keep
  std::string why;
};

/// The remedy of that method if the label moved; none if it did not, or cannot be brought back.
Remedy find_remedy(const JudgementInput& input, const Judgement& judgement,
                   const std::string& method);

/// Whether the label's drift is all that halts: then a remedy is an answer to the halt.
bool only_label_moved(const JudgementInput& input, const Judgement& judgement);

/// The text of remedy.json.
std::string remedy_json(const JudgementInput& input, const Remedy& remedy);

/// The text of report.html.
std::string validation_report(const JudgementInput& input, const Judgement& judgement);

}  // namespace pipelined
