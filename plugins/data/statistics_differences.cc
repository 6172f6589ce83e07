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

std::string period(const FeatureFacts& facts) { return "from " + facts.first + " to " + facts.last; }

/// What moved most, in words; nothing where only the shape did.
std::string sentence_of(const FeatureDifference& difference, const Distance& distance) {
  const FeatureFacts& before = *difference.before;
  const FeatureFacts& now = *difference.now;
  if (percent(distance.share_before) != percent(distance.share_now)) {
    return moved(distance.largest, distance.share_before, distance.share_now);
  }
  if (before.mean && now.mean && readable(*before.mean) != readable(*now.mean)) {
    return "mean: " + readable(*before.mean) + " before, " + readable(*now.mean) + " now";
  }
  if (now.is_moment() && period(before) != period(now)) {
    return period(before) + " before, " + period(now) + " now";
  }
  return {};
}

void settle(FeatureDifference& difference) {
  if (!difference.before || !difference.now) {
    difference.score = 1;
    difference.not_compared = difference.before ? "is gone" : "is new";
    return;
  }
  const FeatureFacts& before = *difference.before;
  const FeatureFacts& now = *difference.now;
  const double missing_before = share(before.missing, before.rows());
  const double missing_now = share(now.missing, now.rows());
  const double missing = std::abs(missing_now - missing_before);
  auto measured = distances(before, now);
  if (!measured) {
    difference.not_compared = measured.error().message;
    difference.score = before.type != now.type ? 1 : missing;
    if (missing > 0) difference.sentence = moved("missing", missing_before, missing_now);
    return;
  }
  difference.distances = *std::move(measured);
  const Distance& distance = *principal(difference.distances);
  const double value = std::clamp(distance.value, 0.0, 1.0);
  difference.score = std::max(value, missing);
  // Whole numbers and others are compared, and still are not the same.
  if (before.type != now.type) {
    difference.score = 1;
    difference.sentence = "was " + before.type + ", is " + now.type;
  } else {
    difference.sentence = missing > value ? moved("missing", missing_before, missing_now)
                                          : sentence_of(difference, distance);
  }
}

}  // namespace

std::string FeatureDifference::distance_text() const {
  return not_compared.empty() ? readable(score) : "–";
}

std::string FeatureDifference::remark() const {
  if (not_compared.empty()) return sentence;
  if (!before || !now) return not_compared;
  return (sentence.empty() ? "" : sentence + "; ") + "not compared: " + not_compared;
}

ComparisonVerdict verdict_of(const std::vector<FeatureDifference>& differences) {
  const FeatureDifference& most = differences.front();
  if (most.score > 0) return {"differs most", most.feature + " — " + most.remark()};
  const auto left_out = std::count_if(differences.begin(), differences.end(), [](const auto& one) {
    return !one.not_compared.empty();
  });
  if (left_out == 0) return {"no difference", "every feature is distributed as before"};
  const std::string others = std::to_string(left_out) + " of " + std::to_string(differences.size());
  return {"no difference found", others + " features could not be compared, the others are distributed "
                                          "as before"};
}

std::vector<FeatureDifference> differences(const TableFacts& before, const TableFacts& now) {
  std::vector<FeatureDifference> all;
  for (const FeatureFacts& feature : now.features) {
    all.push_back({feature.name, before.find(feature.name), &feature, {}, 0, {}, {}});
  }
  for (const FeatureFacts& feature : before.features) {
    if (!now.find(feature.name)) all.push_back({feature.name, &feature, nullptr, {}, 0, {}, {}});
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
    const bool compared = difference.not_compared.empty();
    Json json = {{"name", difference.feature},
                 {"score", compared ? Json(difference.score) : Json()},
                 {"sentence", difference.remark()}, {"distances", Json::object()}};
    if (!compared) json["not_compared"] = difference.not_compared;
    for (const Distance& distance : difference.distances) {
      json["distances"][distance.measure] = distance.value;
      if (distance.error) json["errors"][distance.measure] = *distance.error;
    }
    for (const auto& [side, facts] : {std::pair("before", difference.before),
                                      std::pair("now", difference.now)}) {
      if (!facts) continue;
      json[side] = {{"type", facts->type}, {"count", facts->count}, {"missing", facts->missing},
                    {"unique", facts->unique}};
      if (facts->mean) json[side]["mean"] = *facts->mean;
      if (!facts->first.empty()) json[side].update({{"min", facts->first}, {"max", facts->last}});
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
  TRY(slices, parse_slices(json));
  return ReportSide{std::move(name), std::move(json), std::move(facts), std::move(slices)};
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
