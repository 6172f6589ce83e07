// Rows of every type for tests of statistics, and statistics of them, of parts of them and merged.
#pragma once

#include <catch2/catch.hpp>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>

#include "operators/testing/fake_context.h"
#include "plugins/common/examples.h"
#include "plugins/data/operators.h"
#include "plugins/data/statistics.h"
#include "tests/plugins/examples_maker.h"

namespace pipelined::statistics_tests {

using testing::ExamplesMaker;
using testing::FakeContext;
using Json = nlohmann::json;

/// Rows of every type; `spread` says from how many values each column draws.
struct Rows {
  ExamplesMaker::Column<std::int64_t> integers;
  ExamplesMaker::Column<double> numbers, weights;
  ExamplesMaker::Column<std::string> words;
  ExamplesMaker::Column<bool> flags;
  ExamplesMaker::Column<std::int32_t> dates;

  static Rows random(std::size_t count, std::int64_t spread, unsigned seed) {
    std::mt19937_64 random(seed);
    const auto draw = [&](std::int64_t below) {
      return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(below));
    };
    Rows rows;
    for (std::size_t i = 0; i < count; ++i) {
      const bool missing = draw(10) == 0;
      const std::int64_t value = draw(spread);
      rows.integers.push_back(missing ? std::nullopt : std::optional(value - spread / 3));
      const double number = draw(50) == 0   ? std::nan("")
                            : draw(50) == 0 ? (draw(2) == 0 ? HUGE_VAL : -HUGE_VAL)
                                            : static_cast<double>(draw(spread)) / 7 - 3;
      rows.numbers.push_back(draw(12) == 0 ? std::nullopt : std::optional(number));
      rows.weights.push_back(static_cast<double>(draw(1000)) / 250);
      rows.words.push_back(draw(9) == 0 ? std::nullopt
                                        : std::optional("wört" + std::to_string(draw(spread))));
      rows.flags.push_back(draw(20) == 0 ? std::nullopt : std::optional(draw(3) == 0));
      rows.dates.push_back(static_cast<std::int32_t>(15'000 + draw(spread)));
    }
    return rows;
  }

  void shuffle(unsigned seed) {
    const auto mix = [&](auto& column) {
      std::mt19937_64 random(seed);
      std::shuffle(column.begin(), column.end(), random);
    };
    mix(integers), mix(numbers), mix(weights), mix(words), mix(flags), mix(dates);
  }

  std::string write(const std::filesystem::path& folder, std::int64_t begin = 0,
                    std::int64_t end = -1) const {
    return ExamplesMaker().integers("i", integers).numbers("n", numbers).numbers("w", weights)
        .words("s", words).flags("f", flags).dates("d", dates).write(folder, begin, end).string();
  }
};

inline Json described(const std::vector<std::string>& folders, const StatisticsOptions& options = {}) {
  const auto table = summarise(folders, options);
  REQUIRE(table);
  return Json::parse(statistics_json(*table, options));
}

inline std::string state_of(const std::string& folder, const StatisticsOptions& options = {}) {
  const auto table = summarise({folder}, options);
  REQUIRE(table);
  return statistics_state(*table, options);
}

inline Json merged(const std::vector<std::string>& states) {
  TableSummary table;
  StatisticsOptions options;
  for (const std::string& state : states) {
    const auto done = merge_statistics(state, table, options);
    INFO((done ? "" : done.error().message));
    REQUIRE(done);
  }
  return Json::parse(statistics_json(table, options));
}

/// Equal but for floating sums, which may differ in the twelfth digit.
inline void check_same(const Json& a, const Json& b, const std::string& where = "") {
  INFO(where);
  REQUIRE(a.type_name() == std::string(b.type_name()));
  if (a.is_object()) {
    CHECK(a.size() == b.size());
    for (const auto& [key, value] : a.items()) {
      REQUIRE(b.contains(key));
      check_same(value, b[key], where + "/" + key);
    }
  } else if (a.is_array()) {
    REQUIRE(a.size() == b.size());
    for (std::size_t i = 0; i < a.size(); ++i) check_same(a[i], b[i], where + "/" + std::to_string(i));
  } else if (a.is_number_float()) {
    const double x = a.get<double>(), y = b.get<double>();
    CHECK(std::abs(x - y) <= 1e-12 * std::max(std::abs(x), std::abs(y)));
  } else {
    CHECK(a == b);
  }
}

}  // namespace pipelined::statistics_tests
