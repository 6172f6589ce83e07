// Metrics of a few rows, worked out by hand.
#include "plugins/model/metrics.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>

namespace {

using namespace pipelined::evaluation;

std::optional<double> value(const std::vector<Metric>& metrics, const std::string& name) {
  const auto found = std::find_if(metrics.begin(), metrics.end(),
                                  [&](const Metric& metric) { return metric.name == name; });
  REQUIRE(found != metrics.end());
  return found->value;
}

}  // namespace

TEST_CASE("metrics: of a yes-or-no label", "[evaluate]") {
  const std::vector<float> scores{0.75F, 0.5F, 0.25F};
  const std::vector<std::uint8_t> labels{1, 0, 0};
  std::vector<Metric> metrics;
  std::vector<SliceCounts> counts;
  add_binary_metrics(Ranking(scores, labels), scores, labels, {0.5, 0.6}, "all", metrics, counts);
  CHECK(*value(metrics, "auc") == 1.0);
  CHECK(*value(metrics, "log_loss") ==
        Approx(-(std::log(0.75) + std::log(0.5) + std::log(0.75)) / 3));
  CHECK(*value(metrics, "brier") == Approx((0.0625 + 0.25 + 0.0625) / 3));
  CHECK(*value(metrics, "score_mean") == Approx(0.5));
  CHECK(*value(metrics, "label_mean") == Approx(1.0 / 3));
  CHECK(*value(metrics, "precision") == 0.5);
  REQUIRE(counts.size() == 2);
  CHECK(counts[1].counts.false_positives == 0);
  CHECK(std::all_of(metrics.begin(), metrics.end(),
                    [](const Metric& metric) { return metric.slice == "all"; }));
}

TEST_CASE("metrics: a sure and wrong score costs much, not everything", "[evaluate]") {
  const std::vector<float> scores{0.0F, 1.0F};
  const std::vector<std::uint8_t> labels{1, 0};
  std::vector<Metric> metrics;
  std::vector<SliceCounts> counts;
  add_binary_metrics(Ranking(scores, labels), scores, labels, {}, "", metrics, counts);
  CHECK(*value(metrics, "log_loss") == Approx(36.04).epsilon(0.001));
}

TEST_CASE("metrics: of classes, where one is never guessed", "[evaluate]") {
  const std::vector<float> scores{0.5F, 0.25F, 0.25F, 0.25F, 0.5F, 0.25F, 0.5F, 0.25F, 0.25F};
  const std::vector<std::uint32_t> labels{0, 1, 2};
  std::vector<Metric> metrics;
  add_class_metrics(scores, labels, 3, "", metrics);
  CHECK(*value(metrics, "accuracy") == Approx(2.0 / 3));
  CHECK(*value(metrics, "log_loss") == Approx(-(2 * std::log(0.5) + std::log(0.25)) / 3));
  CHECK(*value(metrics, "precision_macro") == Approx((0.5 + 1 + 0) / 3));
  CHECK(*value(metrics, "recall_macro") == Approx(2.0 / 3));
  CHECK(*value(metrics, "f1_macro") == Approx((2.0 / 3 + 1 + 0) / 3));
}

TEST_CASE("metrics: of values", "[evaluate]") {
  std::vector<Metric> metrics;
  add_value_metrics(std::vector<float>{1, 2, 3}, std::vector<double>{1, 2, 6}, "", metrics);
  CHECK(*value(metrics, "rmse") == Approx(std::sqrt(3.0)));
  CHECK(*value(metrics, "mae") == 1.0);
  CHECK(*value(metrics, "r2") == Approx(1 - 9.0 / 14));
}

TEST_CASE("metrics: labels that are all alike have no share explained", "[evaluate]") {
  std::vector<Metric> metrics;
  add_value_metrics(std::vector<float>{1, 2}, std::vector<double>{4, 4}, "", metrics);
  CHECK_FALSE(value(metrics, "r2"));
  CHECK(value(metrics, "rmse"));
}
