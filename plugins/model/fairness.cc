#include "plugins/model/fairness.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace pipelined::evaluation {
namespace {

// Rates that say how groups are treated, and how right the model is about them.
bool is_compared(const std::string& name) {
  constexpr std::array<std::string_view, 11> names{
      "selection_rate", "recall", "fpr", "fnr", "precision", "accuracy",
      "score_mean", "label_mean", "mae", "error_mean", "auc"};
  const std::string word = name.substr(0, name.find('.'));
  return std::find(names.begin(), names.end(), word) != names.end();
}

enum class Kind { difference, ratio };

double compared(Kind kind, double group, double reference) {
  return kind == Kind::difference ? group - reference : group / reference;
}

}  // namespace

void compare_groups(const std::vector<Group>& groups, const Group& reference,
                    const std::vector<MetricKey>& keys, const Numbers& numbers,
                    double confidence, std::vector<Metric>& metrics) {
  for (const Group& group : groups) {
    for (std::size_t key = 0; key < keys.size(); ++key) {
      if (!is_compared(keys[key].name)) continue;
      for (const Kind kind : {Kind::difference, Kind::ratio}) {
        const auto of = [&](const std::vector<double>& table) {
          return compared(kind, table[group.at * numbers.width + key],
                          table[reference.at * numbers.width + key]);
        };
        Metric metric;
        metric.name = keys[key].name + (kind == Kind::difference ? "_difference" : "_ratio");
        metric.slice = group.slice;
        metric.threshold = keys[key].threshold;
        const double value = of(numbers.points);
        if (std::isfinite(value)) metric.value = value;
        if (metric.value) {
          std::vector<double> drawn;
          for (const auto& table : numbers.resamples) drawn.push_back(of(table));
          metric.interval = interval_of(std::move(drawn), confidence);
        }
        metrics.push_back(std::move(metric));
      }
    }
  }
}

}  // namespace pipelined::evaluation
