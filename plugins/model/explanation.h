// An explanation: what a model's scores hang on.
//
// Four looks at a sample of rows: Shapley values, what is lost when a feature's values are shuffled,
// how the score follows one feature (for all rows and for single ones), and which features act
// together.  explanation_json.cc writes it as explanation/1.  Knows nothing of files or ports.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "model/tree_shap.h"
#include "plugins/model/intervals.h"
#include "plugins/model/sample.h"

namespace pipelined::evaluation {

struct ExplainSettings {
  std::vector<std::string> features;  ///< whose dependence is shown; none: the most important
  std::size_t features_max = 6;       ///< how many of the most important
  std::size_t points_max = 20;        ///< of a dependence
  std::size_t lines_max = 30;         ///< single rows of a dependence
  std::size_t repeats = 20;           ///< shuffles of each feature
  std::size_t interaction_rows = 200;
  Resampling resampling;  ///< `count` for the intervals of Shapley values
};

/// How much a feature matters.
struct Importance {
  std::size_t feature = 0;
  double shap = 0;  ///< mean of the absolute value, summed over scores
  std::optional<Interval> shap_interval;
  std::optional<double> permutation;  ///< how much worse the metric becomes
  std::optional<Interval> permutation_interval;
};

/// The mean score where a feature has one value in every row.
struct DependencePoint {
  std::optional<float> value;  ///< encoded; nothing: missing
  std::vector<double> scores;  ///< a number a score
};

struct Dependence {
  std::size_t feature = 0;
  std::vector<DependencePoint> points;
  std::vector<std::vector<float>> lines;  ///< single rows: the (first) score at each point
};

struct Interaction {
  std::size_t one = 0, other = 0;
  double strength = 0;  ///< mean of the absolute joint value, both halves, summed over scores
};

struct Explanation {
  std::size_t scores = 1;
  std::vector<double> bases;  ///< a score
  std::string metric;         ///< of the permutations; "": no labels, none made
  double metric_value = 0;
  std::vector<Importance> importance;  ///< most important first
  std::vector<Dependence> dependence;
  std::vector<Interaction> interactions;  ///< strongest first
  std::vector<double> values;             ///< Shapley values of the sample, row after row
};

/// Explains the model on the sample.  Errors: a feature that does not exist, no rows, stopped.
Result<Explanation> explain(const model::Model& model, const model::TreeShap& shap,
                            const Sample& sample, const ExplainSettings& settings,
                            const std::function<bool()>& stop_asked);

/// The text of explanation.json.
std::string explanation_json(const Explanation& explanation, const Sample& sample,
                             const model::Signature& signature, const ExplainSettings& settings);

}  // namespace pipelined::evaluation
