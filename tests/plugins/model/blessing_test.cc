// What blesses a model and what does not, rule by rule.
#include "plugins/model/blessing.h"

#include <catch2/catch.hpp>

namespace {

using namespace pipelined::evaluation;

Metric metric(const std::string& name, double value, const std::string& slice = "",
              std::optional<double> baseline = {}) {
  Metric one;
  one.name = name;
  one.slice = slice;
  one.value = value;
  one.baseline = baseline;
  if (baseline) one.difference = value - *baseline;
  return one;
}

Requirement require(const std::string& name, const std::string& slice = "") {
  Requirement one;
  one.metric = name;
  one.slice = slice;
  return one;
}

const Baseline none{false, ""};
const Baseline there{true, ""};

}  // namespace

TEST_CASE("blessing: bounds may be reached", "[evaluate]") {
  Requirement auc = require("auc");
  auc.min = 0.7;
  CHECK(judged({auc}, {metric("auc", 0.7)}, none, {}).blessed);
  const Blessing low = judged({auc}, {metric("auc", 0.699)}, none, {});
  CHECK_FALSE(low.blessed);
  CHECK(low.judgements[0].sentence == "auc is 0.699; at least 0.7 is required");
  Requirement loss = require("log_loss");
  loss.max = 0.5;
  CHECK(judged({loss}, {metric("log_loss", 0.5)}, none, {}).blessed);
  CHECK_FALSE(judged({loss}, {metric("log_loss", 0.51)}, none, {}).blessed);
}

TEST_CASE("blessing: nothing required blesses nothing", "[evaluate]") {
  const Blessing blessing = judged({}, {metric("auc", 1)}, none, {});
  CHECK_FALSE(blessing.blessed);
  CHECK_THAT(blessing.sentence, Catch::Contains("nothing is required"));
}

TEST_CASE("blessing: a metric or slice that is missing fails", "[evaluate]") {
  Requirement absent = require("auk");
  absent.min = 0;
  Blessing blessing = judged({absent}, {metric("auc", 1)}, none, {});
  CHECK_FALSE(blessing.blessed);
  CHECK_THAT(blessing.judgements[0].sentence, Catch::Contains("no metric auk"));
  Requirement elsewhere = require("auc", "origin=LGA");
  elsewhere.min = 0;
  blessing = judged({elsewhere}, {metric("auc", 1), metric("auc", 1, "origin=JFK")}, none, {});
  CHECK_FALSE(blessing.blessed);
  CHECK_THAT(blessing.judgements[0].sentence, Catch::Contains("origin=LGA"));
  Metric undefined = metric("auc", 0);
  undefined.value.reset();
  Requirement auc = require("auc");
  auc.min = 0;
  blessing = judged({auc}, {undefined}, none, {});
  CHECK_FALSE(blessing.blessed);
  CHECK_THAT(blessing.judgements[0].sentence, Catch::Contains("not defined"));
}

TEST_CASE("blessing: patterns mean each slice of a column, or every slice", "[evaluate]") {
  const std::vector<Metric> metrics{metric("recall", 0.1), metric("recall", 0.5, "sex=male"),
                                    metric("recall", 0.4, "sex=female"),
                                    metric("recall", 0.3, "sex=male, age=..30"),
                                    metric("recall", 0.2, "sexuality=x")};
  Requirement column = require("recall", "sex=*");
  column.min = 0.35;
  const Blessing each = judged({column}, metrics, none, {});
  CHECK(each.blessed);
  CHECK(each.judgements.size() == 2);
  Requirement any = require("recall", "*");
  any.min = 0.35;
  const Blessing every = judged({any}, metrics, none, {});
  CHECK_FALSE(every.blessed);
  CHECK(every.judgements.size() == 4);
}

TEST_CASE("blessing: gain is in the metric's better direction", "[evaluate]") {
  Requirement auc = require("auc");
  auc.gain = -0.01;
  CHECK(judged({auc}, {metric("auc", 0.795, "", 0.8)}, there, {}).blessed);
  CHECK_FALSE(judged({auc}, {metric("auc", 0.78, "", 0.8)}, there, {}).blessed);
  Requirement loss = require("log_loss");
  loss.gain = 0.05;
  CHECK(judged({loss}, {metric("log_loss", 0.3, "", 0.4)}, there, {}).blessed);
  CHECK_FALSE(judged({loss}, {metric("log_loss", 0.4, "", 0.3)}, there, {}).blessed);
  Requirement relative = require("mae");
  relative.gain_relative = 0.1;
  CHECK(judged({relative}, {metric("mae", 8.9, "", 10)}, there, {}).blessed);
  CHECK_FALSE(judged({relative}, {metric("mae", 9.1, "", 10)}, there, {}).blessed);
  CHECK_THAT(judged({relative}, {metric("mae", 1, "", 0)}, there, {}).judgements[0].sentence,
             Catch::Contains("is 0"));
}

TEST_CASE("blessing: who knows no direction asks for one", "[evaluate]") {
  Requirement mean = require("score_mean");
  mean.gain = 0;
  const Blessing unknown = judged({mean}, {metric("score_mean", 1, "", 1)}, there, {});
  CHECK_FALSE(unknown.blessed);
  CHECK_THAT(unknown.judgements[0].sentence, Catch::Contains("better"));
  mean.higher_is_better = false;
  CHECK(judged({mean}, {metric("score_mean", 1, "", 1)}, there, {}).blessed);
  CHECK(higher_is_better("recall.low") == true);
  CHECK(higher_is_better("precision_at_recall_0.5") == true);
  CHECK(higher_is_better("error_p90") == false);
  CHECK(higher_is_better("fpr") == false);
  CHECK_FALSE(higher_is_better("recall_ratio"));
  CHECK_FALSE(higher_is_better("precisely"));
}

TEST_CASE("blessing: the first model passes on values alone, and it is said", "[evaluate]") {
  Requirement auc = require("auc");
  auc.min = 0.7;
  auc.gain = 0.5;
  const Blessing first = judged({auc}, {metric("auc", 0.8)}, none, {});
  CHECK(first.blessed);
  CHECK_THAT(first.sentence, Catch::Contains("no baseline, so values alone"));
  CHECK_FALSE(judged({auc}, {metric("auc", 0.6)}, none, {}).blessed);
  const Blessing second = judged({auc}, {metric("auc", 0.8, "", 0.79)}, there, {});
  CHECK_FALSE(second.blessed);
  CHECK(second.judgements.size() == 2);
}

TEST_CASE("blessing: a baseline that cannot be compared fails what compares", "[evaluate]") {
  Requirement auc = require("auc");
  auc.gain = -1;
  const Blessing blessing =
      judged({auc}, {metric("auc", 0.8)}, {true, "the baseline knows other classes"}, {});
  CHECK_FALSE(blessing.blessed);
  CHECK(blessing.judgements[0].sentence == "the baseline knows other classes");
}

TEST_CASE("blessing: who must be sure is judged by the worse end", "[evaluate]") {
  Requirement auc = require("auc");
  auc.min = 0.7;
  auc.sure = true;
  Metric wide = metric("auc", 0.75);
  wide.interval = Interval{0.69, 0.8};
  CHECK_FALSE(judged({auc}, {wide}, none, {}).blessed);
  wide.interval = Interval{0.71, 0.8};
  CHECK(judged({auc}, {wide}, none, {}).blessed);
  wide.interval.reset();
  CHECK_FALSE(judged({auc}, {wide}, none, {}).blessed);
  Requirement gain = require("log_loss");
  gain.gain = 0;
  gain.sure = true;
  Metric loss = metric("log_loss", 0.3, "", 0.4);
  loss.difference_interval = Interval{-0.2, 0.01};
  CHECK_FALSE(judged({gain}, {loss}, there, {}).blessed);
  loss.difference_interval = Interval{-0.2, -0.01};
  CHECK(judged({gain}, {loss}, there, {}).blessed);
}

TEST_CASE("blessing: a threshold is the first unless one is named", "[evaluate]") {
  Metric half = metric("recall", 0.4);
  half.threshold = 0.5;
  Metric third = metric("recall", 0.8);
  third.threshold = 0.3;
  Requirement recall = require("recall");
  recall.min = 0.7;
  CHECK_FALSE(judged({recall}, {half, third}, none, 0.5).blessed);
  recall.threshold = 0.3;
  CHECK(judged({recall}, {half, third}, none, 0.5).blessed);
  recall.threshold = 0.2;
  CHECK_FALSE(judged({recall}, {half, third}, none, 0.5).blessed);
}
