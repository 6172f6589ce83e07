// A table beside the spans before it: rows, means and missing shares.
#include <algorithm>
#include <cmath>
#include <functional>

#include "plugins/common/html_report.h"
#include "plugins/data/judge_parts.h"

namespace pipelined {
namespace {

/// Deviations smaller than this share of the mean are rounding, not spread.
constexpr double least_spread = 1e-9;

using Figure = std::function<std::optional<double>(const TableFacts&)>;

/// The mean of a column; of a bool the share of true.
std::optional<double> mean_of(const TableFacts& table, const std::string& feature) {
  const FeatureFacts* facts = table.find(feature);
  if (!facts || facts->count == 0) return std::nullopt;
  if (facts->type != "bool") return facts->mean;
  const auto found = facts->values.find("true");
  const double count = found == facts->values.end() ? 0 : static_cast<double>(found->second);
  return count / static_cast<double>(facts->count);
}

std::optional<double> missing_of(const TableFacts& table, const std::string& feature) {
  const FeatureFacts* facts = table.find(feature);
  if (!facts) return std::nullopt;
  return facts->missing_share();
}

class TrendJudge {
 public:
  TrendJudge(const JudgementInput& input, FindingBook& book) : input_(input), book_(book) {}

  void judge(const std::string& feature, const std::string& what, const TrendLimit& limit,
             const Figure& figure) {
    if (!limit.relative && !limit.sigma) return;
    const auto now = figure(input_.now);
    if (!now) {
      return book_.say("not_comparable", feature, what + " cannot be judged: there is none");
    }
    const std::vector<double> past = past_of(limit, figure);
    if (limit.relative) judge_relative(feature, what, *limit.relative, *now, past);
    if (limit.sigma) judge_sigma(feature, what, *limit.sigma, *now, past);
  }

 private:
  /// The figure in the spans before; with a season of 7 in every seventh one.
  std::vector<double> past_of(const TrendLimit& limit, const Figure& figure) const {
    std::vector<double> past;
    const auto season = static_cast<std::size_t>(limit.season);
    for (std::size_t back = season; back <= input_.history.size(); back += season) {
      const auto value = figure(input_.history[input_.history.size() - back]);
      if (value) past.push_back(*value);
    }
    return past;
  }

  bool long_enough(const std::string& feature, const std::string& what, std::size_t needed,
                   const std::vector<double>& past) {
    if (past.size() >= needed) return true;
    book_.say("short_history", feature,
              what + " is not judged: " + std::to_string(past.size()) + " earlier spans, " +
                  std::to_string(needed) + " are needed");
    return false;
  }

  void record(const std::string& feature, double measured, double limit, std::string sentence) {
    Check check;
    check.name = "trend";
    check.feature = feature;
    check.measured = measured;
    check.limit = limit;
    check.fired = measured > limit;
    check.sentence = std::move(sentence);
    book_.add(std::move(check));
  }

  static double mean_over(const std::vector<double>& past) {
    double sum = 0;
    for (const double value : past) sum += value;
    return sum / static_cast<double>(past.size());
  }

  void judge_relative(const std::string& feature, const std::string& what, double limit, double now,
                      const std::vector<double>& past) {
    if (!long_enough(feature, what, 1, past)) return;
    const double mean = mean_over(past);
    if (mean == 0 && now != 0) {
      return book_.say("not_comparable", feature,
                       what + " is " + readable(now) + " and was always 0: a share of 0 says "
                              "nothing; use sigma");
    }
    const double change = mean == 0 ? 0 : std::abs(now - mean) / std::abs(mean);
    record(feature, change, limit,
           what + " is " + readable(now) + ", " + percent(change) + " away from the mean " +
               readable(mean) + " of " + std::to_string(past.size()) + " earlier spans; at most " +
               percent(limit) + " is expected");
  }

  void judge_sigma(const std::string& feature, const std::string& what, double limit, double now,
                   const std::vector<double>& past) {
    if (!long_enough(feature, what, history_min, past)) return;
    const double mean = mean_over(past);
    double squares = 0;
    for (const double value : past) squares += (value - mean) * (value - mean);
    const double spread = std::sqrt(squares / static_cast<double>(past.size() - 1));
    const double floor = least_spread * std::max(std::abs(mean), 1.0);
    const double distance = std::abs(now - mean) / std::max(spread, floor);
    record(feature, distance, limit,
           what + " is " + readable(now) + ", " + readable(distance) +
               " standard deviations from the mean " + readable(mean) + " of " +
               std::to_string(past.size()) + " earlier spans; at most " + readable(limit) +
               " are expected");
  }

  const JudgementInput& input_;
  FindingBook& book_;
};

}  // namespace

void judge_trends(const JudgementInput& input, FindingBook& book) {
  TrendJudge judge(input, book);
  judge.judge("", "the number of rows", input.schema.rows_trend, [](const TableFacts& table) {
    return std::optional(static_cast<double>(table.rows));
  });
  for (const auto& [name, expected] : input.schema.features) {
    if (!input.schema.judged_feature(name, input.options.environment)) continue;
    for (const auto& [figure, limit] : expected.trend) {
      const std::string& feature = name;
      if (figure == "mean") {
        judge.judge(name, "the mean of " + name, limit,
                    [&](const TableFacts& table) { return mean_of(table, feature); });
      } else {
        judge.judge(name, "the missing share of " + name, limit,
                    [&](const TableFacts& table) { return missing_of(table, feature); });
      }
    }
  }
}

}  // namespace pipelined
