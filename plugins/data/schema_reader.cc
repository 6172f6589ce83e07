// The reader of schema/1: TOML to TableSchema.
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>

#include "plugins/data/drift.h"
#include "plugins/data/feature_schema.h"

namespace pipelined {
namespace {

std::string text_of(const toml::key& key) { return std::string(key.str()); }

/// Reads one table of TOML key by key; the first error stays.
class TableReader {
 public:
  TableReader(const std::string& file, std::string where, const toml::table& table)
      : file_(file), where_(std::move(where)), table_(table) {}

  /// Each `take` hands over the value if the key is there and marks it as known.
  template <class Value>
  void take(const char* key, std::optional<Value>& into, const char* expected) {
    const toml::node* node = known(key);
    if (!node) return;
    into = node->value<Value>();
    if (!into) fail(key, std::string(expected) + " is expected");
  }
  void take_number(const char* key, std::optional<double>& into, double low, double high,
                   const char* expected) {
    take(key, into, expected);
    if (into && !(*into >= low && *into <= high)) fail(key, std::string(expected) + " is expected");
  }
  void take_count(const char* key, std::optional<std::int64_t>& into) {
    const toml::node* node = known(key);
    if (!node) return;
    into = node->value_exact<std::int64_t>();
    if (!into || *into < 0) fail(key, "a whole number from 0 on is expected");
  }
  void take_words(const char* key, std::vector<std::string>& into) {
    const toml::node* node = known(key);
    if (!node) return;
    if (node->is_string()) {
      into = {node->value_or(std::string())};
      return;
    }
    if (!node->is_array()) return fail(key, "a list of words is expected");
    for (const toml::node& item : *node->as_array()) {
      const auto word = item.value_exact<std::string>();
      if (!word) return fail(key, "a list of words is expected");
      into.push_back(*word);
    }
  }
  void take_severity(std::optional<Severity>& into) {
    std::optional<std::string> word;
    take("severity", word, "a word");
    if (!word) return;
    into = severity_named(*word);
    if (!into) fail("severity", "'error', 'warning' or 'off' is expected");
  }
  /// The table below a key; null if it is not there.
  const toml::table* table(const char* key) {
    const toml::node* node = known(key);
    if (!node) return nullptr;
    if (!node->is_table()) fail(key, "a table is expected");
    return node->as_table();
  }
  const toml::node* known(const char* key) {
    known_.insert(key);
    return table_.get(key);
  }
  void fail(const std::string& key, const std::string& why) {
    const auto found = table_.find(key);
    const auto line = found == table_.end() ? table_.source().begin.line
                                            : found->first.source().begin.line;
    if (!error_) {
      error_ = Error{ErrorCode::invalid, file_ + " line " + std::to_string(line) + ": " +
                                             (where_.empty() ? key : where_ + "." + key) + ": " +
                                             why};
    }
  }
  /// Success if all went well and no key is left over.
  Result<void> end() {
    for (const auto& [key, node] : table_) {
      if (known_.contains(text_of(key))) continue;
      std::string names;
      for (const std::string& name : known_) names += (names.empty() ? "" : ", ") + name;
      fail(text_of(key), "no such key; there are " + names);
    }
    if (error_) return *error_;
    return {};
  }
  const std::string& where() const { return where_; }
  const std::string& file() const { return file_; }
  const toml::table& raw() const { return table_; }

 private:
  const std::string& file_;
  std::string where_;
  const toml::table& table_;
  std::set<std::string> known_;
  std::optional<Error> error_;
};

constexpr double endless = std::numeric_limits<double>::infinity();

Result<TrendLimit> read_trend(const std::string& file, const std::string& where,
                              const toml::table& table) {
  TableReader reader(file, where, table);
  TrendLimit limit;
  reader.take_number("relative", limit.relative, 0, endless, "a share from 0 on");
  reader.take_number("sigma", limit.sigma, 0, endless, "a number from 0 on");
  std::optional<std::int64_t> season;
  reader.take_count("season", season);
  if (season && (*season < 1 || *season > 1000)) reader.fail("season", "1 to 1000 is expected");
  limit.season = static_cast<int>(season.value_or(1));
  if (!limit.relative && !limit.sigma) reader.fail("relative", "relative or sigma is expected");
  TRY_VOID(reader.end());
  return limit;
}

void read_thresholds(TableReader& reader, const char* key, Thresholds& into) {
  const toml::table* table = reader.table(key);
  if (!table) return;
  for (const auto& [measure, node] : *table) {
    const auto threshold = node.value<double>();
    if (!measure_named(text_of(measure))) {
      reader.fail(key, "there is no measure '" + text_of(measure) + "'");
    } else if (!threshold || !(*threshold >= 0)) {
      reader.fail(key, text_of(measure) + ": a number from 0 on is expected");
    } else {
      into[text_of(measure)] = *threshold;
    }
  }
}

void read_domain(TableReader& reader, FeatureSchema& feature) {
  const toml::node* node = reader.known("domain");
  if (!node) return;
  if (!node->is_array()) return reader.fail("domain", "a list of values is expected");
  feature.domain.emplace();
  for (const toml::node& item : *node->as_array()) {
    if (const auto word = item.value_exact<std::string>()) {
      feature.domain->push_back(*word);
    } else if (const auto number = item.value_exact<std::int64_t>()) {
      feature.domain->push_back(std::to_string(*number));
    } else {
      return reader.fail("domain", "strings or whole numbers are expected");
    }
  }
}

/// A bound of numbers, or a date or time as statistics write it.
void read_bound(TableReader& reader, const char* key, std::optional<double>& number,
                std::optional<std::string>& moment) {
  const toml::node* node = reader.known(key);
  if (!node) return;
  std::stringstream text;
  if (const auto value = node->value<double>()) {
    number = *value;
    if (std::isnan(*value)) reader.fail(key, "a number is expected");
  } else if (const auto date = node->value<toml::date>()) {
    text << *date;
  } else if (const auto time = node->value<toml::date_time>()) {
    text << toml::date_time{time->date, time->time};
  } else {
    reader.fail(key, "a number, a date or a time is expected");
  }
  if (!text.str().empty()) moment = text.str();
}

void read_stage(TableReader& reader, FeatureSchema& feature) {
  std::optional<std::string> stage;
  reader.take("stage", stage, "a word");
  if (!stage) return;
  const std::set<std::string> silent{"planned", "alpha", "deprecated", "debug_only", "disabled"};
  feature.judged = !silent.contains(*stage);
  if (feature.judged && *stage != "beta" && *stage != "production") {
    reader.fail("stage", "planned, alpha, beta, production, deprecated, debug_only or disabled "
                         "is expected");
  }
}

void read_likeness(TableReader& reader, FeatureSchema& feature) {
  std::optional<std::string> like;
  reader.take("like", like, "a word");
  reader.take_words("true_words", feature.true_words);
  reader.take_words("false_words", feature.false_words);
  if (!like) return;
  if (*like == "bool") feature.like = Likeness::boolean;
  if (*like == "int") feature.like = Likeness::integer;
  if (*like == "float") feature.like = Likeness::number;
  if (feature.like == Likeness::nothing) reader.fail("like", "bool, int or float is expected");
}

Result<FeatureSchema> read_feature(const std::string& file, const std::string& name,
                                   const toml::table& table) {
  TableReader reader(file, "feature." + name, table);
  FeatureSchema feature;
  std::optional<std::string> type;
  reader.take("type", type, "a word");
  if (type) feature.type = column_type_named(*type);
  if (type && !feature.type) {
    reader.fail("type", "int, float, bool, string, date or time is expected");
  }
  reader.take("presence", feature.presence, "a number from 0 to 1");
  reader.take_count("min_count", feature.min_count);
  read_domain(reader, feature);
  std::optional<double> in_domain;
  reader.take("in_domain", in_domain, "a number from 0 to 1");
  feature.in_domain = in_domain.value_or(1);
  read_bound(reader, "min", feature.min, feature.first);
  read_bound(reader, "max", feature.max, feature.last);
  reader.take_count("min_distinct", feature.min_distinct);
  reader.take_count("max_distinct", feature.max_distinct);
  reader.take_count("min_length", feature.min_length);
  reader.take_count("max_length", feature.max_length);
  std::optional<bool> unique;
  reader.take("unique", unique, "true or false");
  feature.unique = unique.value_or(false);
  std::optional<std::string> pattern;
  reader.take("pattern", pattern, "a regular expression as text");
  feature.pattern = pattern.value_or("");
  reader.take("allow_nan", feature.allow_nan, "true or false");
  reader.take("allow_infinite", feature.allow_infinite, "true or false");
  read_likeness(reader, feature);
  read_stage(reader, feature);
  reader.take_words("environments", feature.environments);
  reader.take_words("not_in", feature.not_in);
  reader.take_severity(feature.severity);
  read_thresholds(reader, "drift", feature.drift);
  read_thresholds(reader, "skew", feature.skew);
  if (const toml::table* trend = reader.table("trend")) {
    for (const char* figure : {"mean", "missing"}) {
      const toml::node* node = trend->get(figure);
      if (!node || !node->is_table()) continue;
      TRY(limit, read_trend(file, "feature." + name + ".trend." + figure, *node->as_table()));
      feature.trend[figure] = limit;
    }
    if (feature.trend.size() != trend->size()) {
      reader.fail("trend", "tables named mean and missing are expected");
    }
  }
  TRY_VOID(reader.end());
  return feature;
}

Result<TableRule> read_rule(const std::string& file, const std::string& where, bool rows,
                            const toml::table& table) {
  TableReader reader(file, where, table);
  TableRule rule;
  std::optional<std::string> sql;
  const char* key = rows ? "holds" : "query";
  reader.take(key, sql, rows ? "an SQL condition" : "a SELECT");
  if (!sql || sql->empty()) reader.fail(key, rows ? "an SQL condition is needed" : "a SELECT is needed");
  rule.sql = sql.value_or("");
  std::optional<double> share;
  if (rows) reader.take_number("share", share, 0, 1, "a number from 0 to 1");
  rule.share = share.value_or(1);
  reader.take_severity(rule.severity);
  TRY_VOID(reader.end());
  return rule;
}

Result<void> read_dataset(const std::string& file, const toml::table& table, TableSchema& schema) {
  TableReader reader(file, "dataset", table);
  reader.take_count("min_rows", schema.min_rows);
  reader.take_count("max_rows", schema.max_rows);
  reader.take_words("key", schema.key);
  reader.take_words("environments", schema.environments);
  if (const toml::table* ratio = reader.table("rows_to_previous")) {
    TableReader inner(file, "dataset.rows_to_previous", *ratio);
    inner.take_number("min", schema.previous_min, 0, endless, "a number from 0 on");
    inner.take_number("max", schema.previous_max, 0, endless, "a number from 0 on");
    TRY_VOID(inner.end());
  }
  if (const toml::table* trend = reader.table("rows_trend")) {
    TRY(limit, read_trend(file, "dataset.rows_trend", *trend));
    schema.rows_trend = limit;
  }
  return reader.end();
}

/// What can be read and makes no sense, said as problems.
class SenseCheck {
 public:
  SenseCheck(TableSchema& schema, const std::string& name, const FeatureSchema& feature)
      : schema_(schema), name_(name), feature_(feature) {}

  void check() {
    if (feature_.presence && !(*feature_.presence >= 0 && *feature_.presence <= 1)) {
      say("presence is not between 0 and 1");
    }
    if (!(feature_.in_domain >= 0 && feature_.in_domain <= 1)) {
      say("in_domain is not between 0 and 1");
    }
    if (feature_.in_domain < 1 && !feature_.domain) say("in_domain needs a domain");
    if (above(feature_.min, feature_.max) || above(feature_.first, feature_.last)) {
      say("min is greater than max");
    }
    if (above(feature_.min_distinct, feature_.max_distinct)) {
      say("min_distinct is greater than max_distinct");
    }
    if (above(feature_.min_length, feature_.max_length)) {
      say("min_length is greater than max_length");
    }
    check_domain();
    check_words();
    for (const auto* names : {&feature_.environments, &feature_.not_in}) {
      for (const std::string& one : *names) {
        if (schema_.environments.empty() || known(one)) continue;
        say("environment '" + one + "' is not among dataset.environments");
      }
    }
  }

 private:
  template <class Value>
  static bool above(const std::optional<Value>& low, const std::optional<Value>& high) {
    return low && high && *low > *high;
  }
  bool known(const std::string& environment) const {
    const auto& all = schema_.environments;
    return std::find(all.begin(), all.end(), environment) != all.end();
  }
  void say(const std::string& why) {
    schema_.problems.push_back({name_, "feature." + name_ + ": " + why});
  }
  void check_domain() {
    if (!feature_.domain) return;
    if (feature_.domain->empty()) say("the domain is empty");
    std::set<std::string> seen;
    for (const std::string& value : *feature_.domain) {
      if (!seen.insert(value).second) say("the domain has '" + value + "' twice");
    }
  }
  void check_words() {
    const bool words = !feature_.true_words.empty() || !feature_.false_words.empty();
    const bool text = feature_.type == ColumnType::text;
    if (words && feature_.like != Likeness::boolean) {
      say("true_words and false_words need like = \"bool\"");
    }
    if (feature_.like == Likeness::boolean && feature_.type && text != words) {
      say(text ? "like = \"bool\" of texts needs true_words and false_words"
               : "true_words and false_words are for texts");
    }
  }

  TableSchema& schema_;
  const std::string& name_;
  const FeatureSchema& feature_;
};

Result<void> read_rules(const std::string& file, const char* group, const toml::table& table,
                        std::map<std::string, TableRule>& into) {
  for (const auto& [key, node] : table) {
    const std::string where = std::string(group) + "." + text_of(key);
    if (!node.is_table()) {
      return Error{ErrorCode::invalid, file + " line " +
                                           std::to_string(key.source().begin.line) + ": " + where +
                                           ": a table is expected"};
    }
    TRY(rule, read_rule(file, where, std::string(group) == "rule", *node.as_table()));
    into[text_of(key)] = rule;
  }
  return {};
}

Result<TableSchema> read_root(const std::string& file, const toml::table& root) {
  TableSchema schema;
  schema.given = true;
  TableReader reader(file, "", root);
  if (const toml::table* dataset = reader.table("dataset")) {
    TRY_VOID(read_dataset(file, *dataset, schema));
  }
  if (const toml::table* features = reader.table("feature")) {
    for (const auto& [key, node] : *features) {
      if (!node.is_table()) {
        reader.fail("feature", text_of(key) + ": a table is expected");
        continue;
      }
      TRY(feature, read_feature(file, text_of(key), *node.as_table()));
      schema.features[text_of(key)] = std::move(feature);
    }
  }
  if (const toml::table* rules = reader.table("rule")) {
    TRY_VOID(read_rules(file, "rule", *rules, schema.rules));
  }
  if (const toml::table* checks = reader.table("check")) {
    TRY_VOID(read_rules(file, "check", *checks, schema.checks));
  }
  TRY_VOID(reader.end());
  if (schema.min_rows && schema.max_rows && *schema.min_rows > *schema.max_rows) {
    schema.problems.push_back({"", "dataset: min_rows is greater than max_rows"});
  }
  for (const auto& [name, feature] : schema.features) SenseCheck(schema, name, feature).check();
  return schema;
}

}  // namespace

Result<TableSchema> parse_schema(const std::string& toml, const std::string& name) {
  try {
    const toml::table root = toml::parse(toml);
    return read_root(name, root);
  } catch (const toml::parse_error& thrown) {
    return Error{ErrorCode::invalid, name + " line " + std::to_string(thrown.source().begin.line) +
                                         ": " + std::string(thrown.description())};
  }
}

}  // namespace pipelined
