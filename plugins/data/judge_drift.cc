// A table beside other statistics: every feature is measured, thresholds judge.
#include <algorithm>
#include <cstdio>
#include <set>

#include "plugins/common/html_report.h"
#include "plugins/data/judge_parts.h"

namespace pipelined {
namespace {

std::string three_digits(double value) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

class SideJudge {
 public:
  SideJudge(const JudgementInput& input, const Side& side, FindingBook& book)
      : input_(input), side_(side), book_(book), label_(label_of(input)),
        stated_(side.skew ? input.options.skew : input.options.drift) {}

  void judge() {
    for (const FeatureFacts& facts : input_.now.features) judge_feature(facts);
    for (const auto& [feature, thresholds] : stated_) {
      if (feature == "*" || input_.now.find(feature)) continue;
      book_.say("not_comparable", feature,
                feature + ": a threshold stands for it, but the data has no such column");
    }
  }

 private:
  /// What stands for a feature: the step's, else the schema's, else the label's own, else that of
  /// all features.
  Thresholds thresholds_of(const FeatureFacts& facts) const {
    if (const auto own = stated_.find(facts.name); own != stated_.end()) return own->second;
    const FeatureSchema* expected =
        input_.schema.judged_feature(facts.name, input_.options.environment);
    if (expected) {
      const Thresholds& schema = side_.skew ? expected->skew : expected->drift;
      if (!schema.empty()) return schema;
    }
    if (facts.name == label_) return {{"", label_threshold}};
    // Dates and times move with the spans, so that of all features they are judged by name only.
    const auto all = stated_.find("*");
    return all == stated_.end() || facts.is_moment() ? Thresholds() : all->second;
  }

  void judge_feature(const FeatureFacts& facts) {
    Thresholds thresholds = thresholds_of(facts);
    const FeatureFacts* before = side_.facts.find(facts.name);
    if (!before) {
      book_.judgement.uncompared.push_back({facts.name, side_.name, "that side has no such column"});
      if (!thresholds.empty()) {
        book_.say("control_missing", facts.name,
                  facts.name + ": the " + side_.name + " statistics have no such column");
      }
      return;
    }
    const auto pairing = pair_sides(*before, facts);
    if (!pairing) {
      book_.judgement.uncompared.push_back({facts.name, side_.name, pairing.error().message});
      for (const auto& [measure, threshold] : thresholds) {
        refuse(facts, measure.empty() ? "a distance" : measure, pairing.error().message);
      }
      return;
    }
    if (const auto unnamed = thresholds.find(""); unnamed != thresholds.end()) {
      thresholds.emplace(usual_measure(*pairing), unnamed->second);
      thresholds.erase("");
    }
    for (const Measure& measure : measures()) {
      const auto threshold = thresholds.find(measure.name);
      const std::string why_not = obstacle(measure, *pairing);
      if (why_not.empty()) {
        compare(facts, *before, *pairing, measure,
                threshold == thresholds.end() ? std::nullopt : std::optional(threshold->second));
      } else if (threshold != thresholds.end()) {
        refuse(facts, measure.name, why_not);
      }
    }
  }

  void refuse(const FeatureFacts& facts, const std::string& measure, const std::string& why) {
    book_.say("not_comparable", facts.name,
              facts.name + ": " + measure + " cannot be measured: " + why);
  }

  void compare(const FeatureFacts& facts, const FeatureFacts& before, const Pairing& pairing,
               const Measure& measure, std::optional<double> threshold) {
    Comparison comparison;
    comparison.feature = facts.name;
    comparison.side = side_.name;
    comparison.distance = measure_distance(measure, pairing);
    comparison.threshold = threshold;
    comparison.usual = std::string_view(measure.name) == usual_measure(pairing);
    comparison.mean_before = before.mean;
    comparison.mean_now = facts.mean;
    if (facts.is_moment()) {
      comparison.period_before = before.first + " … " + before.last;
      comparison.period_now = facts.first + " … " + facts.last;
    }
    const double value = comparison.distance.value;
    const bool beyond =
        threshold && (measure.fires_below ? value < *threshold : value > *threshold);
    const bool few = std::min(pairing.rows_before, pairing.rows_now) < input_.options.small_sample;
    comparison.uncertain = beyond && few && comparison.distance.p > input_.options.significance;
    comparison.sentence = sentence_of(comparison, beyond, few, measure.fires_below);
    if (threshold) {
      Check check;
      check.name = comparison.uncertain ? "drift_uncertain" : side_.skew ? "skew" : "drift";
      check.feature = facts.name;
      check.measured = value;
      check.limit = *threshold;
      check.fired = beyond;
      check.sentence = comparison.sentence;
      comparison.severity = book_.severity_of(check.name, facts.name);
      comparison.fired =
          beyond && !comparison.uncertain && comparison.severity != Severity::off;
      // A passed comparison stands among the comparisons; a check that fired is an anomaly too.
      if (beyond) book_.add(std::move(check));
    }
    book_.judgement.comparisons.push_back(std::move(comparison));
  }

  std::string sentence_of(const Comparison& comparison, bool beyond, bool few, bool below) const {
    const Distance& distance = comparison.distance;
    const bool label = comparison.feature == label_;
    std::string text = label ? "label " + comparison.feature : comparison.feature;
    const std::string value =
        distance.largest == "true" ? "true" : "'" + distance.largest + "'";
    const std::string before = percent(distance.share_before), now = percent(distance.share_now);
    const bool shares = side_.name == "eval";
    if (!distance.largest.empty() && shares) {
      text += " has " + before + " " + value + " in the evaluation share and " + now + " here";
    } else if (!distance.largest.empty()) {
      text += " moved from " + before + " to " + now + " " + value;
    } else if (comparison.mean_before && comparison.mean_now) {
      const std::string from = readable(*comparison.mean_before);
      const std::string to = readable(*comparison.mean_now);
      text += shares ? " has a mean of " + from + " in the evaluation share and " + to + " here"
                     : " moved from a mean of " + from + " to " + to;
    } else if (!comparison.period_before.empty()) {
      const std::string& from = comparison.period_before;
      const std::string& to = comparison.period_now;
      text += shares ? " is " + from + " in the evaluation share and " + to + " here"
                     : " moved from " + from + " to " + to;
    }
    text += " (" + distance.measure + " " + three_digits(distance.value);
    if (distance.error) text += " ± " + three_digits(*distance.error);
    if (comparison.threshold) {
      const char* sign = below ? (beyond ? " < " : " >= ") : beyond ? " > " : " <= ";
      text += sign + readable(*comparison.threshold);
      if (few) text += ", p " + three_digits(distance.p);
    }
    if (comparison.uncertain) text += ", which chance explains";
    if (side_.name == "previous" || shares) return text + ")";
    return text + ", against the " + (side_.name == "window" ? "training window" : side_.name) + ")";
  }

  const JudgementInput& input_;
  const Side& side_;
  FindingBook& book_;
  std::string label_;
  const std::map<std::string, Thresholds>& stated_;
};

}  // namespace

void judge_side(const JudgementInput& input, const Side& side, FindingBook& book) {
  SideJudge(input, side, book).judge();
}

}  // namespace pipelined
