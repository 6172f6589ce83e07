// The schema of examples: what the table and each column should be, read from TOML (schema/1).
//
//   [feature.carrier]
//   type = "string"; presence = 1.0; domain = ["AA", "UA"]
//   [feature.distance]
//   type = "int"; min = 1; max = 6000
//
// Unknown keys and values of a wrong kind are errors with their line.  What can be read but makes no
// sense (min above max) is a problem of the schema, which judging reports.  docs/validation.md tells
// every key.  Knows nothing of statistics.  Plain data.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/common/column_types.h"

namespace pipelined {

/// What an anomaly does: an error halts, a warning goes on, off is measured only.
enum class Severity { off, warning, error };

/// "off", "warning" or "error".
const char* name_of(Severity severity);
/// The severity of that name.
std::optional<Severity> severity_named(const std::string& name);

/// Thresholds by measure.
using Thresholds = std::map<std::string, double>;

/// How far a figure may be from what it was in the spans before.
struct TrendLimit {
  std::optional<double> relative;  ///< of the mean: 0.5 is half of it
  std::optional<double> sigma;     ///< standard deviations
  int season = 1;                  ///< compare with every so-many-th span before
};

/// What the values of a column stand for, if not for their own type.
enum class Likeness { nothing, boolean, integer, number };

/// What is expected of one column.  What is not stated is not judged.
struct FeatureSchema {
  std::optional<ColumnType> type;  ///< float takes int too
  std::optional<double> presence;  ///< least share of rows with a value; 0: the column may be absent
  std::optional<std::int64_t> min_count;  ///< least number of rows with a value
  std::optional<std::vector<std::string>> domain;  ///< the values that may occur; ints as text
  double in_domain = 1;                            ///< least share of values inside the domain
  std::optional<double> min, max;                  ///< of numbers
  std::optional<std::string> first, last;          ///< min and max of dates and times, as text
  std::optional<std::int64_t> min_distinct, max_distinct, min_length, max_length;
  bool unique = false;              ///< no value twice
  std::string pattern;              ///< RE2, of the whole text; empty: none
  std::optional<bool> allow_nan, allow_infinite;
  Likeness like = Likeness::nothing;
  std::vector<std::string> true_words, false_words;  ///< of texts that are like bools
  bool judged = true;                                ///< false: its stage is not yet, or no more
  std::vector<std::string> environments;             ///< only there; empty: everywhere
  std::vector<std::string> not_in;                   ///< not there
  std::optional<Severity> severity;                  ///< of all its anomalies
  Thresholds drift, skew;
  std::map<std::string, TrendLimit> trend;           ///< "mean", "missing"

  /// Whether the column should be there in this environment; "" is every environment.
  bool expected_in(const std::string& environment) const;
};

/// A rule on rows, or a query that must find nothing.
struct TableRule {
  std::string sql;
  double share = 1;  ///< of a rule: least share of rows that keep it
  std::optional<Severity> severity;
};

/// Something that can be read and makes no sense.
struct SchemaProblem {
  std::string feature, sentence;
};

/// What is expected of a table.
struct TableSchema {
  std::map<std::string, FeatureSchema> features;
  std::optional<std::int64_t> min_rows, max_rows;
  std::optional<double> previous_min, previous_max;  ///< rows over the rows of the span before
  std::vector<std::string> key;                      ///< columns that together occur once
  std::vector<std::string> environments;             ///< the names that may be used; empty: any
  TrendLimit rows_trend;
  std::map<std::string, TableRule> rules, checks;
  std::vector<SchemaProblem> problems;
  bool given = false;  ///< a schema was read at all

  /// The expectations for a column that are judged in this environment; null if there are none.
  const FeatureSchema* judged_feature(const std::string& name,
                                      const std::string& environment) const;
};

/// Reads a schema; errors are sentences that begin with "`name` line 3: ".
Result<TableSchema> parse_schema(const std::string& toml, const std::string& name);

}  // namespace pipelined
