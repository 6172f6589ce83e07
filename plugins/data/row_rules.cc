// From a schema to conditions on rows.
#include "plugins/data/row_rules.h"

#include <algorithm>
#include <cstdio>

namespace pipelined {
namespace {

std::string number_literal(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

std::string word_list(const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ", ") + sql_literal(word);
  return list.empty() ? "NULL" : list;
}

/// The rules of one column.
class FeatureRules {
 public:
  FeatureRules(const FeatureFacts& facts, const FeatureSchema& expected, std::vector<RowRule>& rules)
      : facts_(facts), expected_(expected), rules_(rules), column_(sql_name(facts.name)),
        text_(facts.type == "string"), whole_(facts.type == "int"), real_(facts.type == "float") {}

  void add() {
    if (facts_.count == 0) return;
    add_domain();
    add_limits();
    add_moments();
    add_texts();
    add_likeness();
    if (real_ && expected_.allow_nan == false) {
      put("nan_value", "isnan(" + column_ + ")", facts_.nan);
    }
    const bool bounded = expected_.min || expected_.max;
    if (real_ && (expected_.allow_infinite == false || (bounded && !expected_.allow_infinite))) {
      put("infinite_value", "isinf(" + column_ + ")", facts_.infinite);
    }
    if (expected_.unique) {
      RowRule rule{"repeated_value", facts_.name, "", "", {facts_.name}, false, std::nullopt, 1};
      if (facts_.unique_exact && facts_.type != "other") rule.known = facts_.count - facts_.unique;
      rules_.push_back(std::move(rule));
    }
  }

 private:
  RowRule& put(const char* anomaly, std::string broken,
               std::optional<std::int64_t> known = std::nullopt) {
    rules_.push_back({anomaly, facts_.name, "", std::move(broken), {}, false, known, 1});
    return rules_.back();
  }

  void add_domain() {
    if (!expected_.domain || real_ || !(text_ || whole_ || facts_.type == "bool")) return;
    const std::string value = text_ ? column_ : "CAST(" + column_ + " AS VARCHAR)";
    std::optional<std::int64_t> outside;
    if (facts_.complete) {
      outside = 0;
      const auto& domain = *expected_.domain;
      for (const auto& [known, count] : facts_.values) {
        if (std::find(domain.begin(), domain.end(), known) == domain.end()) *outside += count;
      }
    }
    put("unexpected_value", value + " NOT IN (" + word_list(*expected_.domain) + ")", outside)
        .least_share = expected_.in_domain;
  }

  void add_limits() {
    const bool read = text_ && (expected_.like == Likeness::integer ||
                                expected_.like == Likeness::number);
    if (!whole_ && !real_ && !read) return;
    const std::string value = read ? "TRY_CAST(" + column_ + " AS DOUBLE)" : column_;
    // Not a number, and infinite, are anomalies of their own.
    const std::string finite = whole_ ? "" : " AND isfinite(" + value + ")";
    const auto known = [&](bool fires) -> std::optional<std::int64_t> {
      return read || fires ? std::nullopt : std::optional<std::int64_t>(0);
    };
    if (expected_.min) {
      put("below_min", value + " < " + number_literal(*expected_.min) + finite,
          known(facts_.min && *facts_.min < *expected_.min));
    }
    if (expected_.max) {
      put("above_max", value + " > " + number_literal(*expected_.max) + finite,
          known(facts_.max && *facts_.max > *expected_.max));
    }
  }

  void add_moments() {
    const bool date = facts_.type == "date";
    if (!date && facts_.type != "time") return;
    const std::string kind = date ? "DATE " : "TIMESTAMP ";
    // Statistics write moments so that their order is the order of the texts.
    if (expected_.first) {
      put("below_min", column_ + " < " + kind + sql_literal(*expected_.first),
          facts_.first < *expected_.first ? std::nullopt : std::optional<std::int64_t>(0));
    }
    if (expected_.last) {
      put("above_max", column_ + " > " + kind + sql_literal(*expected_.last),
          facts_.last > *expected_.last ? std::nullopt : std::optional<std::int64_t>(0));
    }
  }

  void add_texts() {
    if (!text_) return;
    if (!expected_.pattern.empty()) {
      put("pattern_mismatch",
          "NOT regexp_full_match(" + column_ + ", " + sql_literal(expected_.pattern) + ")")
          .alone = true;
    }
    if (expected_.min_length) {
      put("too_short", "length(" + column_ + ") < " + std::to_string(*expected_.min_length));
    }
    if (expected_.max_length) {
      put("too_long", "length(" + column_ + ") > " + std::to_string(*expected_.max_length));
    }
  }

  void add_likeness() {
    switch (expected_.like) {
      case Likeness::nothing: return;
      case Likeness::integer:
        if (text_) {
          put("not_an_int", "NOT regexp_full_match(" + column_ +
                                ", '[+-]?[0-9]+') OR TRY_CAST(" + column_ + " AS BIGINT) IS NULL");
        }
        return;
      case Likeness::number:
        if (text_) {
          put("not_a_float",
              column_ + " IS NOT NULL AND TRY_CAST(" + column_ + " AS DOUBLE) IS NULL");
        }
        return;
      case Likeness::boolean: return add_bool();
    }
  }

  void add_bool() {
    const auto decided = [](bool fires) -> std::optional<std::int64_t> {
      return fires ? std::nullopt : std::optional<std::int64_t>(0);
    };
    if (whole_) {
      put("bool_too_big", column_ + " > 1", decided(facts_.max && *facts_.max > 1));
      put("bool_too_small", column_ + " < 0", decided(facts_.min && *facts_.min < 0));
    } else if (real_) {
      put("bool_unexpected_float", column_ + " NOT IN (0, 1) AND NOT isnan(" + column_ + ")");
    } else if (text_) {
      std::vector<std::string> words = expected_.true_words;
      words.insert(words.end(), expected_.false_words.begin(), expected_.false_words.end());
      put("bool_unexpected_string", column_ + " NOT IN (" + word_list(words) + ")");
    }
  }

  const FeatureFacts& facts_;
  const FeatureSchema& expected_;
  std::vector<RowRule>& rules_;
  std::string column_;
  bool text_, whole_, real_;
};

}  // namespace

std::vector<RowRule> row_rules(const TableSchema& schema, const TableFacts& facts,
                               const std::string& environment) {
  std::vector<RowRule> rules;
  for (const FeatureFacts& feature : facts.features) {
    const FeatureSchema* expected = schema.judged_feature(feature.name, environment);
    if (expected) FeatureRules(feature, *expected, rules).add();
  }
  if (!schema.key.empty()) {
    rules.push_back({"repeated_key", "", "", "", schema.key, true, std::nullopt, 1});
  }
  for (const auto& [name, rule] : schema.rules) {
    rules.push_back(
        {"rule_broken", "", name, "NOT (" + rule.sql + "\n)", {}, true, std::nullopt, rule.share});
  }
  return rules;
}

}  // namespace pipelined
