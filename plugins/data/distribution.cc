#include "plugins/data/distribution.h"

#include <algorithm>
#include <cmath>

namespace pipelined {
namespace {

constexpr int histogram_buckets = 10;

/// Fills buckets that follow one another; what is not below the last edge is in the last.
void fill(const CountedValues& values, std::vector<HistogramBucket>& buckets) {
  std::size_t bucket = 0;
  for (const auto& [value, count] : values) {
    while (bucket + 1 < buckets.size() && value >= buckets[bucket + 1].low) ++bucket;
    buckets[bucket].count += count;
  }
}

}  // namespace

CountedValues counted(const std::vector<std::pair<double, std::int64_t>>& sorted) {
  CountedValues values;
  values.reserve(sorted.size());
  for (const auto& [value, count] : sorted) {
    if (values.empty() || values.back().first != value) values.emplace_back(value, 0);
    values.back().second += static_cast<double>(count);
  }
  return values;
}

double total_of(const CountedValues& values) {
  double total = 0;
  for (const auto& [value, count] : values) total += count;
  return total;
}

double row_quantile(const CountedValues& values, double q) {
  const double place = q * (total_of(values) - 1), low = std::floor(place);
  double passed = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    passed += values[i].second;
    if (low >= passed) continue;
    if (low + 1 < passed || i + 1 == values.size()) return values[i].first;
    return values[i].first + (values[i + 1].first - values[i].first) * (place - low);
  }
  return values.empty() ? 0 : values.back().first;
}

double weight_quantile(const CountedValues& values, double q) {
  const double wanted = q * total_of(values);
  double passed = 0;
  for (const auto& [value, weight] : values) {
    passed += weight;
    if (weight > 0 && passed >= wanted) return value;
  }
  return values.empty() ? 0 : values.back().first;
}

std::vector<HistogramBucket> equal_widths(const CountedValues& values, Range range) {
  if (values.empty()) return {};
  const auto [low, high] = range;
  std::vector<HistogramBucket> buckets;
  if (low < high) {
    const double width = (high - low) / histogram_buckets;
    for (int i = 0; i < histogram_buckets; ++i) {
      buckets.push_back({low + width * i, i + 1 < histogram_buckets ? low + width * (i + 1) : high, 0});
    }
  } else {
    buckets.push_back({low, high, 0});
  }
  fill(values, buckets);
  return buckets;
}

std::vector<HistogramBucket> whole_days(const CountedValues& values, Range range) {
  if (values.empty()) return {};
  const auto low = static_cast<std::int64_t>(range.low);
  const std::int64_t days = static_cast<std::int64_t>(range.high) - low + 1;
  const std::int64_t count = std::min<std::int64_t>(histogram_buckets, days);
  const auto edge = [&](std::int64_t i) { return static_cast<double>(low + i * days / count); };
  std::vector<HistogramBucket> buckets;
  for (std::int64_t i = 0; i < count; ++i) buckets.push_back({edge(i), edge(i + 1), 0});
  fill(values, buckets);
  return buckets;
}

Steps steps_of(const CountedValues& values, Range range, double rank_error) {
  Steps made;
  if (values.empty()) return made;
  if (rank_error == 0 && values.size() <= exact_steps_max) {
    for (const auto& [value, count] : values) made.steps.push_back({value, count, 0});
    return made;
  }
  const double total = total_of(values), part = total / step_parts;
  double between = 0, widest = 0;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto [value, count] = values[i];
    if (i == 0 && range.low < value) made.steps.push_back({range.low, 0, 0});
    if (made.steps.empty() || count >= part) {
      made.steps.push_back({value, count, between});
      between = 0;
      continue;
    }
    between += count;
    widest = std::max(widest, between);
    if (between < part && i + 1 < values.size()) continue;
    made.steps.push_back({value, 0, between});
    between = 0;
  }
  made.error = rank_error + widest / total;
  return made;
}

std::vector<HistogramBucket> buckets_of(const std::vector<Step>& steps) {
  std::vector<HistogramBucket> buckets;
  double before = 0;
  for (const Step& step : steps) {
    if (step.between > 0) buckets.push_back({before, step.value, step.between});
    if (step.at > 0) buckets.push_back({step.value, step.value, step.at});
    before = step.value;
  }
  return buckets;
}

}  // namespace pipelined
