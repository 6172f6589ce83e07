// What single rows must obey, as SQL conditions, and what looking at the rows finds.
//
// Most of a schema is decided by statistics.  What they cannot decide (patterns, lengths, rules over
// several columns), and which rows it was, is asked of the rows: one pass counts everything, a further
// one a broken rule fetches examples.  The session runs in the attempt, behind its walls.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plugins/data/feature_facts.h"
#include "plugins/data/feature_schema.h"
#include "plugins/common/sql_session.h"

namespace pipelined {

/// One condition on rows.
struct RowRule {
  std::string anomaly, feature;
  std::string rule;                   ///< the name of a [rule.NAME]
  std::string broken;                 ///< SQL, true for rows that break it
  std::vector<std::string> together;  ///< instead: columns whose values occur once
  bool alone = false;                 ///< not ours: counted in a query of its own
  std::optional<std::int64_t> known;  ///< how many rows break it, where statistics say so
  double least_share = 1;             ///< of rows that keep it
};

/// A row that breaks something, as text.
struct ExampleRow {
  std::int64_t row = 0;  ///< from 1 on
  std::vector<std::pair<std::string, std::string>> cells;
};

/// A value that should not be there.
struct OffendingValue {
  std::string feature, value;
  std::int64_t count = 0;
};

/// What the rows said about one rule, or about one own check.
struct RowFinding {
  std::int64_t rows = 0;  ///< that break it
  std::vector<OffendingValue> values;
  std::vector<ExampleRow> examples;
  std::string problem;    ///< why it could not be looked at
};

/// The rules for a table with these statistics in this environment.
std::vector<RowRule> row_rules(const TableSchema& schema, const TableFacts& facts,
                               const std::string& environment);

/// All that is asked of rows.
struct RowQuestions {
  std::vector<RowRule> rules;
  std::map<std::string, TableRule> checks;
  const TableFacts* now = nullptr;       ///< the table `statistics` of own checks
  const TableFacts* previous = nullptr;  ///< the table `previous_statistics`; may be null
};

/// The answers: a finding a rule, and a finding an own check.
struct RowAnswers {
  std::vector<RowFinding> rules;
  std::map<std::string, RowFinding> checks;
};

/// Looks at the rows of the input `examples` as far as needed.
Result<RowAnswers> look_at_rows(sdk::Context& context, const RowQuestions& questions);

}  // namespace pipelined
