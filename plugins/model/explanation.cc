#include "plugins/model/explanation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "plugins/model/blessing.h"
#include "plugins/model/in_parallel.h"
#include "plugins/model/resample.h"

namespace pipelined::evaluation {
namespace {

using model::FeatureType;
using model::Objective;

const char* metric_of(Objective objective) {
  switch (objective) {
    case Objective::binary_logistic: return "auc";
    case Objective::multi_softprob: return "log_loss";
    case Objective::squared_error:
    case Objective::poisson: return "rmse";
  }
  return "";
}

// The order of rows in shuffle `repeat` of a feature: by a hash of each row.
std::vector<std::size_t> shuffled(std::uint64_t seed, std::size_t feature, std::size_t repeat,
                                  std::size_t rows) {
  const std::uint64_t start = mixed(mixed(mixed(seed) + feature) + repeat);
  std::vector<std::uint64_t> keys;
  for (std::size_t row = 0; row < rows; ++row) keys.push_back(mixed(start + row));
  std::vector<std::size_t> order(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t left, std::size_t right) { return keys[left] < keys[right]; });
  return order;
}

class Explainer {
 public:
  Explainer(const model::Model& model, const model::TreeShap& shap, const Sample& sample,
            const ExplainSettings& settings, const std::function<bool()>& stop_asked)
      : model_(model),
        shap_(shap),
        sample_(sample),
        settings_(settings),
        stop_asked_(stop_asked),
        features_(model.signature().features.size()),
        width_(model.signature().score_count()) {}

  Result<Explanation> run() {
    explanation_.scores = width_;
    if (!add_values() || !add_permutations() || !add_interactions()) {
      return Error{ErrorCode::cancelled, "stopped while explaining"};
    }
    TRY(chosen, chosen_features());
    for (const std::size_t feature : chosen) add_dependence(feature);
    if (stop_asked_()) return Error{ErrorCode::cancelled, "stopped while explaining"};
    return std::move(explanation_);
  }

 private:
  bool each(std::size_t count, const std::function<void(std::size_t)>& turn) const {
    return in_parallel(count, settings_.resampling.threads, stop_asked_, turn);
  }

  bool add_values() {
    const std::size_t own = shap_.width() * width_;
    explanation_.values.resize(own * sample_.size());
    const bool done = each(sample_.size(), [&](std::size_t row) {
      const std::vector<float> features = sample_.row(row);
      shap_.explain(features, std::span(explanation_.values).subspan(row * own, own));
    });
    for (std::size_t score = 0; score < width_; ++score) {
      explanation_.bases.push_back(explanation_.values[(score + 1) * shap_.width() - 1]);
    }
    for (std::size_t feature = 0; feature < features_; ++feature) {
      explanation_.importance.push_back(importance_of(feature));
    }
    std::stable_sort(explanation_.importance.begin(), explanation_.importance.end(),
                     [](const Importance& left, const Importance& right) {
                       return left.shap > right.shap;
                     });
    return done;
  }

  Importance importance_of(std::size_t feature) const {
    std::vector<double> sizes(sample_.size());
    for (std::size_t row = 0; row < sizes.size(); ++row) {
      for (std::size_t score = 0; score < width_; ++score) {
        const std::size_t at = (row * width_ + score) * shap_.width() + feature;
        sizes[row] += std::abs(explanation_.values[at]);
      }
    }
    Importance importance;
    importance.feature = feature;
    const auto rows = static_cast<double>(sizes.size());
    importance.shap = std::accumulate(sizes.begin(), sizes.end(), 0.0) / rows;
    std::vector<double> drawn;
    std::vector<std::uint8_t> weights(sizes.size());
    for (std::int64_t i = 0; i < settings_.resampling.count; ++i) {
      draw_weights(settings_.resampling.seed, static_cast<std::uint64_t>(i), weights);
      double sum = 0, count = 0;
      for (std::size_t row = 0; row < sizes.size(); ++row) {
        sum += weights[row] * sizes[row];
        count += weights[row];
      }
      drawn.push_back(count > 0 ? sum / count : std::nan(""));
    }
    importance.shap_interval = interval_of(std::move(drawn), settings_.resampling.confidence);
    return importance;
  }

  // The metric of the labelled rows with these columns.
  double metric(const std::vector<std::span<const float>>& columns) const {
    std::vector<float> scores(sample_.size() * width_);
    model_.score_columns(columns, scores);
    std::vector<float> kept;
    std::vector<double> labels;
    for (std::size_t row = 0; row < sample_.size(); ++row) {
      if (std::isnan(sample_.labels[row])) continue;
      labels.push_back(sample_.labels[row]);
      const auto begin = scores.begin() + static_cast<std::ptrdiff_t>(row * width_);
      kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(width_));
    }
    Slice all;
    for (std::size_t row = 0; row < labels.size(); ++row) {
      all.rows.push_back(static_cast<std::uint32_t>(row));
    }
    const auto measure = make_measure(model_.signature(), kept, labels, {all}, {});
    std::vector<double> table(measure->keys().size());
    measure->compute(std::vector<std::uint8_t>(labels.size(), 1), table);
    const auto& keys = measure->keys();
    const auto found = std::find(keys.begin(), keys.end(), MetricKey{explanation_.metric, {}});
    return table[static_cast<std::size_t>(found - keys.begin())];
  }

  std::vector<std::span<const float>> columns() const {
    return {sample_.columns.begin(), sample_.columns.end()};
  }

  bool add_permutations() {
    const bool labelled = std::any_of(sample_.labels.begin(), sample_.labels.end(),
                                      [](double label) { return !std::isnan(label); });
    if (!labelled || settings_.repeats == 0) return true;
    explanation_.metric = metric_of(model_.signature().objective);
    explanation_.metric_value = metric(columns());
    if (!std::isfinite(explanation_.metric_value)) {
      explanation_.metric.clear();
      return true;
    }
    const double sign = *higher_is_better(explanation_.metric) ? 1 : -1;
    std::vector<std::vector<double>> losses(features_, std::vector<double>(settings_.repeats));
    const bool done = each(features_ * settings_.repeats, [&](std::size_t turn) {
      const std::size_t feature = turn / settings_.repeats, repeat = turn % settings_.repeats;
      const auto order = shuffled(settings_.resampling.seed, feature, repeat, sample_.size());
      std::vector<float> column;
      for (const std::size_t row : order) column.push_back(sample_.columns[feature][row]);
      auto all = columns();
      all[feature] = column;
      losses[feature][repeat] = sign * (explanation_.metric_value - metric(all));
    });
    for (Importance& importance : explanation_.importance) {
      const std::vector<double>& own = losses[importance.feature];
      importance.permutation = std::accumulate(own.begin(), own.end(), 0.0) /
                               static_cast<double>(own.size());
      importance.permutation_interval = interval_of(own, settings_.resampling.confidence);
    }
    return done;
  }

  // Of the most important features, on some of the rows.
  bool add_interactions() {
    std::vector<std::size_t> chosen;
    for (const Importance& importance : explanation_.importance) {
      if (chosen.size() < settings_.features_max) chosen.push_back(importance.feature);
    }
    const std::size_t rows = std::min(sample_.size(), settings_.interaction_rows);
    const std::size_t width = shap_.width();
    std::vector<std::vector<double>> tables(rows);
    const bool done = each(rows, [&](std::size_t i) {
      const std::vector<float> features = sample_.row(i * sample_.size() / rows);
      std::vector<double> one(width * width), sum(width * width);
      for (std::size_t score = 0; score < width_; ++score) {
        shap_.interactions(features, score, chosen, one);
        for (std::size_t at = 0; at < sum.size(); ++at) sum[at] += std::abs(one[at]);
      }
      tables[i] = std::move(sum);
    });
    if (!done) return false;
    for (std::size_t i = 0; i < chosen.size(); ++i) {
      for (std::size_t k = i + 1; k < chosen.size(); ++k) {
        Interaction pair{chosen[i], chosen[k], 0};
        for (const auto& table : tables) {
          pair.strength += 2 * table[pair.one * width + pair.other] / static_cast<double>(rows);
        }
        explanation_.interactions.push_back(pair);
      }
    }
    std::stable_sort(explanation_.interactions.begin(), explanation_.interactions.end(),
                     [](const Interaction& left, const Interaction& right) {
                       return left.strength > right.strength;
                     });
    return true;
  }

  Result<std::vector<std::size_t>> chosen_features() const {
    std::vector<std::size_t> chosen;
    const auto& features = model_.signature().features;
    for (const std::string& name : settings_.features) {
      const auto found = std::find_if(features.begin(), features.end(), [&](const auto& feature) {
        return feature.name == name;
      });
      if (found == features.end()) {
        return Error{ErrorCode::invalid, "parameter \"features\" names \"" + name +
                                             "\", which is no feature of the model"};
      }
      chosen.push_back(static_cast<std::size_t>(found - features.begin()));
    }
    if (!chosen.empty()) return chosen;
    for (const Importance& importance : explanation_.importance) {
      if (chosen.size() < settings_.features_max) chosen.push_back(importance.feature);
    }
    return chosen;
  }

  // Values that occur: of words the most frequent, of numbers spread evenly over the rows.
  std::vector<std::optional<float>> places(std::size_t feature) const {
    std::map<float, std::size_t> counts;
    bool gaps = false;
    for (const float value : sample_.columns[feature]) {
      if (std::isnan(value)) gaps = true;
      else ++counts[value];
    }
    std::vector<float> values;
    for (const auto& [value, count] : counts) values.push_back(value);
    if (values.size() > settings_.points_max) {
      values = model_.signature().features[feature].type == FeatureType::text
                   ? most_frequent(counts)
                   : spread(feature);
    }
    std::vector<std::optional<float>> all(values.begin(), values.end());
    if (gaps) all.emplace_back();
    return all;
  }

  std::vector<float> most_frequent(const std::map<float, std::size_t>& counts) const {
    std::vector<std::pair<float, std::size_t>> sorted(counts.begin(), counts.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& left, const auto& right) { return left.second > right.second; });
    std::vector<float> values;
    for (std::size_t i = 0; i < settings_.points_max; ++i) values.push_back(sorted[i].first);
    std::sort(values.begin(), values.end());
    return values;
  }

  std::vector<float> spread(std::size_t feature) const {
    std::vector<float> sorted;
    for (const float value : sample_.columns[feature]) {
      if (!std::isnan(value)) sorted.push_back(value);
    }
    std::sort(sorted.begin(), sorted.end());
    std::vector<float> values;
    for (std::size_t i = 0; i < settings_.points_max; ++i) {
      const float value = sorted[i * (sorted.size() - 1) / (settings_.points_max - 1)];
      if (values.empty() || value > values.back()) values.push_back(value);
    }
    return values;
  }

  void add_dependence(std::size_t feature) {
    Dependence dependence;
    dependence.feature = feature;
    const std::size_t lines = std::min(settings_.lines_max, sample_.size());
    dependence.lines.resize(lines);
    std::vector<float> scores(sample_.size() * width_);
    for (const auto& place : places(feature)) {
      const std::vector<float> column(sample_.size(), place.value_or(model::missing));
      auto all = columns();
      all[feature] = column;
      model_.score_columns(all, scores);
      DependencePoint point{place, std::vector<double>(width_)};
      for (std::size_t i = 0; i < scores.size(); ++i) {
        point.scores[i % width_] += static_cast<double>(scores[i]);
      }
      for (double& score : point.scores) score /= static_cast<double>(sample_.size());
      dependence.points.push_back(std::move(point));
      for (std::size_t i = 0; i < lines; ++i) {
        dependence.lines[i].push_back(scores[i * sample_.size() / lines * width_]);
      }
    }
    explanation_.dependence.push_back(std::move(dependence));
  }

  const model::Model& model_;
  const model::TreeShap& shap_;
  const Sample& sample_;
  const ExplainSettings& settings_;
  const std::function<bool()>& stop_asked_;
  std::size_t features_, width_;
  Explanation explanation_;
};

}  // namespace

Result<Explanation> explain(const model::Model& model, const model::TreeShap& shap,
                            const Sample& sample, const ExplainSettings& settings,
                            const std::function<bool()>& stop_asked) {
  if (sample.size() == 0) {
    return Error{ErrorCode::invalid, "the examples have no rows to explain the model with"};
  }
  return Explainer(model, shap, sample, settings, stop_asked).run();
}

}  // namespace pipelined::evaluation
