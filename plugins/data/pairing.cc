// Bringing two sides of a feature together: value by value, or histograms over common edges.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "plugins/data/drift.h"

namespace pipelined {
namespace {

double number_in(const std::string& text) {
  double value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

Pairing pair_values(const FeatureFacts& before, const FeatureFacts& now) {
  Pairing pairing;
  pairing.values = true;
  pairing.numbers = before.is_number();
  pairing.approximate = !before.complete || !now.complete;
  pairing.rows_before = static_cast<double>(before.count);
  pairing.rows_now = static_cast<double>(now.count);
  std::map<std::string, PairedShare> shares;
  for (const auto& [value, count] : before.values) {
    shares[value].before = static_cast<double>(count) / pairing.rows_before;
  }
  for (const auto& [value, count] : now.values) {
    shares[value].now = static_cast<double>(count) / pairing.rows_now;
  }
  for (auto& [value, share] : shares) {
    share.value = value;
    if (pairing.numbers) share.low = share.high = number_in(value);
    pairing.shares.push_back(share);
  }
  if (pairing.numbers) {
    std::stable_sort(pairing.shares.begin(), pairing.shares.end(),
                     [](const PairedShare& a, const PairedShare& b) { return a.low < b.low; });
  }
  return pairing;
}

using Buckets = std::vector<HistogramBucket>;

/// Ends of intervals: the edges of both histograms.
std::vector<double> common_edges(const Buckets& before, const Buckets& now) {
  std::set<double> edges;
  for (const Buckets* side : {&before, &now}) {
    for (const HistogramBucket& bucket : *side) edges.insert({bucket.low, bucket.high});
  }
  return {edges.begin(), edges.end()};
}

/// Adds a side's buckets, as counts; what lies inside a bucket is taken to be spread evenly.
void spread(const Buckets& buckets, const std::vector<double>& edges,
            std::map<double, PairedShare>& points, std::vector<PairedShare>& intervals,
            double PairedShare::*side) {
  for (const HistogramBucket& bucket : buckets) {
    if (!(bucket.low < bucket.high)) {
      points[bucket.low].*side += bucket.count;
      continue;
    }
    const auto from = std::lower_bound(edges.begin(), edges.end(), bucket.low) - edges.begin();
    for (auto i = static_cast<std::size_t>(from); edges[i] < bucket.high; ++i) {
      intervals[i].*side +=
          bucket.count * (edges[i + 1] - edges[i]) / (bucket.high - bucket.low);
    }
  }
}

/// Not a number, and infinite, are values of their own.
void add_odd(const FeatureFacts& facts, std::vector<PairedShare>& odd, double PairedShare::*side) {
  odd[0].*side = static_cast<double>(facts.infinite);
  odd[1].*side = static_cast<double>(facts.nan);
}

double sum_of(const std::vector<PairedShare>& shares, double PairedShare::*side) {
  double sum = 0;
  for (const PairedShare& share : shares) sum += share.*side;
  return sum;
}

/// Both histograms over common edges, as counts, in order.
std::vector<PairedShare> overlay(const Buckets& before, const Buckets& now) {
  const std::vector<double> edges = common_edges(before, now);
  std::map<double, PairedShare> points;
  std::vector<PairedShare> intervals(edges.empty() ? 0 : edges.size() - 1), all;
  spread(before, edges, points, intervals, &PairedShare::before);
  spread(now, edges, points, intervals, &PairedShare::now);
  for (std::size_t i = 0; i < edges.size(); ++i) {
    if (const auto point = points.find(edges[i]); point != points.end()) {
      point->second.low = point->second.high = edges[i];
      all.push_back(point->second);
    }
    if (i == intervals.size()) break;
    intervals[i].low = edges[i];
    intervals[i].high = edges[i + 1];
    if (intervals[i].before + intervals[i].now > 0) all.push_back(intervals[i]);
  }
  return all;
}

void to_shares(std::vector<PairedShare>& shares, double rows_before, double rows_now) {
  for (PairedShare& share : shares) {
    share.before /= rows_before;
    share.now /= rows_now;
  }
}

/// The standard deviation of what lies in buckets, evenly spread inside each.
double deviation_in(const Buckets& buckets) {
  double count = 0, sum = 0, squares = 0;
  for (const HistogramBucket& bucket : buckets) {
    count += bucket.count;
    sum += bucket.count * (bucket.low + bucket.high) / 2;
  }
  if (count <= 0) return 0;
  for (const HistogramBucket& bucket : buckets) {
    const double from_mean = (bucket.low + bucket.high) / 2 - sum / count;
    const double width = bucket.high - bucket.low;
    squares += bucket.count * (from_mean * from_mean + width * width / 12);
  }
  return std::sqrt(squares / count);
}

Result<Pairing> pair_histograms(const FeatureFacts& before, const FeatureFacts& now) {
  Pairing pairing;
  pairing.numbers = true;
  pairing.deviation = before.std_dev ? *before.std_dev : deviation_in(before.finest());
  pairing.rank_error = before.step_error + now.step_error;
  pairing.shares = overlay(before.histogram, now.histogram);
  if (!before.steps.empty() && !now.steps.empty()) {
    pairing.steps = overlay(before.steps, now.steps);
  }
  constexpr double endless = std::numeric_limits<double>::infinity();
  std::vector<PairedShare> odd(2, PairedShare{"", endless, endless, 0, 0});
  add_odd(before, odd, &PairedShare::before);
  add_odd(now, odd, &PairedShare::now);
  for (const PairedShare& share : odd) {
    if (share.before + share.now == 0) continue;
    pairing.shares.push_back(share);
    if (!pairing.steps.empty()) pairing.steps.push_back(share);
  }
  pairing.rows_before = sum_of(pairing.shares, &PairedShare::before);
  pairing.rows_now = sum_of(pairing.shares, &PairedShare::now);
  if (pairing.rows_before <= 0 || pairing.rows_now <= 0) {
    return Error{ErrorCode::invalid, "one side has no histogram"};
  }
  to_shares(pairing.shares, pairing.rows_before, pairing.rows_now);
  to_shares(pairing.steps, pairing.rows_before, pairing.rows_now);
  return pairing;
}

}  // namespace

Result<Pairing> pair_sides(const FeatureFacts& before, const FeatureFacts& now) {
  if (before.count == 0 || now.count == 0) {
    const bool neither = before.count + now.count == 0;
    return Error{ErrorCode::invalid, neither ? "neither side has values" : "one side has no values"};
  }
  const bool numbers = before.is_number() && now.is_number();
  if (!numbers && before.type != now.type) {
    return Error{ErrorCode::invalid, "it was " + before.type + " and is " + now.type};
  }
  if (before.complete && now.complete) {
    Pairing pairing = pair_values(before, now);
    pairing.deviation = before.std_dev.value_or(0);
    return pairing;
  }
  if (numbers || (before.is_moment() && !before.histogram.empty() && !now.histogram.empty())) {
    return pair_histograms(before, now);
  }
  if (before.values.empty() && now.values.empty()) {
    return Error{ErrorCode::invalid, "statistics list no values of a " + now.type};
  }
  return pair_values(before, now);
}

}  // namespace pipelined
