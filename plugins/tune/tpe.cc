#include "plugins/tune/tpe.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace pipelined::tune {
namespace {

using nlohmann::json;

// The trials with a metric, the best first; of equal ones the earlier.
std::vector<std::size_t> in_order(Goal goal, const std::vector<Trial>& history) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < history.size(); ++i) {
    if (history[i].metric) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    return better(goal, *history[one].metric, *history[other].metric);
  });
  return order;
}

std::vector<json> values_of(const Parameter& parameter, const std::vector<json>& points) {
  std::vector<json> values;
  for (const json& point : points) {
    if (const auto value = point.find(parameter.name); value != point.end()) {
      values.push_back(*value);
    }
  }
  return values;
}

}  // namespace

Tpe::Tpe(const Space& space, Goal goal, const TpeSettings& settings,
         const std::vector<Trial>& history, const std::vector<json>& pending)
    : space_(&space) {
  const std::vector<std::size_t> order = in_order(goal, history);
  const auto share = std::ceil(settings.good * static_cast<double>(order.size()));
  std::vector<json> good, bad;
  for (std::size_t i = 0; i < order.size(); ++i) {
    (static_cast<double>(i) < share ? good : bad).push_back(history[order[i]].point);
  }
  for (const Trial& trial : history) {
    if (!trial.metric) bad.push_back(trial.point);
  }
  bad.insert(bad.end(), pending.begin(), pending.end());
  for (const Parameter& parameter : space.parameters) {
    good_.emplace_back(parameter, values_of(parameter, good));
    bad_.emplace_back(parameter, values_of(parameter, bad));
  }
}

double Tpe::score(const json& point) const {
  double sum = 0;
  for (std::size_t i = 0; i < space_->parameters.size(); ++i) {
    const auto value = point.find(space_->parameters[i].name);
    if (value != point.end()) sum += good_[i].log_density(*value) - bad_[i].log_density(*value);
  }
  return sum;
}

json Tpe::draw(Draws& draws) const {
  json point = json::object();
  for (std::size_t i = 0; i < space_->parameters.size(); ++i) {
    const Parameter& parameter = space_->parameters[i];
    if (space_->is_active(parameter, point)) point[parameter.name] = good_[i].draw(draws);
  }
  return point;
}

json Tpe::propose(Draws& draws, std::size_t candidates) const {
  json best;
  double highest = 0;
  for (std::size_t i = 0; i < candidates; ++i) {
    json point = draw(draws);
    const double height = score(point);
    if (i > 0 && !(height > highest)) continue;
    highest = height;
    best = std::move(point);
  }
  return best;
}

}  // namespace pipelined::tune
