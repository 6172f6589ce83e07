// A table beside its schema: columns, presence, types, counts, and what its rows said.
#include <algorithm>

#include "plugins/common/html_report.h"
#include "plugins/data/judge_parts.h"

namespace pipelined {
namespace {

constexpr std::size_t values_named_max = 5;

Check figure(const char* name, const std::string& feature, double measured, double limit,
             bool fired) {
  Check check;
  check.name = name;
  check.feature = feature;
  check.measured = measured;
  check.limit = limit;
  check.fired = fired;
  return check;
}

double share_of(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string rows_text(std::int64_t rows) {
  return std::to_string(rows) + (rows == 1 ? " row" : " rows");
}

class SchemaJudge {
 public:
  SchemaJudge(const JudgementInput& input, FindingBook& book) : input_(input), book_(book) {}

  void judge() {
    for (const SchemaProblem& problem : input_.schema.problems) {
      book_.say("invalid_schema", problem.feature, problem.sentence);
    }
    judge_table();
    for (const auto& [name, expected] : input_.schema.features) judge_column(name, expected);
    for (const FeatureFacts& facts : input_.now.features) {
      judge_encoding(facts);
      if (!input_.schema.given || input_.schema.features.contains(facts.name)) continue;
      book_.say("new_column", facts.name,
                facts.name + ": the data has this column, the schema has not");
    }
    for (std::size_t i = 0; i < input_.rules.size(); ++i) {
      judge_rows(input_.rules[i], input_.answers.rules[i]);
    }
    for (const auto& [name, check] : input_.schema.checks) judge_own(name, check);
  }

 private:
  /// Of every column of texts, whether or not the schema names it.
  void judge_encoding(const FeatureFacts& facts) {
    const auto expected = input_.schema.features.find(facts.name);
    if (facts.type != "string" || facts.count == 0) return;
    if (expected != input_.schema.features.end() && !expected->second.judged) return;
    Check check = figure("invalid_utf8", facts.name, static_cast<double>(facts.invalid_utf8), 0,
                         facts.invalid_utf8 > 0);
    check.rows = facts.invalid_utf8;
    check.sentence = facts.name + " is not UTF-8 in " + rows_text(facts.invalid_utf8) + " (" +
                     percent(share_of(facts.invalid_utf8, facts.rows())) +
                     "); declare the encoding where it is ingested";
    book_.add(std::move(check));
  }

  void judge_table() {
    const auto rows = static_cast<double>(input_.now.rows);
    Check empty = figure("no_rows", "", rows, 1, input_.now.rows == 0);
    empty.sentence = "the table has no rows";
    book_.add(std::move(empty));
    const auto count = [&](const char* name, std::optional<std::int64_t> limit, bool least) {
      if (!limit) return;
      const auto bound = static_cast<double>(*limit);
      Check check = figure(name, "", rows, bound, least ? rows < bound : rows > bound);
      check.sentence = "the table has " + rows_text(input_.now.rows) + ", " +
                       (least ? "at least " : "at most ") + std::to_string(*limit) +
                       " are expected";
      book_.add(std::move(check));
    };
    count("too_few_rows", input_.schema.min_rows, true);
    count("too_many_rows", input_.schema.max_rows, false);
    const auto previous = std::find_if(input_.sides.begin(), input_.sides.end(),
                                       [](const Side& side) { return side.name == "previous"; });
    if (previous == input_.sides.end() || previous->facts.rows == 0) return;
    const double ratio = rows / static_cast<double>(previous->facts.rows);
    const auto change = [&](const char* name, std::optional<double> limit, bool least) {
      if (!limit) return;
      Check check = figure(name, "", ratio, *limit, least ? ratio < *limit : ratio > *limit);
      check.sentence = "the table has " + rows_text(input_.now.rows) + ", " + readable(ratio) +
                       " times the " + std::to_string(previous->facts.rows) + " before; " +
                       (least ? "at least " : "at most ") + readable(*limit) +
                       " times are expected";
      book_.add(std::move(check));
    };
    change("rows_shrank", input_.schema.previous_min, true);
    change("rows_grew", input_.schema.previous_max, false);
  }

  void judge_column(const std::string& name, const FeatureSchema& expected) {
    const FeatureFacts* facts = input_.now.find(name);
    const std::string& environment = input_.options.environment;
    if (!expected.expected_in(environment)) {
      if (facts && facts->count > 0) {
        book_.say("unexpected_in_environment", name,
                  name + ": the schema keeps this column out of the environment " + environment);
      }
      return;
    }
    if (!expected.judged) return;
    const bool required = expected.presence.value_or(1) > 0 || expected.min_count.value_or(0) > 0;
    Check there = figure("missing_column", name, facts ? 1 : 0, 1, !facts && required);
    there.sentence = name + ": the schema has this column, the data has not";
    if (required) book_.add(std::move(there));
    if (facts) judge_facts(*facts, expected);
  }

  void judge_facts(const FeatureFacts& facts, const FeatureSchema& expected) {
    const std::string& name = facts.name;
    const bool asked = expected.presence.value_or(0) > 0 || expected.min_count.value_or(0) > 0;
    if (asked && facts.rows() > 0) {
      Check none = figure("no_values", name, static_cast<double>(facts.count), 1, facts.count == 0);
      none.sentence = name + " has no value in any of " + rows_text(facts.rows());
      book_.add(std::move(none));
    }
    // A column without any value has said so; that it is below its share adds nothing.
    if (expected.presence && facts.rows() > 0 && (facts.count > 0 || !asked)) {
      const double share = share_of(facts.count, facts.rows());
      Check check = figure("low_presence", name, share, *expected.presence,
                           share < *expected.presence);
      check.rows = facts.missing;
      check.sentence = name + " has a value in " + percent(share) + " of the rows (" +
                       std::to_string(facts.missing) + " missing), " +
                       percent(*expected.presence) + " are expected";
      book_.add(std::move(check));
    }
    if (expected.min_count && facts.count > 0) {
      Check check = figure("low_count", name, static_cast<double>(facts.count),
                           static_cast<double>(*expected.min_count),
                           facts.count < *expected.min_count);
      check.sentence = name + " has a value in " + rows_text(facts.count) + ", at least " +
                       std::to_string(*expected.min_count) + " are expected";
      book_.add(std::move(check));
    }
    if (facts.count == 0) return;
    const bool matches = judge_type(facts, expected);
    judge_distinct(facts, expected);
    if (matches) judge_domain_kind(facts, expected);
  }

  bool judge_type(const FeatureFacts& facts, const FeatureSchema& expected) {
    if (!expected.type) return true;
    const std::string type = pipelined::name_of(*expected.type);
    Check check;
    check.name = "type_mismatch";
    check.feature = facts.name;
    check.fired = facts.type != type && !(type == "float" && facts.type == "int");
    check.sentence = facts.name + " is " + facts.type + ", the schema says " + type;
    const bool matches = !check.fired;
    book_.add(std::move(check));
    return matches;
  }

  void judge_distinct(const FeatureFacts& facts, const FeatureSchema& expected) {
    if (!expected.min_distinct && !expected.max_distinct) return;
    if (facts.type == "other") {
      return book_.say("not_countable", facts.name,
                       facts.name + ": distinct values of such a column are not counted");
    }
    const auto judge = [&](const char* name, std::optional<std::int64_t> limit, bool least) {
      if (!limit) return;
      const bool fired = least ? facts.unique < *limit : facts.unique > *limit;
      Check check = figure(name, facts.name, static_cast<double>(facts.unique),
                           static_cast<double>(*limit), fired);
      check.sentence = facts.name + " has " + std::to_string(facts.unique) +
                       " distinct values, " + (least ? "at least " : "at most ") +
                       std::to_string(*limit) + " are expected";
      book_.add(std::move(check));
    };
    judge("too_few_distinct", expected.min_distinct, true);
    judge("too_many_distinct", expected.max_distinct, false);
  }

  /// What the schema asks must be possible for the type that the column has.
  void judge_domain_kind(const FeatureFacts& facts, const FeatureSchema& expected) {
    const bool text = facts.type == "string", number = facts.is_number();
    const bool moment = facts.type == "date" || facts.type == "time";
    const bool read = text && (expected.like == Likeness::integer ||
                               expected.like == Likeness::number);
    const auto cannot = [&](bool asked, bool possible, const std::string& what) {
      if (!asked || possible) return;
      book_.say("invalid_domain", facts.name,
                facts.name + " is " + facts.type + ", which cannot have " + what);
    };
    cannot(expected.domain.has_value(), text || facts.type == "int" || facts.type == "bool",
           "a domain");
    cannot(expected.min || expected.max, number || read, "numbers as min and max");
    cannot(expected.first || expected.last, moment, "dates as min and max");
    cannot(!expected.pattern.empty(), text, "a pattern");
    cannot(expected.min_length || expected.max_length, text, "a length");
    cannot(expected.like == Likeness::boolean, text || number, "like = \"bool\"");
    cannot(expected.like == Likeness::integer || expected.like == Likeness::number, text,
           "like = \"int\" or \"float\"; texts can");
  }

  void judge_rows(const RowRule& rule, const RowFinding& finding) {
    const std::int64_t whole = whole_of(rule);
    const double share = share_of(finding.rows, whole);
    constexpr double rounding = 1e-12;
    Check check = figure(rule.anomaly.c_str(), rule.feature, share, 1 - rule.least_share,
                         share > 1 - rule.least_share + rounding);
    check.rule = rule.rule;
    check.rows = finding.rows;
    check.examples = finding.examples;
    if (rule.anomaly == "below_min" || rule.anomaly == "above_max") put_limits(rule, check);
    if (!finding.problem.empty()) {
      check.name = "invalid_schema";
      check.fired = true;
      check.sentence = name_of(rule) + ": " + finding.problem;
    } else if (check.fired) {
      check.sentence = sentence_of(rule, finding, share);
    }
    std::optional<Severity> own;
    if (!rule.rule.empty()) own = input_.schema.rules.at(rule.rule).severity;
    const bool fired = check.fired;
    book_.add(std::move(check), own);
    if (!fired || book_.judgement.checks.back().severity == Severity::off) return;
    auto& examples = book_.judgement.examples;
    examples.insert(examples.end(), finding.values.begin(), finding.values.end());
  }

  /// A limit's figure is the extreme value, not the share of rows beyond it.
  void put_limits(const RowRule& rule, Check& check) const {
    const bool low = rule.anomaly == "below_min";
    const FeatureFacts* facts = input_.now.find(rule.feature);
    const FeatureSchema& expected = input_.schema.features.at(rule.feature);
    check.limit = low ? expected.min : expected.max;
    check.measured = facts ? (low ? facts->min : facts->max) : std::nullopt;
  }

  std::int64_t whole_of(const RowRule& rule) const {
    const FeatureFacts* facts = input_.now.find(rule.feature);
    return facts ? facts->count : input_.now.rows;
  }

  static std::string name_of(const RowRule& rule) {
    if (!rule.rule.empty()) return "rule " + rule.rule;
    return rule.feature.empty() ? "dataset.key" : rule.feature;
  }

  static std::string named_values(const RowFinding& finding) {
    std::string list;
    for (std::size_t i = 0; i < finding.values.size() && i < values_named_max; ++i) {
      list += (i > 0 ? ", '" : "'") + finding.values[i].value + "'";
    }
    if (finding.values.size() > values_named_max) list += ", …";
    return list;
  }

  std::string sentence_of(const RowRule& rule, const RowFinding& finding, double share) const {
    const std::string& name = rule.anomaly;
    const std::string where = " in " + percent(share) + " of the rows";
    if (name == "below_min" || name == "above_max") return limit_sentence(rule);
    if (name == "infinite_value") return rule.feature + " is infinite in " + rows_text(finding.rows);
    if (name == "nan_value") {
      return rule.feature + " is not a number in " + rows_text(finding.rows);
    }
    if (name == "rule_broken") {
      return "rule " + rule.rule + " is broken by " + rows_text(finding.rows) + " (" +
             percent(share) + "): " + input_.schema.rules.at(rule.rule).sql;
    }
    if (name == "repeated_key") {
      return "the key comes again in " + rows_text(finding.rows);
    }
    const std::string found = " (" + named_values(finding) + ")" + where;
    if (name == "unexpected_value") {
      const std::size_t count = finding.values.size();
      return rule.feature + " has " + std::to_string(count) +
             (count == 1 ? " value" : " values") + " outside its domain" + found;
    }
    if (name == "repeated_value") return rule.feature + " has values more than once" + found;
    const FeatureSchema& expected = input_.schema.features.at(rule.feature);
    if (name == "pattern_mismatch") {
      return rule.feature + " does not match " + expected.pattern + found;
    }
    if (name == "too_short") {
      return rule.feature + " has fewer than " + std::to_string(*expected.min_length) +
             " characters" + found;
    }
    if (name == "too_long") {
      return rule.feature + " has more than " + std::to_string(*expected.max_length) +
             " characters" + found;
    }
    if (name == "not_an_int") return rule.feature + " is no whole number" + found;
    if (name == "not_a_float") return rule.feature + " is no number" + found;
    return rule.feature + " is neither true nor false" + found;
  }

  std::string limit_sentence(const RowRule& rule) const {
    const bool low = rule.anomaly == "below_min";
    const FeatureSchema& expected = input_.schema.features.at(rule.feature);
    const FeatureFacts& facts = *input_.now.find(rule.feature);
    const auto& moment = low ? expected.first : expected.last;
    std::string reached = low ? facts.first : facts.last, limit = moment.value_or("");
    if (!moment) {
      limit = readable(low ? *expected.min : *expected.max);
      const auto& extreme = low ? facts.min : facts.max;
      reached = extreme ? readable(*extreme) : "values";
    }
    return rule.feature + (low ? " goes down to " : " goes up to ") + reached +
           (low ? ", at least " : ", at most ") + limit + " is expected";
  }

  void judge_own(const std::string& name, const TableRule& own) {
    const auto answer = input_.answers.checks.find(name);
    if (answer == input_.answers.checks.end()) return;
    const RowFinding& finding = answer->second;
    Check check = figure("check_failed", "", static_cast<double>(finding.rows), 0,
                         finding.rows > 0);
    check.rule = name;
    check.rows = finding.rows;
    check.examples = finding.examples;
    check.sentence = "check " + name + " found " + rows_text(finding.rows);
    if (!finding.problem.empty()) {
      check.name = "invalid_schema";
      check.fired = true;
      check.sentence = "check " + name + ": " + finding.problem;
    }
    book_.add(std::move(check), own.severity);
  }

  const JudgementInput& input_;
  FindingBook& book_;
};

}  // namespace

void judge_schema(const JudgementInput& input, FindingBook& book) {
  SchemaJudge(input, book).judge();
}

}  // namespace pipelined
