// Asking the rows: counts, offending values and examples through one session of DuckDB.
#include <algorithm>
#include <charconv>
#include <cstdio>

#include "plugins/data/row_rules.h"

namespace pipelined {
namespace {

constexpr std::size_t examples_max = 5;
constexpr std::size_t values_max = 20;
constexpr std::size_t cells_max = 40;
constexpr std::size_t cell_characters_max = 120;

std::int64_t count_in(const std::optional<std::string>& text) {
  std::int64_t count = 0;
  if (text) std::from_chars(text->data(), text->data() + text->size(), count);
  return count;
}

std::string cell_text(const std::optional<std::string>& cell) {
  if (!cell) return "";
  if (cell->size() <= cell_characters_max) return *cell;
  std::size_t end = cell_characters_max;
  while (end > 0 && (static_cast<unsigned char>((*cell)[end]) & 0xC0) == 0x80) --end;
  return cell->substr(0, end) + "…";
}

/// Rows of a result; `numbered`: the first column is the row's number.
std::vector<ExampleRow> example_rows(const TextRows& found, bool numbered) {
  std::vector<ExampleRow> examples;
  for (const auto& cells : found.rows) {
    ExampleRow example;
    if (numbered) example.row = count_in(cells[0]);
    for (std::size_t i = numbered ? 1 : 0; i < cells.size(); ++i) {
      if (example.cells.size() == cells_max) break;
      example.cells.emplace_back(found.columns[i], cell_text(cells[i]));
    }
    examples.push_back(std::move(example));
  }
  return examples;
}

std::string number_or_null(const std::optional<double>& value) {
  if (!value) return "CAST(NULL AS DOUBLE)";
  char text[64];
  std::snprintf(text, sizeof text, "CAST(%.17g AS DOUBLE)", *value);
  return text;
}

/// Statistics as a table that own checks can ask.
std::string statistics_table(const std::string& name, const TableFacts& facts) {
  std::string sql = "CREATE TABLE " + sql_name(name) +
                    "(feature VARCHAR, type VARCHAR, rows BIGINT, count BIGINT, missing BIGINT, "
                    "missing_share DOUBLE, distinct_values BIGINT, mean DOUBLE, std_dev DOUBLE, "
                    "min DOUBLE, max DOUBLE, nan BIGINT, infinite BIGINT);";
  for (const FeatureFacts& one : facts.features) {
    sql += "INSERT INTO " + sql_name(name) + " VALUES (" + sql_literal(one.name) + ", " +
           sql_literal(one.type) + ", " + std::to_string(one.rows()) + ", " +
           std::to_string(one.count) + ", " + std::to_string(one.missing) + ", " +
           number_or_null(one.missing_share()) + ", " + std::to_string(one.unique) + ", " +
           number_or_null(one.mean) + ", " + number_or_null(one.std_dev) + ", " +
           number_or_null(one.min) + ", " + number_or_null(one.max) + ", " +
           std::to_string(one.nan) + ", " + std::to_string(one.infinite) + ");";
  }
  return sql;
}

class RowLook {
 public:
  RowLook(SqlSession& session, const RowQuestions& questions, RowAnswers& answers)
      : session_(session), questions_(questions), answers_(answers) {}

  Result<void> count_ours() {
    std::string sql;
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i < questions_.rules.size(); ++i) {
      const RowRule& rule = questions_.rules[i];
      if (rule.known || rule.alone || !rule.together.empty()) continue;
      sql += (asked.empty() ? "SELECT " : ", ") + ("count(*) FILTER (WHERE " + rule.broken) +
             ") AS n" + std::to_string(i);
      asked.push_back(i);
    }
    if (asked.empty()) return {};
    TRY(found, text_rows(session_.database(), sql + " FROM data", 1));
    for (std::size_t i = 0; i < asked.size(); ++i) {
      answers_.rules[asked[i]].rows = count_in(found.rows[0][i]);
    }
    return {};
  }

  /// Counts what is not ours, and fetches what a person wants to see of all that is broken.
  Result<void> look(const RowRule& rule, RowFinding& finding) {
    if (rule.known == 0) return {};
    if (!rule.together.empty()) return look_at_repeats(rule, finding);
    if (rule.alone) {
      if (!rule.rule.empty()) {
        const auto permitted = session_.permit("rule." + rule.rule, rule.broken);
        if (!permitted) return note_problem(finding, permitted.error());
      }
      const auto found = text_rows(session_.database(),
                                   "SELECT count(*) FROM data WHERE " + rule.broken, 1);
      if (!found) return note_problem(finding, found.error());
      finding.rows = count_in(found->rows[0][0]);
    }
    if (finding.rows == 0) return {};
    if (!rule.feature.empty()) TRY_VOID(fetch_values(rule, finding));
    TRY(rows, text_rows(session_.database(),
                        "SELECT * FROM (SELECT row_number() OVER () AS \"row number\", * FROM data) "
                        "AS data WHERE " + rule.broken + " LIMIT " + std::to_string(examples_max),
                        examples_max));
    finding.examples = example_rows(rows, true);
    return {};
  }

  Result<void> run_check(const std::string& name, const TableRule& check, RowFinding& finding) {
    const auto permitted = session_.permit("check." + name, check.sql);
    if (!permitted) return note_problem(finding, permitted.error());
    const auto found = text_rows(session_.database(), check.sql, examples_max);
    if (!found) return note_problem(finding, found.error());
    finding.rows = found->count;
    finding.examples = example_rows(*found, false);
    return {};
  }

 private:
  static Result<void> note_problem(RowFinding& finding, const Error& error) {
    finding.problem = error.message;
    return {};
  }

  Result<void> fetch_values(const RowRule& rule, RowFinding& finding) {
    const std::string column = sql_name(rule.feature);
    TRY(found, text_rows(session_.database(),
                         "SELECT CAST(" + column + " AS VARCHAR) AS v, count(*) AS n FROM data "
                         "WHERE " + rule.broken + " GROUP BY v ORDER BY n DESC, v LIMIT " +
                         std::to_string(values_max), values_max));
    for (const auto& cells : found.rows) {
      finding.values.push_back({rule.feature, cell_text(cells[0]), count_in(cells[1])});
    }
    return {};
  }

  Result<void> look_at_repeats(const RowRule& rule, RowFinding& finding) {
    std::string columns, there;
    for (const std::string& name : rule.together) {
      columns += (columns.empty() ? "" : ", ") + sql_name(name);
      there += (there.empty() ? "" : " AND ") + sql_name(name) + " IS NOT NULL";
    }
    const std::string groups = "SELECT " + columns + ", count(*) AS \"rows\" FROM data WHERE " +
                               there + " GROUP BY ALL HAVING count(*) > 1";
    const auto sum = text_rows(session_.database(),
                               "SELECT coalesce(sum(\"rows\" - 1), 0)::BIGINT FROM (" + groups + ")",
                               1);
    if (!sum) return note_problem(finding, sum.error());
    finding.rows = count_in(sum->rows[0][0]);
    if (finding.rows == 0) return {};
    TRY(found, text_rows(session_.database(),
                         groups + " ORDER BY ALL DESC LIMIT " + std::to_string(examples_max),
                         examples_max));
    finding.examples = example_rows(found, false);
    if (!rule.feature.empty()) {
      for (const auto& cells : found.rows) {
        finding.values.push_back({rule.feature, cell_text(cells[0]), count_in(cells[1])});
      }
    }
    return {};
  }

  SqlSession& session_;
  const RowQuestions& questions_;
  RowAnswers& answers_;
};

bool nothing_to_ask(const RowQuestions& questions) {
  return questions.checks.empty() &&
         std::all_of(questions.rules.begin(), questions.rules.end(),
                     [](const RowRule& rule) { return rule.known == 0; });
}

}  // namespace

Result<RowAnswers> look_at_rows(sdk::Context& context, const RowQuestions& questions) {
  RowAnswers answers;
  answers.rules.resize(questions.rules.size());
  if (nothing_to_ask(questions)) return answers;
  if (context.input_count("examples") == 0) {
    return Error{ErrorCode::invalid, "look at the rows: the input 'examples' is missing"};
  }
  TRY(session, SqlSession::open(context));
  TRY_VOID(session.bind(context, {{"data", "examples"}}));
  if (!questions.checks.empty()) {
    TRY_VOID(session.database().run(statistics_table("statistics", *questions.now)));
    if (questions.previous) {
      TRY_VOID(session.database().run(statistics_table("previous_statistics",
                                                       *questions.previous)));
    }
  }
  RowLook look(session, questions, answers);
  TRY_VOID(look.count_ours());
  for (std::size_t i = 0; i < questions.rules.size(); ++i) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "validation was asked to stop"};
    const RowRule& rule = questions.rules[i];
    if (rule.known) answers.rules[i].rows = *rule.known;
    TRY_VOID(look.look(rule, answers.rules[i]));
  }
  for (const auto& [name, check] : questions.checks) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "validation was asked to stop"};
    TRY_VOID(look.run_check(name, check, answers.checks[name]));
  }
  return answers;
}

}  // namespace pipelined
