// The verdict on a table: its statistics and rows against a schema and against other statistics.
//
// Everything that is compared is kept, fired or not: a check is a figure beside a limit, a comparison
// a distance from another side.  Drift is measured for every feature; it is judged only where a
// threshold stands, and the label has one of its own when none is set.  Pure functions over plain
// data; knows no files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/data/anomaly_names.h"
#include "plugins/data/drift.h"
#include "plugins/data/feature_facts.h"
#include "plugins/data/feature_schema.h"
#include "plugins/data/row_rules.h"

namespace pipelined {

/// The label's threshold when none is set.
inline constexpr double label_threshold = 0.1;
/// Earlier spans that n standard deviations need at least.
inline constexpr std::size_t history_min = 3;

/// How strictly to judge.
struct JudgementOptions {
  std::string label;        ///< empty: what the statistics say
  std::string environment;  ///< empty: columns of all environments are expected
  std::map<std::string, Thresholds> drift, skew;  ///< feature or "*"; measure "": the usual one
  std::map<std::string, Severity> severity;       ///< by the anomaly's name
  double small_sample = 1000;  ///< with fewer rows on a side a difference must be significant too
  double significance = 0.05;  ///< the p-value up to which it is
};

/// Statistics to compare with.
struct Side {
  std::string name;   ///< "previous", "window", "baseline", "serving" or "eval"
  bool skew = false;  ///< thresholds of skew rather than of drift
  TableFacts facts;
};

/// All that is judged.
struct JudgementInput {
  TableFacts now;
  TableSchema schema;
  std::vector<Side> sides;
  std::vector<TableFacts> history;  ///< earlier spans, the latest last
  std::vector<RowRule> rules;
  RowAnswers answers;               ///< to these rules and to the schema's own checks
  JudgementOptions options;
};

/// One measured distance of a feature from another side.
struct Comparison {
  std::string feature, side;
  Distance distance;
  std::optional<double> threshold;
  bool fired = false;
  bool uncertain = false;               ///< beyond the threshold, but chance explains it
  bool usual = false;                   ///< the measure that is taken when none is named
  Severity severity = Severity::off;    ///< of the firing; off where nothing is judged
  std::optional<double> mean_before, mean_now;  ///< of numbers
  std::string period_before, period_now;        ///< of dates and times: first and last
  std::string sentence;
};

/// A feature that could not be compared with another side.
struct Uncompared {
  std::string feature, side, why;
};

/// A figure beside its limit; an anomaly once it has fired.
struct Check {
  std::string name;     ///< the anomaly's
  std::string feature;  ///< empty: the table
  std::string rule;     ///< of a [rule.NAME] or [check.NAME]
  Severity severity = Severity::error;
  bool fired = false;
  std::optional<double> measured, limit;
  std::string sentence;  ///< of what fired
  std::int64_t rows = 0;
  std::vector<ExampleRow> examples;
};

/// All that was found.
struct Judgement {
  std::vector<Comparison> comparisons;
  std::vector<Uncompared> uncompared;
  std::vector<Check> checks;
  std::vector<Check> anomalies;  ///< the checks that fired, and what the comparisons found
  std::vector<OffendingValue> examples;

  /// Whether an anomaly of severity error is among them.
  bool halts() const;
  /// "pass", "warn" or "halt".
  const char* verdict() const;
  /// The sentences of all errors, the label's drift first; at most three in full.
  std::string verdict_sentence() const;
  /// The same of all warnings.
  std::string warning_sentence() const;
};

/// Judges.
Judgement judge(const JudgementInput& input);

/// The label: of the options, else of the statistics.
std::string label_of(const JudgementInput& input);

}  // namespace pipelined
