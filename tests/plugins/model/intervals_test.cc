// Resamples and intervals: what they draw, and that threads change nothing.
#include "plugins/model/intervals.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "plugins/model/resample.h"

namespace {

using namespace pipelined::evaluation;

struct Rows {
  std::vector<float> scores;
  std::vector<double> labels;
  std::vector<Slice> slices{{"", {}}, {"few", {}}};
};

Rows made_up(std::size_t count) {
  std::mt19937 random(11);
  Rows rows;
  for (std::size_t row = 0; row < count; ++row) {
    rows.labels.push_back(static_cast<double>(random() % 2));
    rows.scores.push_back(static_cast<float>(random() % 100) / 200.0F +
                          static_cast<float>(rows.labels.back()) * 0.25F);
    rows.slices[0].rows.push_back(static_cast<std::uint32_t>(row));
    if (row < 4) rows.slices[1].rows.push_back(static_cast<std::uint32_t>(row));
  }
  return rows;
}

Numbers drawn(const Rows& rows, int threads, std::uint64_t seed = 1, std::int64_t count = 50) {
  const auto measure = make_binary_measure(rows.scores, rows.labels, rows.slices, {{0.5}, {}});
  const auto all = resampled({measure.get()}, rows.labels.size(), {count, 0.95, seed, threads},
                             [] { return false; });
  REQUIRE(all);
  return all->front();
}

// Equal bits; not-a-number is equal to itself.
bool same(const std::vector<double>& left, const std::vector<double>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), [](double a, double b) {
    return a == b || (std::isnan(a) && std::isnan(b));
  });
}

}  // namespace

TEST_CASE("resample: weights are spread like Poisson's with mean one", "[evaluate]") {
  std::vector<std::uint8_t> weights(200000);
  draw_weights(5, 3, weights);
  std::vector<double> shares(20);
  double mean = 0;
  for (const std::uint8_t weight : weights) {
    REQUIRE(weight < 20);
    shares[weight] += 1.0 / 200000;
    mean += weight / 200000.0;
  }
  CHECK(mean == Approx(1).epsilon(0.01));
  double expected = std::exp(-1.0);
  for (int k = 0; k < 6; ++k) {
    CHECK(shares[static_cast<std::size_t>(k)] == Approx(expected).margin(0.004));
    expected /= k + 1;
  }
}

TEST_CASE("resample: seed and number decide the draws, the rows behind do not", "[evaluate]") {
  std::vector<std::uint8_t> one(1000), longer(2000), next(1000), other(1000);
  draw_weights(5, 0, one);
  draw_weights(5, 0, longer);
  draw_weights(5, 1, next);
  draw_weights(6, 0, other);
  CHECK(std::equal(one.begin(), one.end(), longer.begin()));
  CHECK(one != next);
  CHECK(one != other);
}

TEST_CASE("intervals: the same bits with any number of threads", "[evaluate]") {
  const Rows rows = made_up(700);
  const Numbers one = drawn(rows, 1);
  for (const int threads : {2, 3, 8}) {
    const Numbers more = drawn(rows, threads);
    CHECK(same(one.points, more.points));
    for (std::size_t i = 0; i < one.resamples.size(); ++i) {
      CHECK(same(one.resamples[i], more.resamples[i]));
    }
  }
  CHECK_FALSE(same(one.resamples[0], drawn(rows, 1, 2).resamples[0]));
}

TEST_CASE("intervals: the spread of a mean is what theory says", "[evaluate]") {
  const Rows rows = made_up(4000);
  const Numbers numbers = drawn(rows, 2, 1, 1000);
  std::vector<double> means;
  for (const auto& table : numbers.resamples) means.push_back(table[5]);  // label_mean
  const double mean = numbers.points[5];
  const auto interval = interval_of(means, 0.95);
  REQUIRE(interval);
  const double expected = 1.96 * std::sqrt(mean * (1 - mean) / 4000);
  CHECK(interval->low == Approx(mean - expected).margin(0.15 * expected));
  CHECK(interval->high == Approx(mean + expected).margin(0.15 * expected));
}

TEST_CASE("intervals: models are measured on the same resamples", "[evaluate]") {
  const Rows rows = made_up(300);
  const auto one = make_binary_measure(rows.scores, rows.labels, rows.slices, {{0.5}, {}});
  const auto twin = make_binary_measure(rows.scores, rows.labels, rows.slices, {{0.5}, {}});
  const auto all =
      resampled({one.get(), twin.get()}, 300, {20, 0.95, 9, 2}, [] { return false; });
  REQUIRE(all);
  for (std::size_t i = 0; i < 20; ++i) {
    CHECK(same((*all)[0].resamples[i], (*all)[1].resamples[i]));
  }
}

TEST_CASE("intervals: who asks to stop gets nothing", "[evaluate]") {
  const Rows rows = made_up(50);
  const auto measure = make_binary_measure(rows.scores, rows.labels, rows.slices, {{0.5}, {}});
  CHECK_FALSE(resampled({measure.get()}, 50, {20, 0.95, 9, 2}, [] { return true; }));
}

TEST_CASE("intervals: percentiles with straight lines between", "[evaluate]") {
  CHECK(interval_of({4, 1, 3, 2, 5}, 0.5) == Interval{2, 4});
  CHECK(interval_of({0, 10}, 0.9)->low == Approx(0.5));
  CHECK(interval_of({7}, 0.9) == Interval{7, 7});
  CHECK_FALSE(interval_of({}, 0.9));
  const double nothing = std::nan("");
  CHECK(interval_of({nothing, 1, 1}, 0.9) == Interval{1, 1});
  CHECK_FALSE(interval_of({nothing, nothing, 1}, 0.9));
}
