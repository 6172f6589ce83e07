#include "plugins/data/moments.h"

#include <cmath>

namespace pipelined {

void Sum::add(double value) {
  const double next = sum_ + value;
  lost_ += std::abs(sum_) >= std::abs(value) ? (sum_ - next) + value : (value - next) + sum_;
  sum_ = next;
}

void Moments::add_block(const double* values, std::size_t count) {
  if (count == 0) return;
  Moments block;
  block.count_ = static_cast<std::int64_t>(count);
  block.sum_ = Sum(sum_lanes(count, [&](std::size_t i) { return values[i]; }), 0);
  const double mean = block.mean();
  block.spread_ = sum_lanes(count, [&](std::size_t i) {
    const double distance = values[i] - mean;
    return distance * distance;
  });
  merge(block);
}

void Moments::merge(const Moments& other) {
  if (other.count_ == 0) return;
  if (count_ > 0) {
    const double distance = other.mean() - mean();
    const double a = static_cast<double>(count_), b = static_cast<double>(other.count_);
    spread_ += distance * distance * (a * b / (a + b));
  }
  spread_ += other.spread_;
  sum_.merge(other.sum_);
  count_ += other.count_;
}

double Moments::std_dev() const {
  return count_ > 0 ? std::sqrt(spread_ / static_cast<double>(count_)) : 0;
}

void WeightedMoments::add(double value, double weight) {
  if (weight == 0) return;
  const double distance = value - mean();
  const bool first = weight_.value() == 0;
  weight_.add(weight);
  sum_.add(value * weight);
  if (!first) spread_ += weight * distance * (value - mean());
}

void WeightedMoments::merge(const WeightedMoments& other) {
  const double a = weight_.value(), b = other.weight_.value();
  if (b == 0) return;
  if (a > 0) {
    const double distance = other.mean() - mean();
    spread_ += distance * distance * (a * b / (a + b));
  }
  spread_ += other.spread_;
  weight_.merge(other.weight_);
  sum_.merge(other.sum_);
}

double WeightedMoments::std_dev() const {
  return weight_.value() > 0 ? std::sqrt(spread_ / weight_.value()) : 0;
}

void write(StateWriter& writer, const Sum& sum) {
  writer.number(sum.sum());
  writer.number(sum.lost());
}

Sum read_sum(StateReader& reader) {
  const double sum = reader.number<double>();
  return {sum, reader.number<double>()};
}

}  // namespace pipelined
