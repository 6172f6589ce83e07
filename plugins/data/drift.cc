#include "plugins/data/drift.h"

#include <algorithm>
#include <cmath>

#include "plugins/data/p_values.h"

namespace pipelined {
namespace {

/// Shares below this count as this in logarithms, so that an empty bucket is far but not endlessly.
constexpr double least_share = 0.0001;
constexpr double least_deviation = 0.001;

double divergence_term(double p, double q) {
  return p > 0 ? 0.5 * p * std::log2(2 * p / (p + q)) : 0;
}

double l_infinity(const Pairing& pairing) {
  double largest = 0;
  for (const PairedShare& share : pairing.shares) {
    largest = std::max(largest, std::abs(share.before - share.now));
  }
  return largest;
}

double jensen_shannon(const Pairing& pairing) {
  double sum = 0;
  for (const PairedShare& share : pairing.shares) {
    sum += divergence_term(share.before, share.now) + divergence_term(share.now, share.before);
  }
  return std::clamp(sum, 0.0, 1.0);
}

double normalized_difference(const Pairing& pairing) {
  double largest = 0;
  for (const PairedShare& share : pairing.shares) {
    largest = std::max(largest, std::abs(share.before * pairing.rows_before -
                                         share.now * pairing.rows_now));
  }
  return largest / (pairing.rows_before + pairing.rows_now);
}

double stability_index(const Pairing& pairing) {
  double sum = 0;
  for (const PairedShare& share : pairing.shares) {
    const double p = std::max(share.before, least_share), q = std::max(share.now, least_share);
    sum += (q - p) * std::log(q / p);
  }
  return sum;
}

double kullback_leibler(const Pairing& pairing) {
  double sum = 0;
  for (const PairedShare& share : pairing.shares) {
    if (share.before <= 0) continue;
    sum += share.before * std::log(share.before / std::max(share.now, least_share));
  }
  return std::max(sum, 0.0);
}

double hellinger(const Pairing& pairing) {
  double sum = 0;
  for (const PairedShare& share : pairing.shares) {
    const double difference = std::sqrt(share.before) - std::sqrt(share.now);
    sum += difference * difference;
  }
  return std::sqrt(sum / 2);
}

double total_variation(const Pairing& pairing) {
  double sum = 0;
  for (const PairedShare& share : pairing.shares) sum += std::abs(share.before - share.now);
  return sum / 2;
}

double kolmogorov_smirnov(const Pairing& pairing) {
  double below = 0, largest = 0;
  for (const PairedShare& share : pairing.ordered()) {
    below += share.before - share.now;
    largest = std::max(largest, std::abs(below));
  }
  return largest;
}

/// Integral of |F - G|: inside an interval the difference of the two is a straight line.
double area_between(double from, double to, double width) {
  if ((from >= 0) == (to >= 0)) return width * std::abs(from + to) / 2;
  const double height = std::abs(from) + std::abs(to);
  return width * (from * from + to * to) / (2 * height);
}

double wasserstein(const Pairing& pairing) {
  double below = 0, sum = 0, end = 0;
  bool first = true;
  for (const PairedShare& share : pairing.ordered()) {
    if (!std::isfinite(share.high) || std::isnan(share.low)) continue;
    if (!first) sum += std::abs(below) * (share.low - end);
    const double next = below + share.before - share.now;
    sum += area_between(below, next, share.high - share.low);
    below = next;
    end = share.high;
    first = false;
  }
  return sum / std::max(pairing.deviation, least_deviation);
}

HomogeneityTest homogeneity(const Pairing& pairing) {
  std::vector<double> before, now;
  for (const PairedShare& share : pairing.shares) {
    before.push_back(std::round(share.before * pairing.rows_before));
    now.push_back(std::round(share.now * pairing.rows_now));
  }
  return test_homogeneity(before, now);
}

double chi_square(const Pairing& pairing) { return homogeneity(pairing).statistic; }
double chi_square_p(const Pairing& pairing) { return homogeneity(pairing).p; }

double kolmogorov_smirnov_p(const Pairing& pairing) {
  return kolmogorov_tail(kolmogorov_smirnov(pairing), pairing.rows_before, pairing.rows_now);
}

}  // namespace

const std::vector<Measure>& measures() {
  static const std::vector<Measure> all{
      {"l_infinity", true, false, false, false, l_infinity},
      {"jensen_shannon", false, false, false, false, jensen_shannon},
      {"normalized_difference", false, false, false, false, normalized_difference},
      {"psi", false, false, false, false, stability_index},
      {"ks", false, true, false, true, kolmogorov_smirnov},
      {"ks_p", false, true, true, false, kolmogorov_smirnov_p},
      {"chi_square", true, false, false, false, chi_square},
      {"chi_square_p", true, false, true, false, chi_square_p},
      {"hellinger", false, false, false, false, hellinger},
      {"total_variation", false, false, false, false, total_variation},
      {"kullback_leibler", false, false, false, false, kullback_leibler},
      {"wasserstein", false, true, false, false, wasserstein}};
  return all;
}

std::vector<std::string> measure_names() {
  std::vector<std::string> names;
  for (const Measure& measure : measures()) names.emplace_back(measure.name);
  return names;
}

const Measure* measure_named(const std::string& name) {
  for (const Measure& measure : measures()) {
    if (name == measure.name) return &measure;
  }
  return nullptr;
}

const char* usual_measure(const Pairing& pairing) {
  return pairing.values ? "l_infinity" : "jensen_shannon";
}

std::string obstacle(const Measure& measure, const Pairing& pairing) {
  if (measure.needs_values && !pairing.values) {
    return "it is a number with many values, a date or a time; jensen_shannon and ks can be";
  }
  if (measure.needs_numbers && !pairing.numbers) {
    return "its values have no order; l_infinity and jensen_shannon can be";
  }
  return "";
}

Distance measure_distance(const Measure& measure, const Pairing& pairing) {
  Distance distance;
  distance.measure = measure.name;
  distance.value = measure.compute(pairing);
  distance.approximate = pairing.approximate;
  if (measure.by_rank && pairing.rank_error > 0) distance.error = pairing.rank_error;
  if (pairing.values) {
    double largest = -1;
    for (const PairedShare& share : pairing.shares) {
      // Of a bool both values differ alike; "true" comes last and names the difference.
      constexpr double equal = 1e-12;
      const bool counts = distance.measure == "normalized_difference";
      const double apart = counts ? std::abs(share.before * pairing.rows_before -
                                             share.now * pairing.rows_now)
                                  : std::abs(share.before - share.now);
      if (apart < largest - equal || (counts && apart <= largest)) continue;
      largest = apart;
      distance.largest = share.value;
      distance.share_before = share.before;
      distance.share_now = share.now;
    }
  }
  distance.p = pairing.values ? chi_square_p(pairing) : kolmogorov_smirnov_p(pairing);
  return distance;
}

Result<std::vector<Distance>> distances(const FeatureFacts& before, const FeatureFacts& now) {
  TRY(pairing, pair_sides(before, now));
  std::vector<Distance> all;
  for (const Measure& measure : measures()) {
    if (obstacle(measure, pairing).empty()) all.push_back(measure_distance(measure, pairing));
  }
  return all;
}

}  // namespace pipelined
