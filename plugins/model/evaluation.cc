#include "plugins/model/evaluation.h"

#include <map>
#include <nlohmann/json.hpp>

namespace pipelined::evaluation {
namespace {

using model::Objective;
using nlohmann::json;

constexpr std::size_t curve_points_max = 400;

// Metrics of some of the rows.
class SliceEvaluator {
 public:
  SliceEvaluator(const ScoredRows& rows, const model::Signature& signature,
                 const std::vector<double>& thresholds, Evaluation& evaluation)
      : rows_(rows), signature_(signature), thresholds_(thresholds), evaluation_(evaluation) {}

  /// All rows; this slice has curves.
  void add_all() {
    std::vector<std::size_t> all(rows_.row_count());
    for (std::size_t row = 0; row < all.size(); ++row) all[row] = row;
    add("", all);
  }

  void add(const std::string& slice, const std::vector<std::size_t>& members) {
    const std::size_t width = signature_.score_count();
    std::vector<float> scores;
    scores.reserve(members.size() * width);
    for (const std::size_t row : members) {
      for (std::size_t i = 0; i < width; ++i) scores.push_back(rows_.scores[row * width + i]);
    }
    switch (signature_.objective) {
      case Objective::binary_logistic: return add_binary(slice, members, scores);
      case Objective::multi_softprob:
        return add_class_metrics(scores, labels_as<std::uint32_t>(members), width, slice,
                                 evaluation_.metrics);
      case Objective::squared_error:
        return add_value_metrics(scores, labels_as<double>(members), slice, evaluation_.metrics);
    }
  }

 private:
  template <class T>
  std::vector<T> labels_as(const std::vector<std::size_t>& members) const {
    std::vector<T> labels;
    labels.reserve(members.size());
    for (const std::size_t row : members) labels.push_back(static_cast<T>(rows_.labels[row]));
    return labels;
  }

  void add_binary(const std::string& slice, const std::vector<std::size_t>& members,
                  const std::vector<float>& scores) {
    const auto labels = labels_as<std::uint8_t>(members);
    const Ranking ranking(scores, labels);
    add_binary_metrics(ranking, scores, labels, thresholds_, slice, evaluation_.metrics,
                       evaluation_.counts);
    if (!slice.empty()) return;
    evaluation_.curves.push_back({"roc", slice, ranking.roc(curve_points_max)});
    evaluation_.curves.push_back({"pr", slice, ranking.precision_recall(curve_points_max)});
  }

  const ScoredRows& rows_;
  const model::Signature& signature_;
  const std::vector<double>& thresholds_;
  Evaluation& evaluation_;
};

json number(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }

json json_of(const Metric& metric) {
  json entry{{"name", metric.name},
             {"slice", metric.slice},
             {"value", number(metric.value)},
             {"interval", nullptr}};
  if (metric.threshold) entry["threshold"] = *metric.threshold;
  return entry;
}

json json_of(const SliceCounts& counts) {
  return {{"slice", counts.slice},
          {"rows", counts.rows},
          {"threshold", number(counts.threshold)},
          {"true_positives", counts.counts.true_positives},
          {"false_positives", counts.counts.false_positives},
          {"true_negatives", counts.counts.true_negatives},
          {"false_negatives", counts.counts.false_negatives}};
}

json json_of(const Curve& curve) {
  json points = json::array();
  for (const CurvePoint& point : curve.points) {
    points.push_back({{"x", point.x}, {"y", point.y}, {"threshold", number(point.threshold)}});
  }
  return {{"name", curve.name}, {"slice", curve.slice}, {"points", points}};
}

template <class T>
json list_of(const std::vector<T>& items) {
  json list = json::array();
  for (const T& item : items) list.push_back(json_of(item));
  return list;
}

}  // namespace

Evaluation evaluate(const ScoredRows& rows, const model::Signature& signature,
                    const std::vector<double>& thresholds) {
  Evaluation evaluation;
  SliceEvaluator evaluator(rows, signature, thresholds, evaluation);
  evaluator.add_all();
  for (const SliceColumn& column : rows.slices) {
    std::vector<std::vector<std::size_t>> members(column.values.size());
    for (std::size_t row = 0; row < column.of_row.size(); ++row) {
      members[column.of_row[row]].push_back(row);
    }
    std::map<std::string, std::size_t> sorted;
    for (std::size_t i = 0; i < column.values.size(); ++i) sorted.emplace(column.values[i], i);
    for (const auto& [value, i] : sorted) evaluator.add(column.name + "=" + value, members[i]);
  }
  return evaluation;
}

std::string evaluation_json(const Evaluation& evaluation, const ScoredRows& rows,
                            const model::Signature& signature) {
  const json document{{"label", signature.label.name},
                      {"objective", model::name_of(signature.objective)},
                      {"rows", rows.row_count()},
                      {"rows_without_label", rows.rows_without_label},
                      {"rows_of_unknown_class", rows.rows_of_unknown_class},
                      {"metrics", list_of(evaluation.metrics)},
                      {"counts", list_of(evaluation.counts)},
                      {"curves", list_of(evaluation.curves)}};
  return document.dump() + "\n";
}

}  // namespace pipelined::evaluation
