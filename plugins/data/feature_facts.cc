#include "plugins/data/feature_facts.h"

#include <nlohmann/json.hpp>

namespace pipelined {
namespace {

using Json = nlohmann::json;

std::string value_text(const Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

std::optional<double> number(const Json& feature, const char* key) {
  const auto found = feature.find(key);
  if (found == feature.end() || !found->is_number()) return std::nullopt;
  return found->get<double>();
}

FeatureFacts read_feature(const Json& json) {
  FeatureFacts facts;
  facts.name = json.at("name").get<std::string>();
  facts.type = json.at("type").get<std::string>();
  facts.count = json.at("count").get<std::int64_t>();
  facts.missing = json.at("missing").get<std::int64_t>();
  facts.unique = json.value("unique", std::int64_t{0});
  facts.nan = json.value("nan", std::int64_t{0});
  facts.infinite = json.value("infinite", std::int64_t{0});
  facts.mean = number(json, "mean");
  facts.min = number(json, "min");
  facts.max = number(json, "max");
  if (facts.type == "bool") {
    for (const char* word : {"true", "false"}) {
      facts.values[word] = json.at(word).get<std::int64_t>();
    }
    facts.complete = true;
  }
  if (const auto counts = json.find("value_counts"); counts != json.end()) {
    for (const Json& pair : *counts) {
      facts.values[value_text(pair.at(0))] = pair.at(1).get<std::int64_t>();
    }
    facts.complete = true;
  } else if (const auto top = json.find("top_values"); top != json.end()) {
    for (const Json& entry : *top) {
      facts.values[value_text(entry.at("value"))] = entry.at("count").get<std::int64_t>();
    }
  }
  if (const auto buckets = json.find("histogram"); buckets != json.end()) {
    for (const Json& bucket : *buckets) {
      facts.histogram.push_back({bucket.at("low").get<double>(), bucket.at("high").get<double>(),
                                 bucket.at("count").get<double>()});
    }
  }
  return facts;
}

}  // namespace

const FeatureFacts* TableFacts::find(const std::string& name) const {
  for (const FeatureFacts& feature : features) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

Result<TableFacts> parse_statistics(const std::string& json) {
  try {
    const Json root = Json::parse(json);
    TableFacts facts;
    facts.rows = root.at("rows").get<std::int64_t>();
    facts.label = root.value("label", "");
    for (const Json& feature : root.at("features")) facts.features.push_back(read_feature(feature));
    return facts;
  } catch (const Json::exception& thrown) {
    return Error{ErrorCode::invalid, std::string("read statistics.json: ") + thrown.what()};
  }
}

}  // namespace pipelined
