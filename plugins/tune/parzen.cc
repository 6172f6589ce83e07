#include "plugins/tune/parzen.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace pipelined::tune {
namespace {

using nlohmann::json;

// The share of a standard normal distribution below a place.
double below(double place) { return 0.5 * std::erfc(-place / std::numbers::sqrt2); }

}  // namespace

Parzen::Parzen(const Parameter& parameter, const std::vector<json>& values)
    : parameter_(&parameter), low_(parameter.axis_low()), high_(parameter.axis_high()) {
  if (parameter.kind == Kind::choice) {
    weights_.assign(parameter.choices.size(), 1);
    for (const json& value : values) {
      ++weights_[static_cast<std::size_t>(parameter.on_axis(value))];
    }
    return;
  }
  std::vector<double> places;
  for (const json& value : values) places.push_back(parameter.on_axis(value));
  std::sort(places.begin(), places.end());
  const double widest = high_ - low_;
  const double narrowest = widest / std::min(100.0, static_cast<double>(places.size()) + 1);
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double left = i == 0 ? low_ : places[i - 1];
    const double right = i + 1 == places.size() ? high_ : places[i + 1];
    Bell bell;
    bell.mean = places[i];
    bell.deviation = std::clamp(std::max(places[i] - left, right - places[i]), narrowest, widest);
    bell.inside = below((high_ - bell.mean) / bell.deviation) -
                  below((low_ - bell.mean) / bell.deviation);
    bells_.push_back(bell);
  }
}

double Parzen::density(double place) const {
  double sum = 1 / (high_ - low_);
  for (const Bell& bell : bells_) {
    const double away = (place - bell.mean) / bell.deviation;
    sum += std::exp(-away * away / 2) /
           (bell.deviation * std::sqrt(2 * std::numbers::pi) * bell.inside);
  }
  return sum / (1 + static_cast<double>(bells_.size()));
}

double Parzen::mass(double from, double to) const {
  double sum = (to - from) / (high_ - low_);
  for (const Bell& bell : bells_) {
    sum += (below((to - bell.mean) / bell.deviation) - below((from - bell.mean) / bell.deviation)) /
           bell.inside;
  }
  return sum / (1 + static_cast<double>(bells_.size()));
}

double Parzen::log_density(const json& value) const {
  if (parameter_->kind == Kind::choice) {
    const double all = std::accumulate(weights_.begin(), weights_.end(), 0.0);
    return std::log(weights_[static_cast<std::size_t>(parameter_->on_axis(value))] / all);
  }
  if (parameter_->kind == Kind::real) return std::log(density(parameter_->on_axis(value)));
  const double number = value.get<double>();
  const double from = parameter_->log ? std::log(number - 0.5) : number - 0.5;
  const double to = parameter_->log ? std::log(number + 0.5) : number + 0.5;
  return std::log(std::max(mass(from, to), 1e-300));
}

json Parzen::draw(Draws& draws) const {
  if (parameter_->kind == Kind::choice) {
    double left = draws.share() * std::accumulate(weights_.begin(), weights_.end(), 0.0);
    std::size_t choice = 0;
    while (choice + 1 < weights_.size() && left >= weights_[choice]) left -= weights_[choice++];
    return parameter_->choices[choice];
  }
  const std::size_t part = draws.below(bells_.size() + 1);
  if (part == bells_.size()) return parameter_->at(low_ + (high_ - low_) * draws.share());
  const Bell& bell = bells_[part];
  double place = low_ - 1;  // at least a third of a bell is inside, so this ends
  while (place < low_ || place > high_) place = bell.mean + bell.deviation * draws.normal();
  return parameter_->at(place);
}

}  // namespace pipelined::tune
