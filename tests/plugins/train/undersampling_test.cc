// Which rows an undersampling keeps: a matter of what they hold.
#include <algorithm>
#include <catch2/catch.hpp>
#include <numeric>
#include <random>
#include <tuple>

#include "model/encoding.h"
#include "plugins/train/undersampling.h"

namespace {

using namespace pipelined::train;

struct Kept {
  std::vector<std::tuple<float, float, float>> rows;  // sorted; -1 stands for missing
};

// 4,000 rows, many of them alike, in an order that `shuffle` decides.
Kept keep(unsigned shuffle, std::int64_t seed, float share = 0.25F) {
  std::vector<std::size_t> order(4000);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random(shuffle);
  if (shuffle > 0) std::shuffle(order.begin(), order.end(), random);
  TrainingTable table;
  std::vector<float> shares;
  for (const std::size_t row : order) {
    const bool rare = row % 10 == 0;
    table.labels.push_back(rare ? 1.0F : 0.0F);
    shares.push_back(rare ? 1.0F : share);
    table.matrix.push_back(row % 7 == 0 ? pipelined::model::missing : static_cast<float>(row % 50));
    table.matrix.push_back(static_cast<float>(row / 100));
  }
  undersample(table, 2, shares, seed);
  REQUIRE(table.matrix.size() == 2 * table.row_count());
  Kept kept;
  for (std::size_t row = 0; row < table.row_count(); ++row) {
    const float first = table.matrix[2 * row];
    kept.rows.emplace_back(table.labels[row], first == first ? first : -1,
                           table.matrix[2 * row + 1]);
  }
  std::sort(kept.rows.begin(), kept.rows.end());
  return kept;
}

}  // namespace

TEST_CASE("undersampling: the same rows stay in whatever order they come") {
  const Kept first = keep(0, 7);
  CHECK(keep(1, 7).rows == first.rows);
  CHECK(keep(2, 7).rows == first.rows);
  CHECK(keep(0, 8).rows != first.rows);
}

TEST_CASE("undersampling: rows that are alike are drawn one by one") {
  const Kept kept = keep(0, 7);
  const auto common = std::count_if(kept.rows.begin(), kept.rows.end(),
                                    [](const auto& row) { return std::get<0>(row) == 0; });
  CHECK(kept.rows.size() - static_cast<std::size_t>(common) == 400);
  // 3,600 drawn with 0.25: a mean of 900 and a deviation of 26.
  CHECK(common > 800);
  CHECK(common < 1000);
  CHECK(keep(0, 7, 0).rows.size() == 400);
  CHECK(keep(0, 7, 1).rows.size() == 4000);

  TrainingTable alike;
  alike.labels.assign(1000, 0);
  alike.matrix.assign(1000, 3);
  undersample(alike, 1, std::vector<float>(1000, 0.5F), 1);
  CHECK(alike.row_count() > 400);
  CHECK(alike.row_count() < 600);
}
