// The verdict on a table: its statistics against a schema and against other statistics.
//
// Drift is measured for every feature; it is judged only where a threshold stands, and the label has
// one of its own when none is set.  Every comparison is kept, fired or not.  Pure functions over
// plain data; knows no files.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/data/drift.h"
#include "plugins/data/feature_facts.h"
#include "plugins/data/feature_schema.h"

namespace pipelined {

/// What an anomaly does: an error halts, a warning is only reported, off is not looked for.
enum class Severity { off, warning, error };

/// "off", "warning" or "error".
const char* name_of(Severity severity);

/// The label's threshold when `drift` has none for it.
inline constexpr double label_threshold = 0.1;

/// How strictly to judge.
struct JudgementOptions {
  std::string label;  ///< empty: what the statistics say
  std::map<std::string, std::map<std::string, double>> drift;  ///< feature, measure, threshold
  std::map<std::string, Severity> severity;                    ///< by the anomaly's name
};

/// One measured distance of a feature from another side.
struct Comparison {
  std::string feature, side;  ///< side: "previous" or "baseline"
  Distance distance;
  std::optional<double> threshold;
  bool fired = false;
  Severity severity = Severity::off;  ///< of the firing; off where nothing is judged
  std::optional<double> mean_before, mean_now;  ///< of numbers
  std::string sentence;
};

/// One thing that is not as it should be.
struct Anomaly {
  std::string name;     ///< as in `anomaly_names`
  std::string feature;  ///< empty: the table
  Severity severity = Severity::error;
  std::string sentence;
};

/// A value that should not be there.
struct OffendingValue {
  std::string feature, value;
  std::int64_t count = 0;
};

/// All that was found.
struct Judgement {
  std::vector<Comparison> comparisons;
  std::vector<Anomaly> anomalies;
  std::vector<OffendingValue> examples;

  /// Whether an anomaly of severity error is among them.
  bool halts() const;
  /// The sentences of all errors, the label's drift first; at most three in full.
  std::string verdict_sentence() const;
};

/// Anomaly names with their severity when nothing is said.
const std::map<std::string, Severity>& anomaly_names();

/// Values of columns that statistics do not list completely: feature to value to count, only values
/// outside the feature's domain.
using ScannedValues = std::map<std::string, std::map<std::string, std::int64_t>>;

/// Features with a domain whose statistics do not list all values: their rows must be scanned.
std::vector<std::string> features_to_scan(const TableSchema& schema, const TableFacts& facts);

/// Judges `now`; `previous` and `baseline` may be null.
Judgement judge(const TableFacts& now, const TableSchema& schema, const TableFacts* previous,
                const TableFacts* baseline, const ScannedValues& scanned,
                const JudgementOptions& options);

}  // namespace pipelined
