#include "plugins/data/p_values.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numeric>

namespace pipelined {
namespace {

constexpr int terms_max = 10'000;
constexpr double precision = 1e-15;

/// Regularised lower incomplete gamma by its series; converges quickly for x < a + 1.
double gamma_series(double a, double x) {
  double term = 1 / a, sum = term;
  for (int n = 1; n < terms_max && term > sum * precision; ++n) {
    term *= x / (a + n);
    sum += term;
  }
  return sum * std::exp(-x + a * std::log(x) - std::lgamma(a));
}

/// Regularised upper incomplete gamma by Lentz's continued fraction; for x >= a + 1.
double gamma_fraction(double a, double x) {
  constexpr double tiny = 1e-300;
  double b = x + 1 - a, c = 1 / tiny, d = 1 / b, product = d;
  for (int n = 1; n < terms_max; ++n) {
    const double numerator = -n * (n - a);
    b += 2;
    d = numerator * d + b;
    if (std::abs(d) < tiny) d = tiny;
    c = b + numerator / c;
    if (std::abs(c) < tiny) c = tiny;
    d = 1 / d;
    product *= d * c;
    if (std::abs(d * c - 1) < precision) break;
  }
  return product * std::exp(-x + a * std::log(x) - std::lgamma(a));
}

double log_binomial(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

double statistic_of(const std::vector<double>& before, const std::vector<double>& now) {
  const double a = std::accumulate(before.begin(), before.end(), 0.0);
  const double b = std::accumulate(now.begin(), now.end(), 0.0);
  double sum = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double column = before[i] + now[i];
    if (column == 0) continue;
    const double expected_before = column * a / (a + b), expected_now = column * b / (a + b);
    sum += (before[i] - expected_before) * (before[i] - expected_before) / expected_before +
           (now[i] - expected_now) * (now[i] - expected_now) / expected_now;
  }
  return sum;
}

}  // namespace

double chi_square_tail(double statistic, int degrees) {
  if (!(statistic > 0)) return 1;
  const double a = degrees / 2.0, x = statistic / 2;
  const double tail = x < a + 1 ? 1 - gamma_series(a, x) : gamma_fraction(a, x);
  return std::clamp(tail, 0.0, 1.0);
}

double fisher_exact(double a, double b, double c, double d) {
  const double row = a + b, column = a + c, all = a + b + c + d;
  const auto log_probability = [&](double x) {
    return log_binomial(row, x) + log_binomial(all - row, column - x) - log_binomial(all, column);
  };
  const double own = log_probability(a);
  constexpr double equal = 1e-7;  // relative: tables that are as likely belong to the tail
  double sum = 0;
  for (double x = std::max(0.0, column - (all - row)); x <= std::min(row, column); ++x) {
    const double other = log_probability(x);
    if (other <= own + equal) sum += std::exp(other);
  }
  return std::min(sum, 1.0);
}

HomogeneityTest test_homogeneity(const std::vector<double>& before,
                                 const std::vector<double>& now) {
  const double a = std::accumulate(before.begin(), before.end(), 0.0);
  const double b = std::accumulate(now.begin(), now.end(), 0.0);
  HomogeneityTest test;
  test.statistic = statistic_of(before, now);
  std::vector<double> kept_before, kept_now;
  double rare_before = 0, rare_now = 0;
  int filled = 0;
  double least = a + b;
  for (std::size_t i = 0; i < before.size(); ++i) {
    const double column = before[i] + now[i];
    if (column == 0) continue;
    ++filled;
    const double expected = column * std::min(a, b) / (a + b);
    least = std::min(least, expected);
    if (expected < 5) {
      rare_before += before[i];
      rare_now += now[i];
    } else {
      kept_before.push_back(before[i]);
      kept_now.push_back(now[i]);
    }
  }
  test.degrees = std::max(0, filled - 1);
  if (filled < 2) return test;
  if (filled == 2 && least < 10) {
    std::vector<double> x, y;
    for (std::size_t i = 0; i < before.size(); ++i) {
      if (before[i] + now[i] == 0) continue;
      x.push_back(before[i]);
      y.push_back(now[i]);
    }
    test.p = fisher_exact(x[0], x[1], y[0], y[1]);
    return test;
  }
  if (rare_before + rare_now > 0) {
    kept_before.push_back(rare_before);
    kept_now.push_back(rare_now);
  }
  if (kept_before.size() < 2) return test;
  test.p = chi_square_tail(statistic_of(kept_before, kept_now),
                           static_cast<int>(kept_before.size()) - 1);
  return test;
}

double kolmogorov_tail(double distance, double rows_before, double rows_now) {
  if (!(distance > 0)) return 1;
  const double root = std::sqrt(rows_before * rows_now / (rows_before + rows_now));
  const double lambda = (root + 0.12 + 0.11 / root) * distance;
  if (lambda < 0.2) return 1;  // the series converges slowly there, and is 1 to 12 digits
  double sum = 0, sign = 1;
  for (int k = 1; k < 200; ++k, sign = -sign) {
    const double term = std::exp(-2.0 * k * k * lambda * lambda);
    sum += sign * term;
    if (term < 1e-17) break;
  }
  return std::clamp(2 * sum, 0.0, 1.0);
}

}  // namespace pipelined
