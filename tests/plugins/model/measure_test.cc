// Metrics of a few rows, worked out by hand, and the same rows counted several times.
#include "plugins/model/measure.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <random>

#include "plugins/model/ranking.h"

namespace {

using namespace pipelined::evaluation;
using pipelined::model::Objective;

// One measure of all rows, or of those given, with its numbers by name.
struct Measured {
  std::unique_ptr<Measure> measure;
  std::vector<double> table;

  Measured(std::unique_ptr<Measure> made, const std::vector<std::uint8_t>& weights)
      : measure(std::move(made)), table(measure->keys().size() * measure->slice_count()) {
    measure->compute(weights, table);
  }
  double operator()(const std::string& name, std::optional<double> threshold = {},
                    std::size_t slice = 0) const {
    const auto& keys = measure->keys();
    const auto found = std::find(keys.begin(), keys.end(), MetricKey{name, threshold});
    INFO(name);
    REQUIRE(found != keys.end());
    return table[slice * keys.size() + static_cast<std::size_t>(found - keys.begin())];
  }
};

std::vector<Slice> all(std::size_t rows) {
  Slice slice;
  for (std::size_t row = 0; row < rows; ++row) slice.rows.push_back(static_cast<unsigned>(row));
  return {slice};
}

Measured binary(const std::vector<float>& scores, const std::vector<double>& labels,
                std::vector<std::uint8_t> weights = {}, MeasureOptions options = {{0.5}, {}}) {
  if (weights.empty()) weights.assign(scores.size(), 1);
  return {make_binary_measure(scores, labels, all(scores.size()), options), weights};
}

Measured classes(const std::vector<float>& scores, const std::vector<double>& labels,
                 std::vector<std::uint8_t> weights = {}) {
  if (weights.empty()) weights.assign(labels.size(), 1);
  return {make_class_measure(scores, labels, all(labels.size()), {"a", "b", "c"}), weights};
}

Measured values(const std::vector<float>& scores, const std::vector<double>& labels,
                std::vector<std::uint8_t> weights = {}) {
  if (weights.empty()) weights.assign(labels.size(), 1);
  return {make_value_measure(scores, labels, all(labels.size())), weights};
}

// The numbers of rows that count several times are those of rows that stand there several times.
void check_repeated(const Measured& weighted, const Measured& repeated) {
  for (std::size_t i = 0; i < weighted.table.size(); ++i) {
    INFO(weighted.measure->keys()[i].name);
    CHECK(std::isnan(weighted.table[i]) == std::isnan(repeated.table[i]));
    if (std::isnan(repeated.table[i])) continue;
    CHECK(weighted.table[i] == Approx(repeated.table[i]).epsilon(1e-12).margin(1e-14));
  }
}

}  // namespace

TEST_CASE("measure: of a yes-or-no label", "[evaluate]") {
  const Measured of = binary({0.75F, 0.5F, 0.25F}, {1, 0, 0}, {}, {{0.5, 0.6}, {1.0}});
  CHECK(of("auc") == 1.0);
  CHECK(of("log_loss") == Approx(-(std::log(0.75) + std::log(0.5) + std::log(0.75)) / 3));
  CHECK(of("brier") == Approx((0.0625 + 0.25 + 0.0625) / 3));
  CHECK(of("score_mean") == Approx(0.5));
  CHECK(of("label_mean") == Approx(1.0 / 3));
  CHECK(of("calibration") == Approx(1.5));
  // Three bins with a row each: |0.75 - 1|, 0.5 and 0.25, a third of each.
  CHECK(of("calibration_error") == Approx(1.0 / 3));
  CHECK(of("precision_at_recall_1") == 1.0);
  CHECK(of("precision", 0.5) == 0.5);
  CHECK(of("precision", 0.6) == 1.0);
  CHECK(of("recall", 0.5) == 1.0);
  CHECK(of("f1", 0.5) == Approx(2.0 / 3));
  CHECK(of("accuracy", 0.5) == Approx(2.0 / 3));
  CHECK(of("specificity", 0.5) == 0.5);
  CHECK(of("balanced_accuracy", 0.5) == 0.75);
  CHECK(of("fpr", 0.5) == 0.5);
  CHECK(of("fnr", 0.5) == 0.0);
  CHECK(of("npv", 0.5) == 1.0);
  CHECK(of("selection_rate", 0.5) == Approx(2.0 / 3));
  CHECK(of("mcc", 0.5) == Approx(0.5));  // (1*1 - 1*0) / sqrt(2*1*2*1)
}

TEST_CASE("measure: a sure and wrong score costs much, not everything", "[evaluate]") {
  CHECK(binary({0.0F, 1.0F}, {1, 0})("log_loss") == Approx(36.04).epsilon(0.001));
}

TEST_CASE("measure: what one class alone leaves undefined has no value", "[evaluate]") {
  const Measured positive = binary({0.9F, 0.2F}, {1, 1}, {}, {{0.5}, {0.5}});
  CHECK(std::isnan(positive("auc")));
  CHECK(positive("pr_auc") == 1.0);
  CHECK(std::isnan(positive("specificity", 0.5)));
  CHECK(std::isnan(positive("balanced_accuracy", 0.5)));
  CHECK(std::isnan(positive("mcc", 0.5)));
  CHECK(positive("recall", 0.5) == 0.5);
  const Measured negative = binary({0.9F, 0.2F}, {0, 0}, {}, {{0.5}, {0.5}});
  CHECK(std::isnan(negative("auc")));
  CHECK(std::isnan(negative("pr_auc")));
  CHECK(std::isnan(negative("recall", 0.5)));
  CHECK(std::isnan(negative("calibration")));
  CHECK(std::isnan(negative("precision_at_recall_0.5")));
  CHECK(negative("fpr", 0.5) == 0.5);
}

TEST_CASE("measure: rows of weight nothing leave every metric undefined", "[evaluate]") {
  const Measured none = binary({0.9F, 0.2F}, {0, 1}, {0, 0});
  for (const double number : none.table) CHECK(std::isnan(number));
  for (const double number : values({1, 2}, {1, 2}, {0, 0}).table) CHECK(std::isnan(number));
  for (const double number : classes({1, 0, 0}, {0}, {0}).table) CHECK(std::isnan(number));
}

TEST_CASE("measure: nothing is called positive above every score", "[evaluate]") {
  const Measured of = binary({0.25F, 0.5F}, {1, 0}, {}, {{0.9}, {}});
  CHECK(std::isnan(of("precision", 0.9)));
  CHECK(of("recall", 0.9) == 0.0);
  CHECK(of("accuracy", 0.9) == 0.5);
  CHECK(of("selection_rate", 0.9) == 0.0);
}

TEST_CASE("measure: the best precision that reaches a recall counts ties together", "[evaluate]") {
  const Measured of = binary({0.9F, 0.8F, 0.8F, 0.1F}, {0, 1, 0, 1}, {}, {{0.5}, {0.5, 1.0}});
  CHECK(of("precision_at_recall_0.5") == 0.5);  // both ends: 1 of 3, and 2 of 4
  CHECK(of("precision_at_recall_1") == 0.5);
}

TEST_CASE("measure: of classes, where one is never guessed", "[evaluate]") {
  const Measured of = classes({0.5F, 0.25F, 0.25F, 0.25F, 0.5F, 0.25F, 0.5F, 0.25F, 0.25F},
                              {0, 1, 2});
  CHECK(of("accuracy") == Approx(2.0 / 3));
  CHECK(of("log_loss") == Approx(-(2 * std::log(0.5) + std::log(0.25)) / 3));
  CHECK(of("precision_macro") == Approx((0.5 + 1 + 0) / 3));
  CHECK(of("recall_macro") == Approx(2.0 / 3));
  CHECK(of("balanced_accuracy") == Approx(2.0 / 3));
  CHECK(of("f1_macro") == Approx((2.0 / 3 + 1 + 0) / 3));
  CHECK(of("precision_micro") == Approx(2.0 / 3));
  CHECK(std::isnan(of("precision.c")));
  CHECK(of("recall.c") == 0.0);
  CHECK(of("specificity.a") == 0.5);
  CHECK(of("selection_rate.a") == Approx(2.0 / 3));
  CHECK(of("label_mean.c") == Approx(1.0 / 3));
  CHECK(of("auc.c") == 0.5);  // its score is the same everywhere
}

TEST_CASE("measure: a class that never occurs has no say in means", "[evaluate]") {
  const Measured of = classes({0.6F, 0.2F, 0.2F, 0.2F, 0.6F, 0.2F}, {0, 1});
  CHECK(of("recall_macro") == 1.0);
  CHECK(of("auc_macro") == 1.0);
  CHECK(of("f1_weighted") == 1.0);
  CHECK(std::isnan(of("recall.c")));
  CHECK(std::isnan(of("auc.c")));
  const Measured alone = classes({0.6F, 0.2F, 0.2F}, {0});
  CHECK(std::isnan(alone("auc_macro")));
  CHECK(std::isnan(alone("mcc")));
  CHECK(alone("accuracy") == 1.0);
}

TEST_CASE("measure: of values", "[evaluate]") {
  const Measured of = values({1, 2, 3}, {1, 2, 6});
  CHECK(of("rmse") == Approx(std::sqrt(3.0)));
  CHECK(of("mse") == Approx(3.0));
  CHECK(of("mae") == 1.0);
  CHECK(of("r2") == Approx(1 - 9.0 / 14));
  CHECK(of("mape") == Approx(0.5 / 3));
  CHECK(of("error_mean") == Approx(-1.0));
  CHECK(of("label_mean") == Approx(3.0));
  CHECK(of("score_mean") == Approx(2.0));
  CHECK(of("error_p50") == 0.0);
  CHECK(of("error_p90") == Approx(2.4));  // place 1.8 of 0, 0, 3
}

TEST_CASE("measure: labels that are all alike have no share explained", "[evaluate]") {
  const Measured of = values({1, 2, 1}, {0.1, 0.1, 0.1});
  CHECK(std::isnan(of("r2")));
  CHECK(of("rmse") > 0);
  const Measured zeros = values({1, 2}, {0, 0});
  CHECK(std::isnan(zeros("mape")));
  CHECK(zeros("mae") == 1.5);
}

TEST_CASE("measure: counting a row twice is having it twice", "[evaluate]") {
  std::mt19937 random(7);
  for (int turn = 0; turn < 20; ++turn) {
    std::vector<float> scores, scores_repeated, wide, wide_repeated;
    std::vector<double> labels, repeated, kinds, kinds_repeated, numbers, numbers_repeated;
    std::vector<std::uint8_t> weights;
    for (int row = 0; row < 60; ++row) {
      const auto weight = static_cast<std::uint8_t>(random() % 4);
      const float score = static_cast<float>(random() % 12) / 12.0F;
      const int label = random() % 2 == 0, kind = static_cast<int>(random() % 3);
      const int number = static_cast<int>(random() % 50);
      const float own[3] = {score, (1 - score) / 2, static_cast<float>(random() % 8) / 8.0F};
      weights.push_back(weight);
      scores.push_back(score);
      labels.push_back(label);
      kinds.push_back(kind);
      numbers.push_back(number);
      wide.insert(wide.end(), own, own + 3);
      for (int i = 0; i < weight; ++i) {
        scores_repeated.push_back(score);
        repeated.push_back(label);
        kinds_repeated.push_back(kind);
        numbers_repeated.push_back(number);
        wide_repeated.insert(wide_repeated.end(), own, own + 3);
      }
    }
    const MeasureOptions options{{0.5, 0.25}, {0.3, 0.8}};
    check_repeated(binary(scores, labels, weights, options),
                   binary(scores_repeated, repeated, {}, options));
    check_repeated(classes(wide, kinds, weights), classes(wide_repeated, kinds_repeated));
    check_repeated(values(scores, numbers, weights), values(scores_repeated, numbers_repeated));
  }
}

TEST_CASE("measure: a slice is measured like rows of its own", "[evaluate]") {
  const std::vector<float> scores{0.9F, 0.1F, 0.6F, 0.6F, 0.3F, 0.2F};
  const std::vector<double> labels{1, 0, 0, 1, 1, 0};
  const std::vector<Slice> slices{{"odd", {1, 3, 5}}, {"even", {0, 2, 4}}, {"none", {}}};
  const Measured of(make_binary_measure(scores, labels, slices, {{0.5}, {}}),
                    std::vector<std::uint8_t>(6, 1));
  const Measured odd = binary({0.1F, 0.6F, 0.2F}, {0, 1, 0});
  const Measured even = binary({0.9F, 0.6F, 0.3F}, {1, 0, 1});
  for (const MetricKey& key : of.measure->keys()) {
    INFO(key.name);
    CHECK(of(key.name, key.threshold, 0) == Approx(odd(key.name, key.threshold)));
    CHECK(of(key.name, key.threshold, 1) == Approx(even(key.name, key.threshold)));
    CHECK(std::isnan(of(key.name, key.threshold, 2)));
  }
}

TEST_CASE("measure: areas are those of the ranking", "[evaluate]") {
  std::mt19937 random(3);
  std::vector<float> scores;
  std::vector<double> labels;
  std::vector<std::uint8_t> positive;
  for (int row = 0; row < 500; ++row) {
    scores.push_back(static_cast<float>(random() % 90) / 90.0F);
    positive.push_back(random() % 3 == 0);
    labels.push_back(positive.back());
  }
  const Ranking ranking(scores, positive);
  CHECK(binary(scores, labels)("auc") == Approx(*ranking.auc()).epsilon(1e-13));
  CHECK(binary(scores, labels)("pr_auc") == Approx(*ranking.pr_auc()).epsilon(1e-13));
}
