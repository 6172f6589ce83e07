#include "plugins/model/blessing.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace pipelined::evaluation {
namespace {

std::string readable(double value) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

bool begins(const std::string& text, std::string_view start) {
  return text.compare(0, start.size(), start) == 0;
}

// Whether the slice is one that the requirement's pattern means.
bool matches(const std::string& pattern, const std::string& slice) {
  if (pattern == "*") return !slice.empty();
  if (pattern.size() > 2 && pattern.ends_with("=*")) {
    return begins(slice, std::string_view(pattern).substr(0, pattern.size() - 1)) &&
           slice.find(", ") == std::string::npos;
  }
  return pattern == slice;
}

std::string name_of(const Metric& metric) {
  std::string name = metric.name;
  if (metric.threshold) name += " at " + shortest(*metric.threshold);
  return name + (metric.slice.empty() ? "" : " of " + metric.slice);
}

class Judge {
 public:
  Judge(const Baseline& baseline, Blessing& blessing) : baseline_(baseline), blessing_(blessing) {}

  void judge(const Requirement& required, const Metric& metric) {
    if (required.min) bound(required, metric, *required.min, true);
    if (required.max) bound(required, metric, *required.max, false);
    if (!required.compares() || !baseline_.given) return;
    if (!baseline_.unusable.empty()) return say(false, metric, baseline_.unusable);
    if (required.gain) compare(required, metric, *required.gain, false);
    if (required.gain_relative) compare(required, metric, *required.gain_relative, true);
  }

  void say(bool passed, const Metric& metric, std::string sentence) {
    blessing_.judgements.push_back({passed, metric.name, metric.slice, std::move(sentence)});
  }

 private:
  void bound(const Requirement& required, const Metric& metric, double limit, bool least) {
    const std::string wanted =
        std::string(least ? "at least " : "at most ") + readable(limit);
    if (!metric.value) {
      return say(false, metric, name_of(metric) + " is not defined for these rows; " + wanted +
                                    " is required");
    }
    double value = *metric.value;
    std::string what = name_of(metric) + " is " + readable(value);
    if (required.sure) {
      if (!metric.interval) {
        return say(false, metric, name_of(metric) + " has no interval, which \"sure\" asks for");
      }
      value = least ? metric.interval->low : metric.interval->high;
      what += " and may be " + readable(value);
    }
    const bool passed = least ? value >= limit : value <= limit;
    say(passed, metric, what + "; " + wanted + " is required");
  }

  void compare(const Requirement& required, const Metric& metric, double limit, bool relative) {
    const auto higher = required.higher_is_better ? required.higher_is_better
                                                  : higher_is_better(metric.name);
    if (!higher) {
      return say(false, metric, "nobody said whether " + metric.name +
                                    " should be higher or lower; give \"better\"");
    }
    if (!metric.value || !metric.baseline) {
      return say(false, metric, name_of(metric) + " is not defined for " +
                                    (metric.value ? "the baseline" : "these rows"));
    }
    double difference = *metric.value - *metric.baseline;
    if (required.sure) {
      if (!metric.difference_interval) {
        return say(false, metric, name_of(metric) + " has no interval, which \"sure\" asks for");
      }
      difference = *higher ? metric.difference_interval->low : metric.difference_interval->high;
    }
    double gain = *higher ? difference : -difference;
    if (relative && *metric.baseline == 0) {
      return say(false, metric, name_of(metric) +
                                    " of the baseline is 0; nothing can be relative to it");
    }
    if (relative) gain /= std::abs(*metric.baseline);
    const std::string unit = relative ? " of it" : "";
    say(gain >= limit, metric,
        name_of(metric) + " is " + readable(*metric.value) + ", of the baseline " +
            readable(*metric.baseline) + (required.sure ? "; better by at least " : "; better by ") +
            readable(gain) + unit + ", required is " + readable(limit) + unit);
  }

  const Baseline& baseline_;
  Blessing& blessing_;
};

std::string summary(const Blessing& blessing, const std::vector<Requirement>& requirements,
                    const Baseline& baseline) {
  if (requirements.empty()) return "nothing is required of this model, so nothing blesses it";
  const auto failed = std::count_if(blessing.judgements.begin(), blessing.judgements.end(),
                                    [](const Judgement& one) { return !one.passed; });
  const std::string total = std::to_string(blessing.judgements.size());
  std::string sentence = failed > 0 ? std::to_string(failed) + " of " + total +
                                          " comparisons with what is required failed"
                                    : "all " + total + " comparisons with what is required hold";
  const bool compares = std::any_of(requirements.begin(), requirements.end(),
                                    [](const Requirement& one) { return one.compares(); });
  if (compares && !baseline.given) {
    sentence += "; there is no baseline, so values alone were judged";
  }
  return sentence;
}

}  // namespace

std::optional<bool> higher_is_better(const std::string& metric) {
  constexpr std::array<std::string_view, 8> lower{"log_loss", "brier", "fpr",  "fnr",
                                                  "rmse",     "mae",   "mse",  "mape"};
  constexpr std::array<std::string_view, 9> higher{"auc", "pr_auc", "precision", "recall", "f1",
                                                   "accuracy", "balanced_accuracy", "npv", "r2"};
  constexpr std::array<std::string_view, 2> more{"specificity", "mcc"};
  // "recall.CLASS", "recall_macro" and "precision_at_recall_0.5" go the way of their first word.
  const auto is = [&](std::string_view word) {
    if (metric == word) return true;
    if (metric.ends_with("_difference") || metric.ends_with("_ratio")) return false;
    return begins(metric, std::string(word) + ".") || begins(metric, std::string(word) + "_macro") ||
           begins(metric, std::string(word) + "_micro") ||
           begins(metric, std::string(word) + "_weighted") ||
           begins(metric, std::string(word) + "_at_recall");
  };
  if (std::any_of(lower.begin(), lower.end(), is) || begins(metric, "error_p") ||
      metric == "calibration_error") {
    return false;
  }
  if (std::any_of(higher.begin(), higher.end(), is) || std::any_of(more.begin(), more.end(), is)) {
    return true;
  }
  return std::nullopt;
}

Blessing judged(const std::vector<Requirement>& requirements, const std::vector<Metric>& metrics,
                const Baseline& baseline, std::optional<double> first_threshold) {
  Blessing blessing;
  Judge judge(baseline, blessing);
  for (const Requirement& required : requirements) {
    bool found = false;
    for (const Metric& metric : metrics) {
      if (metric.name != required.metric || !matches(required.slice, metric.slice)) continue;
      const auto wanted = required.threshold ? required.threshold : first_threshold;
      if (metric.threshold && metric.threshold != wanted) continue;
      judge.judge(required, metric);
      found = true;
    }
    if (found) continue;
    Metric absent{required.metric, required.slice, {}, required.threshold, {}, {}, {}, {}};
    judge.say(false, absent, "there is no metric " + name_of(absent) +
                                 (required.slice.empty() ? "" : ", or no row in this slice"));
  }
  blessing.blessed = !requirements.empty() &&
                     std::all_of(blessing.judgements.begin(), blessing.judgements.end(),
                                 [](const Judgement& one) { return one.passed; });
  blessing.sentence = summary(blessing, requirements, baseline);
  return blessing;
}

}  // namespace pipelined::evaluation
