// The page of statistics: one or two tables, feature by feature, what differs most at the top.
//
// Made from statistics/1 alone, so that its size depends on no number of rows; of many features the
// first ones are drawn and the others listed, so that a page stays below a megabyte.  Knows nothing
// of operators.  Pure functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/data/drift.h"
#include "plugins/data/feature_facts.h"

namespace pipelined {

/// One side of a report.
struct ReportSide {
  std::string name;        ///< how the page calls it
  std::string json;        ///< of statistics.json
  TableFacts facts;        ///< the same, read
  std::vector<SliceFacts> slices;

  static Result<ReportSide> read(std::string name, std::string json);
};

/// Something wrong with a feature, or with the table if `feature` is empty.
struct ReportProblem {
  std::string feature, severity, sentence;
};

/// What differs in one feature.
struct FeatureDifference {
  std::string feature;
  const FeatureFacts* before = nullptr;   ///< null: the feature is new
  const FeatureFacts* now = nullptr;      ///< null: it is gone
  std::vector<Distance> distances;
  double score = 0;                       ///< 0 to 1: the order of the page
  std::string sentence;                   ///< "true: 9.8 % before, 21.1 % now"
  std::string not_compared;               ///< why there is no distance; empty: there is one

  /// The distance as people read it, "–" where there is none.
  std::string distance_text() const;
  /// What differs, and why it could not be compared.
  std::string remark() const;
};

/// What a comparison says as a whole.
struct ComparisonVerdict {
  std::string title, sentence;
};

/// REQUIRES: at least one difference.
ComparisonVerdict verdict_of(const std::vector<FeatureDifference>& differences);

/// All features of both sides, what differs most first; equal ones in the order of the table.
std::vector<FeatureDifference> differences(const TableFacts& before, const TableFacts& now);

/// The problems that the text of an anomalies.json lists.
Result<std::vector<ReportProblem>> read_problems(const std::string& anomalies_json);

/// The page.  `before` may be null.
std::string statistics_report(const ReportSide* before, const ReportSide& now,
                              const std::vector<ReportProblem>& problems);

/// The text of comparison.json: rows of both sides and every feature's distances.
std::string comparison_json(const ReportSide& before, const ReportSide& now);

}  // namespace pipelined
