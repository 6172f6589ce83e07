#include "model/linear.h"

#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>

namespace pipelined::model {
namespace {

using nlohmann::json;

Error wrong(const std::string& what) {
  return {ErrorCode::corrupt, "cannot read linear.json: " + what};
}

}  // namespace

Linear::Linear(std::vector<double> intercepts, std::vector<double> weights)
    : intercepts_(std::move(intercepts)), weights_(std::move(weights)) {
  CHECK(!intercepts_.empty() && weights_.size() % intercepts_.size() == 0);
  width_ = weights_.size() / intercepts_.size();
}

Result<Linear> Linear::parse(std::string_view text) {
  try {
    const json document = json::parse(text);
    const auto intercepts = document.at("intercepts").get<std::vector<double>>();
    if (intercepts.empty()) return wrong("it has no intercept");
    std::vector<double> weights;
    for (const json& group : document.at("weights")) {
      const auto own = group.get<std::vector<double>>();
      weights.insert(weights.end(), own.begin(), own.end());
    }
    const std::size_t groups = document.at("weights").size();
    if (groups != intercepts.size() || weights.size() % groups != 0) {
      return wrong("weights and intercepts are of different scores");
    }
    return Linear(intercepts, std::move(weights));
  } catch (const std::exception& thrown) {
    return wrong(thrown.what());
  }
}

std::string Linear::text() const {
  json groups = json::array();
  for (std::size_t group = 0; group < group_count(); ++group) {
    const auto own = weights(group);
    groups.push_back(std::vector<double>(own.begin(), own.end()));
  }
  return json{{"intercepts", intercepts_}, {"weights", groups}}.dump(1) + "\n";
}

double Linear::margin(std::size_t group, std::span<const float> row) const {
  const auto own = weights(group);
  double sum = intercepts_[group];
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (row[i] != 0) sum += own[i] * static_cast<double>(row[i]);
  }
  return sum;
}

double Linear::margin(std::size_t group, std::span<const Entry> row) const {
  const auto own = weights(group);
  double sum = intercepts_[group];
  for (const Entry& entry : row) {
    sum += own[entry.index] * static_cast<double>(static_cast<float>(entry.value));
  }
  return sum;
}

}  // namespace pipelined::model
