// The sketches hold their stated errors and merge like the streams they stand for.
#include <catch2/catch.hpp>

#include <cmath>

#include "plugins/data/sketches.h"

using namespace pipelined;

TEST_CASE("sketches: distinct values are counted within the stated error", "[sketch]") {
  const int count = GENERATE(10, 5000, 100'000, 1'000'000);
  DistinctSketch first, second;
  for (int i = 0; i < count; ++i) (i % 2 ? first : second).add(mix(static_cast<std::uint64_t>(i)));
  first.merge(second);
  CHECK(std::abs(static_cast<double>(first.estimate() - count)) <= 3 * 0.0081 * count + 1);
}

TEST_CASE("sketches: quantiles are within 0.3 percent of rank, merged or not", "[sketch]") {
  constexpr int count = 400'000;
  QuantileSketch whole, left, right;
  for (int i = 0; i < count; ++i) {
    const double value = static_cast<double>((static_cast<std::int64_t>(i) * 7919) % count);
    whole.add(value);
    (i < count / 3 ? left : right).add(value);
  }
  left.merge(right);
  for (const QuantileSketch* sketch : {&whole, &left}) {
    std::int64_t passed = 0;
    double worst = 0;
    for (const auto& [value, weight] : sketch->weighted()) {
      passed += weight;
      worst = std::max(worst, std::abs(static_cast<double>(passed) - value));
    }
    CHECK(passed == count);
    CHECK(worst <= 0.003 * count);
  }
}

TEST_CASE("sketches: frequent texts survive a flood of rare ones", "[sketch]") {
  TextCounts counts;
  constexpr int rare = 300'000;
  for (int i = 0; i < rare; ++i) {
    counts.add(std::to_string(i));
    if (i % 10 == 0) counts.add("often");
  }
  CHECK_FALSE(counts.exact());
  std::int64_t often = 0;
  for (const auto& [text, count] : counts.entries()) {
    if (text == "often") often = count;
  }
  CHECK(often <= rare / 10);
  CHECK(often >= rare / 10 - counts.error());
  CHECK(counts.error() <= 2 * (rare + rare / 10) / static_cast<int>(exact_values_max));
}
