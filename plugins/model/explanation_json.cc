// explanation.json, as docs/formats.md describes it.
#include <nlohmann/json.hpp>

#include "plugins/model/explanation.h"

namespace pipelined::evaluation {
namespace {

using nlohmann::json;

json pair(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return json::array({interval->low, interval->high});
}

// The value as the examples have it.
json plain(const model::Feature& feature, const std::optional<float>& value) {
  if (!value) return nullptr;
  switch (feature.type) {
    case model::FeatureType::text: return feature.categories.at(static_cast<std::size_t>(*value));
    case model::FeatureType::boolean: return *value != 0;
    case model::FeatureType::integer: return static_cast<std::int64_t>(*value);
    case model::FeatureType::real: break;
  }
  return *value;
}

json json_of(const Dependence& dependence, const model::Feature& feature) {
  json points = json::array();
  for (const DependencePoint& point : dependence.points) {
    points.push_back({{"value", plain(feature, point.value)}, {"scores", point.scores}});
  }
  return {{"feature", feature.name},
          {"type", model::name_of(feature.type)},
          {"points", std::move(points)},
          {"lines", dependence.lines}};
}

}  // namespace

std::string explanation_json(const Explanation& explanation, const Sample& sample,
                             const model::Signature& signature, const ExplainSettings& settings) {
  const auto name = [&](std::size_t feature) { return signature.features[feature].name; };
  json importance = json::array();
  for (const Importance& one : explanation.importance) {
    importance.push_back({{"feature", name(one.feature)},
                          {"shap", one.shap},
                          {"shap_interval", pair(one.shap_interval)},
                          {"permutation", one.permutation ? json(*one.permutation) : json()},
                          {"permutation_interval", pair(one.permutation_interval)}});
  }
  json dependence = json::array();
  for (const Dependence& one : explanation.dependence) {
    dependence.push_back(json_of(one, signature.features[one.feature]));
  }
  json interactions = json::array();
  for (const Interaction& one : explanation.interactions) {
    interactions.push_back(
        {{"features", {name(one.one), name(one.other)}}, {"strength", one.strength}});
  }
  const json document{{"label", signature.label.name},
                      {"objective", model::name_of(signature.objective)},
                      {"classes", signature.label.classes},
                      {"rows", sample.size()},
                      {"rows_seen", sample.rows_seen},
                      {"confidence", settings.resampling.confidence},
                      {"bases", explanation.bases},
                      {"metric", explanation.metric},
                      {"metric_value", explanation.metric_value},
                      {"importance", std::move(importance)},
                      {"dependence", std::move(dependence)},
                      {"interactions", std::move(interactions)}};
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace pipelined::evaluation
