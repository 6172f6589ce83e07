// What differs between two statistics, and how much.
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "plugins/common/html_report.h"
#include "plugins/data/statistics_report.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

std::string moved(const std::string& what, double before, double now) {
  return what + ": " + percent(before) + " before, " + percent(now) + " now";
}

/// Jensen-Shannon where there is one, since all types have it; else the largest of the others.
const Distance* principal(const std::vector<Distance>& all) {
  const Distance* best = nullptr;
  for (const Distance& distance : all) {
    if (distance.measure == "jensen_shannon") return &distance;
    if (!best || distance.value > best->value) best = &distance;
  }
  return best;
}

void settle(FeatureDifference& difference) {
  if (!difference.before || !difference.now) {
    difference.score = 1;
    difference.sentence = difference.before ? "is gone" : "is new";
    return;
  }
  const FeatureFacts& before = *difference.before;
  const FeatureFacts& now = *difference.now;
  if (before.type != now.type) {
    difference.sentence = "was " + before.type + ", is " + now.type;
    difference.score = 1;
  }
  difference.distances = distances(before, now);
  const double missing_before = share(before.missing, before.rows());
  const double missing_now = share(now.missing, now.rows());
  const double missing = std::abs(missing_now - missing_before);
  const Distance* distance = principal(difference.distances);
  const double value = distance ? std::clamp(distance->value, 0.0, 1.0) : 0;
  difference.score = std::max({difference.score, value, missing});
  if (!difference.sentence.empty()) return;
  if (missing > value) {
    difference.sentence = moved("missing", missing_before, missing_now);
  } else if (distance && percent(distance->share_before) != percent(distance->share_now)) {
    difference.sentence = moved(distance->largest, distance->share_before, distance->share_now);
  } else if (before.mean && now.mean && readable(*before.mean) != readable(*now.mean)) {
    difference.sentence = "mean: " + readable(*before.mean) + " before, " + readable(*now.mean) + " now";
  }
}

}  // namespace

std::vector<FeatureDifference> differences(const TableFacts& before, const TableFacts& now) {
  std::vector<FeatureDifference> all;
  for (const FeatureFacts& feature : now.features) {
    all.push_back({feature.name, before.find(feature.name), &feature, {}, 0, {}});
  }
  for (const FeatureFacts& feature : before.features) {
    if (!now.find(feature.name)) all.push_back({feature.name, &feature, nullptr, {}, 0, {}});
  }
  for (FeatureDifference& difference : all) settle(difference);
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) {
    return a.score > b.score;
  });
  return all;
}

std::string comparison_json(const ReportSide& before, const ReportSide& now) {
  Json features = Json::array();
  for (const FeatureDifference& difference : differences(before.facts, now.facts)) {
    Json json = {{"name", difference.feature}, {"score", difference.score},
                 {"sentence", difference.sentence}, {"distances", Json::object()}};
    for (const Distance& distance : difference.distances) {
      json["distances"][distance.measure] = distance.value;
    }
    for (const auto& [side, facts] : {std::pair("before", difference.before),
                                      std::pair("now", difference.now)}) {
      if (!facts) continue;
      json[side] = {{"type", facts->type}, {"count", facts->count}, {"missing", facts->missing},
                    {"unique", facts->unique}};
      if (facts->mean) json[side]["mean"] = *facts->mean;
    }
    features.push_back(std::move(json));
  }
  const Json json = {{"before", {{"name", before.name}, {"rows", before.facts.rows}}},
                     {"now", {{"name", now.name}, {"rows", now.facts.rows}}},
                     {"features", std::move(features)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ReportSide> ReportSide::read(std::string name, std::string json) {
  TRY(facts, parse_statistics(json));
  return ReportSide{std::move(name), std::move(json), std::move(facts)};
}

Result<std::vector<ReportProblem>> read_problems(const std::string& anomalies_json) {
  try {
    const Json root = Json::parse(anomalies_json);
    std::vector<ReportProblem> problems;
    for (const Json& anomaly : root.at("anomalies")) {
      problems.push_back({anomaly.value("feature", ""), anomaly.value("severity", "error"),
                          anomaly.value("sentence", "")});
    }
    return problems;
  } catch (const Json::exception& thrown) {
    return Error{ErrorCode::invalid, std::string("read anomalies.json: ") + thrown.what()};
  }
}

}  // namespace pipelined
