// What keeps data from following a schema, as changes of the schema.
#include "plugins/data/schema_changes.h"

#include <algorithm>
#include <cstdio>

#include "plugins/common/html_report.h"
#include "plugins/data/schema_words.h"

namespace pipelined {
namespace {

std::string optional_number(const std::optional<double>& value) {
  return value ? toml_number(*value) : "";
}

std::string list_of(const std::vector<std::string>& domain, bool numbers) {
  std::string list = "[";
  for (const std::string& value : domain) {
    list += (list.size() > 1 ? ", " : "") + (numbers ? value : toml_text(value));
  }
  return list + "]";
}

/// The changes of one column that both have.
class FeatureChanges {
 public:
  FeatureChanges(const FeatureFacts& facts, const FeatureSchema& expected,
                 std::vector<SchemaChange>& changes)
      : facts_(facts), expected_(expected), changes_(changes),
        id_("feature." + toml_key(facts.name)) {}

  void find() {
    const double present = 1 - facts_.missing_share();
    if (expected_.presence && facts_.rows() > 0 && present < *expected_.presence) {
      put("presence", optional_number(expected_.presence), toml_number(likely_presence(facts_)),
          std::to_string(facts_.missing) + " of " + std::to_string(facts_.rows()) +
              " rows lack it");
    }
    if (expected_.min_count && facts_.count < *expected_.min_count) {
      put("min_count", std::to_string(*expected_.min_count), std::to_string(facts_.count),
          "only so many rows have a value");
    }
    if (facts_.count == 0) return;
    find_type();
    if (expected_.min && facts_.min && *facts_.min < *expected_.min) {
      put("min", optional_number(expected_.min), toml_number(*facts_.min), "the least value");
    }
    if (expected_.max && facts_.max && *facts_.max > *expected_.max) {
      put("max", optional_number(expected_.max), toml_number(*facts_.max), "the greatest value");
    }
    if (expected_.first && !facts_.first.empty() && facts_.first < *expected_.first) {
      put("min", *expected_.first, facts_.first, "the earliest value");
    }
    if (expected_.last && !facts_.last.empty() && facts_.last > *expected_.last) {
      put("max", *expected_.last, facts_.last, "the latest value");
    }
    find_distinct();
    if (expected_.domain && facts_.complete) find_domain();
  }

 private:
  void put(const std::string& key, std::string before, std::string after, std::string why) {
    changes_.push_back({id_ + "." + key, std::move(before), std::move(after), std::move(why)});
  }

  void find_type() {
    if (!expected_.type || facts_.type == "other") return;
    const std::string type = name_of(*expected_.type);
    if (facts_.type == type || (type == "float" && facts_.type == "int")) return;
    put("type", toml_text(type), toml_text(facts_.type), "the type of the values");
  }

  void find_distinct() {
    if (expected_.max_distinct && facts_.unique > *expected_.max_distinct) {
      put("max_distinct", std::to_string(*expected_.max_distinct), std::to_string(facts_.unique),
          "so many different values came");
    }
    if (expected_.min_distinct && facts_.unique < *expected_.min_distinct) {
      put("min_distinct", std::to_string(*expected_.min_distinct), std::to_string(facts_.unique),
          "so few different values came");
    }
  }

  void find_domain() {
    std::vector<std::string> domain = *expected_.domain;
    std::int64_t rows = 0;
    std::string fresh;
    for (const auto& [value, count] : facts_.values) {
      if (count == 0 || std::find(domain.begin(), domain.end(), value) != domain.end()) continue;
      domain.push_back(value);
      rows += count;
      fresh += (fresh.empty() ? "" : ", ") + value;
    }
    const double share = static_cast<double>(rows) / static_cast<double>(facts_.count);
    if (rows == 0 || share <= 1 - expected_.in_domain) return;
    const bool numbers = facts_.type == "int";
    put("domain", list_of(*expected_.domain, numbers), list_of(domain, numbers),
        fresh + " in " + percent(share) + " of the rows");
  }

  const FeatureFacts& facts_;
  const FeatureSchema& expected_;
  std::vector<SchemaChange>& changes_;
  std::string id_;
};

}  // namespace

std::vector<SchemaChange> schema_changes(const TableSchema& schema, const TableFacts& facts) {
  std::vector<SchemaChange> changes;
  const std::string rows = std::to_string(facts.rows);
  if (schema.min_rows && facts.rows < *schema.min_rows) {
    changes.push_back({"dataset.min_rows", std::to_string(*schema.min_rows), rows, "fewer rows came"});
  }
  if (schema.max_rows && facts.rows > *schema.max_rows) {
    changes.push_back({"dataset.max_rows", std::to_string(*schema.max_rows), rows, "more rows came"});
  }
  for (const auto& [name, expected] : schema.features) {
    if (!expected.judged) continue;
    const FeatureFacts* feature = facts.find(name);
    if (feature) {
      FeatureChanges(*feature, expected, changes).find();
    } else if (expected.presence.value_or(1) > 0 || expected.min_count.value_or(0) > 0) {
      changes.push_back({"feature." + toml_key(name) + ".presence",
                         optional_number(expected.presence), "0", "the data has no such column"});
    }
  }
  for (const FeatureFacts& feature : facts.features) {
    if (schema.features.contains(feature.name)) continue;
    changes.push_back({"feature." + toml_key(feature.name), "", feature_entry(feature, false),
                       "the data has this column"});
  }
  return changes;
}

}  // namespace pipelined
