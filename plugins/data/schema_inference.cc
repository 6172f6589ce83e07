// What a schema for data like this would be: the rules, each with its reason as a comment.
#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdio>

#include "plugins/common/html_report.h"
#include "plugins/data/schema_changes.h"
#include "plugins/data/schema_words.h"

namespace pipelined {
namespace {

constexpr std::size_t domain_max = 100;      ///< more values than this are no list
constexpr double repeating_share = 0.1;      ///< distinct over rows; above it, values hardly repeat
constexpr std::int64_t unique_rows_min = 100;

/// A whole number as schemas and programs write them.
bool is_whole(const std::string& text) {
  const std::size_t from = !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  return text.size() > from && text.size() - from < 19 &&
         std::all_of(text.begin() + static_cast<std::ptrdiff_t>(from), text.end(),
                     [](unsigned char c) { return std::isdigit(c); });
}

void put(std::string& entry, const std::string& key, const std::string& value,
         const std::string& why) {
  const std::string line = key + std::string(key.size() < 8 ? 8 - key.size() : 0, ' ') + " = " + value;
  // A long list has its reason above.
  if (line.size() > 60) {
    entry += "# " + why + "\n" + line + "\n";
  } else {
    entry += line + std::string(line.size() < 28 ? 28 - line.size() : 1, ' ') + "# " + why + "\n";
  }
}

void put_values(std::string& entry, const FeatureFacts& facts) {
  if (facts.type == "int" && facts.complete && facts.min == 0.0 && facts.max == 1.0) {
    return put(entry, "like", "\"bool\"", "every value is 0 or 1");
  }
  if (facts.is_number()) {
    if (facts.min && *facts.min >= 0) put(entry, "min", "0", "no value is below 0");
    if (facts.type == "float" && facts.nan == 0) {
      put(entry, "allow_nan", "false", "no value is not a number");
    }
    return;
  }
  if (facts.type != "string" || !facts.complete || facts.values.empty()) return;
  const bool whole = std::all_of(facts.values.begin(), facts.values.end(),
                                 [](const auto& entry_of) { return is_whole(entry_of.first); });
  if (whole) return put(entry, "like", "\"int\"", "every text is a whole number");
  const double distinct = static_cast<double>(facts.values.size());
  if (facts.values.size() > domain_max ||
      distinct > repeating_share * static_cast<double>(facts.count)) {
    return;
  }
  put(entry, "domain", toml_list(facts), std::to_string(facts.values.size()) +
      (facts.values.size() == 1 ? " value in " : " values in ") + std::to_string(facts.count) + " rows");
}

}  // namespace

double likely_presence(const FeatureFacts& facts) {
  const double n = static_cast<double>(facts.rows()), p = 1 - facts.missing_share();
  if (n == 0) return 0;
  constexpr double z = 1.96;
  const double middle = p + z * z / (2 * n);
  const double reach = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  return std::floor(100 * (middle - reach) / (1 + z * z / n)) / 100;
}

std::string feature_entry(const FeatureFacts& facts, bool label) {
  std::string entry = "[feature." + toml_key(facts.name) + "]\n";
  if (facts.count == 0) return entry + "# no row has a value; nothing can be said\n";
  if (facts.type != "other") {
    put(entry, "type", "\"" + facts.type + "\"", "as read");
  }
  if (facts.missing == 0) {
    put(entry, "presence", "1.0", "none of " + std::to_string(facts.rows()) + " rows lacks it");
  } else if (const double presence = likely_presence(facts); presence > 0.2) {
    put(entry, "presence", toml_number(presence),
        std::to_string(facts.missing) + " of " + std::to_string(facts.rows()) +
            " rows lack it; the lower end of what the share may be (95 %)");
  } else {
    put(entry, "presence", "0", percent(facts.missing_share()) + " of the rows lack it");
  }
  put_values(entry, facts);
  const bool value = facts.type == "string" || facts.type == "int";
  if (value && facts.unique_exact && facts.unique == facts.count &&
      facts.count >= unique_rows_min) {
    put(entry, "unique", "true", "no value came twice");
  }
  if (label) put(entry, "not_in", "[\"serving\"]", "it is predicted: nobody knows it when serving");
  return entry;
}

std::string inferred_schema(const TableFacts& facts) {
  std::string text = "# Proposed from " + std::to_string(facts.rows) +
                     " rows. Read it: what stands here will hold for all that comes.\n";
  if (!facts.label.empty()) {
    text += "\n[dataset]\nenvironments = [\"training\", \"serving\"]\n";
  }
  for (const FeatureFacts& feature : facts.features) {
    text += "\n" + feature_entry(feature, feature.name == facts.label);
  }
  return text;
}

}  // namespace pipelined
