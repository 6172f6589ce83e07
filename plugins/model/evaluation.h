// An evaluation: every metric of a model on some rows, slice by slice, and the curves.
//
// Computes it from scored rows and writes it as the JSON of evaluation/1.  Knows nothing of files
// or ports.
#pragma once

#include <string>
#include <vector>

#include "model/signature.h"
#include "plugins/model/metrics.h"
#include "plugins/model/scored_rows.h"

namespace pipelined::evaluation {

/// The points of one curve.
struct Curve {
  std::string name;  ///< "roc" (x: false positive rate, y: recall) or "pr" (x: recall, y: precision)
  std::string slice;
  std::vector<CurvePoint> points;
};

/// What evaluation.json holds.
struct Evaluation {
  std::vector<Metric> metrics;  ///< all rows first, then slice by slice
  std::vector<SliceCounts> counts;
  std::vector<Curve> curves;
};

/// Metrics of all rows and of each value of each slice column, in sorted order.
Evaluation evaluate(const ScoredRows& rows, const model::Signature& signature,
                    const std::vector<double>& thresholds);

/// The text of evaluation.json.
std::string evaluation_json(const Evaluation& evaluation, const ScoredRows& rows,
                            const model::Signature& signature);

}  // namespace pipelined::evaluation
