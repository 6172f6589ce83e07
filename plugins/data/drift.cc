#include "plugins/data/drift.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace pipelined {
namespace {

/// One term of half the divergence of p from the middle of p and q, in bits.
double divergence_term(double p, double q) {
  return p > 0 ? 0.5 * p * std::log2(2 * p / (p + q)) : 0;
}

double bounded(double divergence) { return std::clamp(divergence, 0.0, 1.0); }

std::vector<Distance> value_distances(const FeatureFacts& before, const FeatureFacts& now) {
  std::set<std::string> values;
  for (const auto& [value, count] : before.values) values.insert(value);
  for (const auto& [value, count] : now.values) values.insert(value);
  const auto count_of = [](const FeatureFacts& facts, const std::string& value) {
    const auto found = facts.values.find(value);
    return found == facts.values.end() ? 0.0 : static_cast<double>(found->second);
  };
  const double total_before = static_cast<double>(before.count);
  const double total_now = static_cast<double>(now.count);
  Distance largest{"l_infinity", -1, "", 0, 0, false};
  Distance counts{"normalized_difference", -1, "", 0, 0, false};
  Distance divergence{"jensen_shannon", 0, "", 0, 0, false};
  for (const std::string& value : values) {
    const double a = count_of(before, value), b = count_of(now, value);
    const double p = a / total_before, q = b / total_now;
    divergence.value += divergence_term(p, q) + divergence_term(q, p);
    // Of a bool both values differ alike; "true" comes last and names the difference.
    constexpr double equal = 1e-12;
    if (std::abs(p - q) >= largest.value - equal) largest = {"l_infinity", std::abs(p - q), value, p, q, false};
    const double difference = std::abs(a - b) / (total_before + total_now);
    if (difference > counts.value) counts = {"normalized_difference", difference, value, p, q, false};
  }
  divergence.value = bounded(divergence.value);
  divergence.largest = largest.largest;
  divergence.share_before = largest.share_before;
  divergence.share_now = largest.share_now;
  std::vector<Distance> all{largest, divergence, counts};
  for (Distance& distance : all) distance.approximate = !before.complete || !now.complete;
  return all;
}

/// Mass per elementary interval of `edges`, uniform inside a bucket, plus the mass of single values.
struct Mass {
  std::vector<double> intervals;
  std::map<double, double> points;
};

Mass spread(const std::vector<HistogramBucket>& histogram, const std::vector<double>& edges) {
  Mass mass{std::vector<double>(edges.empty() ? 0 : edges.size() - 1), {}};
  double total = 0;
  for (const HistogramBucket& bucket : histogram) total += bucket.count;
  for (const HistogramBucket& bucket : histogram) {
    if (!(bucket.low < bucket.high)) {
      mass.points[bucket.low] += bucket.count / total;
      continue;
    }
    for (std::size_t i = 0; i + 1 < edges.size(); ++i) {
      const double low = std::max(edges[i], bucket.low), high = std::min(edges[i + 1], bucket.high);
      if (low >= high) continue;
      mass.intervals[i] += bucket.count / total * (high - low) / (bucket.high - bucket.low);
    }
  }
  return mass;
}

double total_count(const std::vector<HistogramBucket>& histogram) {
  double total = 0;
  for (const HistogramBucket& bucket : histogram) total += bucket.count;
  return total;
}

/// The largest difference of any interval's mass, in counts, over both sides' counts.
double histogram_difference(const std::vector<HistogramBucket>& before,
                            const std::vector<HistogramBucket>& now,
                            const std::vector<double>& edges) {
  const double a = total_count(before), b = total_count(now);
  const Mass p = spread(before, edges), q = spread(now, edges);
  double largest = 0;
  for (std::size_t i = 0; i < p.intervals.size(); ++i) {
    largest = std::max(largest, std::abs(p.intervals[i] * a - q.intervals[i] * b));
  }
  std::map<double, double> points;
  for (const auto& [at, mass] : p.points) points[at] += mass * a;
  for (const auto& [at, mass] : q.points) points[at] -= mass * b;
  for (const auto& [at, difference] : points) largest = std::max(largest, std::abs(difference));
  return largest / (a + b);
}

std::vector<double> common_edges(const std::vector<HistogramBucket>& before,
                                 const std::vector<HistogramBucket>& now) {
  std::set<double> edges;
  for (const auto* side : {&before, &now}) {
    for (const HistogramBucket& bucket : *side) {
      if (bucket.low < bucket.high) edges.insert({bucket.low, bucket.high});
    }
  }
  return {edges.begin(), edges.end()};
}

}  // namespace

const std::vector<std::string>& measure_names() {
  static const std::vector<std::string> names{"l_infinity", "jensen_shannon",
                                              "normalized_difference"};
  return names;
}

double histogram_divergence(const std::vector<HistogramBucket>& before,
                            const std::vector<HistogramBucket>& now) {
  const std::vector<double> edges = common_edges(before, now);
  const Mass p = spread(before, edges), q = spread(now, edges);
  double divergence = 0;
  for (std::size_t i = 0; i < p.intervals.size(); ++i) {
    divergence += divergence_term(p.intervals[i], q.intervals[i]) +
                  divergence_term(q.intervals[i], p.intervals[i]);
  }
  std::map<double, std::pair<double, double>> points;
  for (const auto& [at, mass] : p.points) points[at].first = mass;
  for (const auto& [at, mass] : q.points) points[at].second = mass;
  for (const auto& [at, masses] : points) {
    divergence += divergence_term(masses.first, masses.second) +
                  divergence_term(masses.second, masses.first);
  }
  return bounded(divergence);
}

std::vector<Distance> distances(const FeatureFacts& before, const FeatureFacts& now) {
  if (before.count == 0 || now.count == 0) return {};
  const bool numbers = before.is_number() && now.is_number();
  if (!numbers && before.type != now.type) return {};
  if (before.complete && now.complete) return value_distances(before, now);
  if (numbers) {
    if (total_count(before.histogram) == 0 || total_count(now.histogram) == 0) return {};
    const std::vector<double> edges = common_edges(before.histogram, now.histogram);
    return {{"jensen_shannon", histogram_divergence(before.histogram, now.histogram), "", 0, 0,
             false},
            {"normalized_difference", histogram_difference(before.histogram, now.histogram, edges),
             "", 0, 0, false}};
  }
  if (before.values.empty() && now.values.empty()) return {};
  return value_distances(before, now);
}

}  // namespace pipelined
