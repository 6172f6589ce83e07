// Areas, curves and counts beside what counting every pair of rows gives.
#include "plugins/model/ranking.h"

#include <catch2/catch.hpp>
#include <random>

namespace {

using namespace pipelined::evaluation;

struct Rows {
  std::vector<float> scores;
  std::vector<std::uint8_t> labels;
};

// `distinct` scores only, so that there are many ties.
Rows made_up(unsigned seed, std::size_t count, unsigned distinct) {
  std::mt19937 random(seed);
  Rows rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.scores.push_back(static_cast<float>(random() % distinct) / static_cast<float>(distinct));
    rows.labels.push_back(random() % 3 == 0);
  }
  return rows;
}

// The share of pairs of a positive and a negative row that are in the right order.
double auc_by_pairs(const Rows& rows) {
  double right = 0;
  double pairs = 0;
  for (std::size_t i = 0; i < rows.scores.size(); ++i) {
    for (std::size_t k = 0; k < rows.scores.size(); ++k) {
      if (!rows.labels[i] || rows.labels[k]) continue;
      pairs += 1;
      if (rows.scores[i] > rows.scores[k]) right += 1;
      if (rows.scores[i] == rows.scores[k]) right += 0.5;
    }
  }
  return right / pairs;
}

}  // namespace

TEST_CASE("ranking: the area under the ROC curve is the share of pairs in order", "[evaluate]") {
  const auto distinct = GENERATE(2U, 7U, 100000U);
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Rows rows = made_up(seed, 150, distinct);
    const Ranking ranking(rows.scores, rows.labels);
    REQUIRE(ranking.auc());
    CHECK(*ranking.auc() == Approx(auc_by_pairs(rows)).epsilon(1e-12));
  }
}

TEST_CASE("ranking: the order of equal rows does not matter", "[evaluate]") {
  const std::vector<float> scores{0.5F, 0.5F, 0.5F, 0.1F};
  const Ranking one(scores, std::vector<std::uint8_t>{1, 0, 0, 1});
  const Ranking other(scores, std::vector<std::uint8_t>{0, 0, 1, 1});
  CHECK(one.auc() == other.auc());
  CHECK(one.pr_auc() == other.pr_auc());
}

TEST_CASE("ranking: average precision by hand", "[evaluate]") {
  // Positives at ranks 1 and 3: (1/1 + 2/3) / 2.
  const Ranking ranking(std::vector<float>{0.9F, 0.8F, 0.7F, 0.1F},
                        std::vector<std::uint8_t>{1, 0, 1, 0});
  CHECK(*ranking.pr_auc() == Approx((1.0 + 2.0 / 3.0) / 2.0));
}

TEST_CASE("ranking: with one class an area is not defined", "[evaluate]") {
  const std::vector<float> scores{0.5F, 0.1F};
  const Ranking positive(scores, std::vector<std::uint8_t>{1, 1});
  CHECK_FALSE(positive.auc());
  CHECK(*positive.pr_auc() == 1.0);
  CHECK(positive.roc(10).empty());
  const Ranking negative(scores, std::vector<std::uint8_t>{0, 0});
  CHECK_FALSE(negative.auc());
  CHECK_FALSE(negative.pr_auc());
  const Ranking nobody({}, {});
  CHECK_FALSE(nobody.auc());
  CHECK(nobody.counts_at(0.5).true_negatives == 0);
}

TEST_CASE("ranking: a score equal to the threshold is positive", "[evaluate]") {
  const Ranking ranking(std::vector<float>{0.25F, 0.5F, 0.5F, 0.75F},
                        std::vector<std::uint8_t>{1, 1, 0, 0});
  const Counts at = ranking.counts_at(0.5);
  CHECK(at.true_positives == 1);
  CHECK(at.false_positives == 2);
  CHECK(at.false_negatives == 1);
  CHECK(at.true_negatives == 0);
  CHECK(*precision_of(at) == Approx(1.0 / 3));
  CHECK(*recall_of(at) == 0.5);
  CHECK(*f1_of(at) == Approx(0.4));
  CHECK(*accuracy_of(at) == 0.25);
}

TEST_CASE("ranking: above every score there is no precision, not a wrong one", "[evaluate]") {
  const Ranking ranking(std::vector<float>{0.25F, 0.5F}, std::vector<std::uint8_t>{1, 0});
  const Counts none = ranking.counts_at(0.9);
  CHECK_FALSE(precision_of(none));
  CHECK(*recall_of(none) == 0.0);
  CHECK(*accuracy_of(none) == 0.5);
  const Counts all = ranking.counts_at(0.0);
  CHECK(*recall_of(all) == 1.0);
  CHECK(all.false_positives == 1);
}

TEST_CASE("ranking: curves keep their ends and stay short", "[evaluate]") {
  const Rows rows = made_up(3, 20000, 1U << 24);
  const Ranking ranking(rows.scores, rows.labels);
  const auto roc = ranking.roc(200);
  REQUIRE(roc.size() > 50);
  CHECK(roc.size() <= 202);
  CHECK(roc.front().x == 0.0);
  CHECK(roc.front().y == 0.0);
  CHECK_FALSE(roc.front().threshold);
  CHECK(roc.back().x == 1.0);
  CHECK(roc.back().y == 1.0);
  for (std::size_t i = 1; i < roc.size(); ++i) {
    CHECK(roc[i].x >= roc[i - 1].x);
    CHECK(roc[i].y >= roc[i - 1].y);
  }
  const auto recall = ranking.precision_recall(200);
  CHECK(recall.size() <= 402);
  CHECK(recall.back().x == 1.0);
  for (const CurvePoint& point : recall) {
    const Counts at = ranking.counts_at(*point.threshold);
    CHECK(point.y == *precision_of(at));
    CHECK(point.x == *recall_of(at));
  }
}
