// evaluation.json, as docs/formats.md describes it.
#include <nlohmann/json.hpp>

#include "plugins/model/evaluation.h"

namespace pipelined::evaluation {
namespace {

using nlohmann::json;

json number(const std::optional<double>& value) { return value ? json(*value) : json(nullptr); }

json pair(const std::optional<Interval>& interval) {
  if (!interval) return nullptr;
  return json::array({interval->low, interval->high});
}

json json_of(const Metric& metric) {
  json entry{{"name", metric.name},
             {"slice", metric.slice},
             {"value", number(metric.value)},
             {"interval", pair(metric.interval)}};
  if (metric.threshold) entry["threshold"] = *metric.threshold;
  if (metric.baseline) entry["baseline"] = *metric.baseline;
  if (metric.difference) {
    entry["difference"] = *metric.difference;
    entry["difference_interval"] = pair(metric.difference_interval);
  }
  return entry;
}

json json_of(const SliceCounts& counts) {
  return {{"slice", counts.slice},
          {"rows", counts.rows},
          {"threshold", counts.threshold},
          {"true_positives", counts.counts.true_positives},
          {"false_positives", counts.counts.false_positives},
          {"true_negatives", counts.counts.true_negatives},
          {"false_negatives", counts.counts.false_negatives}};
}

json json_of(const Curve& curve) {
  json points = json::array();
  for (const CurvePoint& point : curve.points) {
    json entry{{"x", point.x}, {"y", point.y}, {"threshold", number(point.threshold)}};
    if (point.rows) entry["rows"] = *point.rows;
    points.push_back(std::move(entry));
  }
  return {{"name", curve.name},
          {"slice", curve.slice},
          {"model", curve.baseline ? "baseline" : "model"},
          {"points", std::move(points)}};
}

json json_of(const SliceFacts& slice) {
  return {{"name", slice.name}, {"rows", slice.rows}, {"measured", slice.measured}};
}

json json_of(const FairnessGroups& groups) {
  return {{"column", groups.column},
          {"reference", groups.reference},
          {"groups", groups.groups},
          {"sentence", groups.sentence}};
}

json json_of(const Judgement& judgement) {
  return {{"passed", judgement.passed},
          {"metric", judgement.metric},
          {"slice", judgement.slice},
          {"sentence", judgement.sentence}};
}

template <class T>
json list_of(const std::vector<T>& items) {
  json list = json::array();
  for (const T& item : items) list.push_back(json_of(item));
  return list;
}

}  // namespace

std::string evaluation_json(const Evaluation& evaluation, const ScoredRows& rows,
                            const model::Signature& signature, const EvaluateSettings& settings,
                            const Baseline& baseline) {
  const Blessing& blessing = evaluation.blessing;
  json document{{"label", signature.label.name},
                {"objective", model::name_of(signature.objective)},
                {"rows", evaluation.slices.front().rows},
                {"rows_without_label", rows.rows_without_label},
                {"rows_of_unknown_class", rows.rows_of_unknown_class},
                {"rows_without_score", rows.rows_without_score},
                {"datasets", rows.dataset.values},
                {"bootstraps", settings.resampling.count},
                {"confidence", settings.resampling.confidence},
                {"slices", list_of(evaluation.slices)},
                {"metrics", list_of(evaluation.metrics)},
                {"counts", list_of(evaluation.counts)},
                {"curves", list_of(evaluation.curves)},
                {"fairness", list_of(evaluation.fairness)}};
  document["baseline"] = {{"given", baseline.given}, {"unusable", baseline.unusable}};
  document["blessing"] = {{"blessed", blessing.blessed},
                          {"required", settings.require.size()},
                          {"sentence", blessing.sentence},
                          {"reasons", list_of(blessing.judgements)}};
  if (!evaluation.confusion.empty()) {
    document["confusion"] = {{"classes", signature.label.classes}, {"rows", evaluation.confusion}};
  }
  return document.dump(-1, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace pipelined::evaluation
