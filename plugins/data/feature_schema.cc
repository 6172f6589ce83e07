#include "plugins/data/feature_schema.h"

#include <toml++/toml.h>

#include <cmath>

namespace pipelined {
namespace {

class SchemaReader {
 public:
  explicit SchemaReader(const std::string& name) : name_(name) {}

  Result<TableSchema> read(const toml::table& root) {
    TableSchema schema;
    for (const auto& [key, node] : root) {
      if (key != "feature") return at(key, "'" + text(key) + "' is no key; [feature.NAME] is");
      if (!node.is_table()) return at(key, "feature: a table a column is expected");
      for (const auto& [column, entry] : *node.as_table()) {
        if (!entry.is_table()) return at(column, "feature." + text(column) + ": a table is expected");
        TRY(feature, read_feature(text(column), *entry.as_table()));
        schema[text(column)] = std::move(feature);
      }
    }
    return schema;
  }

 private:
  static std::string text(const toml::key& key) { return std::string(key.str()); }

  Error at(const toml::key& key, const std::string& why) const {
    return {ErrorCode::invalid,
            name_ + " line " + std::to_string(key.source().begin.line) + ": " + why};
  }

  Result<FeatureSchema> read_feature(const std::string& column, const toml::table& table) {
    FeatureSchema feature;
    for (const auto& [key, node] : table) {
      const std::string where = "feature." + column + "." + text(key);
      if (key == "type") {
        const auto type = column_type_named(node.value_or(std::string()));
        if (!type) {
          return at(key, where + ": int, float, bool, string, date or time is expected");
        }
        feature.type = *type;
      } else if (key == "presence") {
        const auto share = node.value<double>();
        if (!share || !(*share >= 0 && *share <= 1)) {
          return at(key, where + ": a number from 0 to 1 is expected");
        }
        feature.presence = *share;
      } else if (key == "min" || key == "max") {
        const auto bound = node.value<double>();
        if (!bound || std::isnan(*bound)) return at(key, where + ": a number is expected");
        (key == "min" ? feature.min : feature.max) = *bound;
      } else if (key == "domain") {
        TRY(domain, read_domain(key, where, node));
        feature.domain = std::move(domain);
      } else {
        return at(key, "'" + where + "' is no key; type, presence, domain, min and max are");
      }
    }
    if (feature.min && feature.max && *feature.min > *feature.max) {
      return at(table.find("max")->first, "feature." + column + ": min is greater than max");
    }
    return feature;
  }

  Result<std::vector<std::string>> read_domain(const toml::key& key, const std::string& where,
                                               const toml::node& node) {
    std::vector<std::string> values;
    if (!node.is_array()) return at(key, where + ": a list of values is expected");
    for (const toml::node& item : *node.as_array()) {
      if (const auto word = item.value_exact<std::string>()) {
        values.push_back(*word);
      } else if (const auto number = item.value_exact<std::int64_t>()) {
        values.push_back(std::to_string(*number));
      } else {
        return at(key, where + ": strings or whole numbers are expected");
      }
    }
    return values;
  }

  const std::string& name_;
};

}  // namespace

Result<TableSchema> parse_schema(const std::string& toml, const std::string& name) {
  try {
    return SchemaReader(name).read(toml::parse(toml));
  } catch (const toml::parse_error& thrown) {
    return Error{ErrorCode::invalid, name + " line " + std::to_string(thrown.source().begin.line) +
                                         ": " + std::string(thrown.description())};
  }
}

}  // namespace pipelined
