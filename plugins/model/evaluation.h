// An evaluation: every metric of a model on some rows, slice by slice, with curves and a blessing.
//
// Computes it from scored rows; evaluation_json.cc writes it as evaluation/1.  Knows nothing of files
// or ports.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "model/signature.h"
#include "plugins/model/blessing.h"
#include "plugins/model/evaluate_settings.h"
#include "plugins/model/ranking.h"
#include "plugins/model/scored_rows.h"

namespace pipelined::evaluation {

/// The points of one curve.
struct Curve {
  std::string name;   ///< "roc" (x: false positive rate, y: recall), "pr" (x: recall, y: precision),
                      ///< "calibration" (x: mean score, y: mean label), "scores" (x: from this score)
  std::string slice;
  bool baseline = false;  ///< of the baseline, not of the model
  std::vector<CurvePoint> points;
};

/// The counts behind the metrics of one slice at one threshold.
struct SliceCounts {
  std::string slice;
  std::int64_t rows = 0;
  double threshold = 0;
  Counts counts;
};

/// A slice as it was found.
struct SliceFacts {
  std::string name;
  std::int64_t rows = 0;
  bool measured = true;  ///< false: fewer rows than the least that is measured
};

/// Groups that were compared with one of them.
struct FairnessGroups {
  std::string column, reference;
  std::vector<std::string> groups;  ///< the others, as slices
  std::string sentence;             ///< why nothing was compared; "" if something was
};

/// What evaluation.json holds.
struct Evaluation {
  std::vector<SliceFacts> slices;
  std::vector<Metric> metrics;  ///< all rows first, then slice by slice
  std::vector<SliceCounts> counts;
  std::vector<std::vector<std::int64_t>> confusion;  ///< of classes: truth by guess, all rows
  std::vector<Curve> curves;
  std::vector<FairnessGroups> fairness;
  Blessing blessing;
};

/// Metrics of all rows and of each slice, in sorted order.  Errors: too many slices, a reference
/// group that does not occur, stopped.
Result<Evaluation> evaluate(const ScoredRows& rows, const model::Signature& signature,
                            const EvaluateSettings& settings, const Baseline& baseline,
                            const std::function<bool()>& stop_asked);

/// The text of evaluation.json.
std::string evaluation_json(const Evaluation& evaluation, const ScoredRows& rows,
                            const model::Signature& signature, const EvaluateSettings& settings,
                            const Baseline& baseline);

}  // namespace pipelined::evaluation
