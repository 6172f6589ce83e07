#include "plugins/model/what_if.h"

#include <algorithm>

#include "model/tree_shap.h"
#include "plugins/model/move_search.h"

namespace pipelined::evaluation {
namespace {

using model::Objective;

// The part of the margin that each feature has: of trees Shapley values, of weights their products.
Result<Contributions> contributions_of(const model::Model& model, const model::TreeShap* shap,
                                       std::span<const model::Cell> cells, std::size_t score) {
  const std::size_t width = model.signature().features.size();
  Contributions out;
  std::vector<float> row(width);
  TRY_VOID(model.encode_cells(cells, row));
  if (shap != nullptr) {
    std::vector<double> values(shap->width() * model.signature().score_count());
    shap->explain(row, values);
    const auto begin = values.begin() + static_cast<std::ptrdiff_t>(score * shap->width());
    out.values.assign(begin, begin + static_cast<std::ptrdiff_t>(width));
    out.base = *(begin + static_cast<std::ptrdiff_t>(width));
    return out;
  }
  out.base = model.linear().intercepts()[score];
  const auto weights = model.linear().weights(score);
  for (std::size_t i = 0; i < width; ++i) {
    out.values.push_back(weights[i] * static_cast<double>(row[i]));
  }
  return out;
}

std::string number_text(double number) {
  return model::domain_text(model::ColumnKind::real, number);
}

}  // namespace

std::optional<std::string> decision_of(const model::Signature& signature,
                                       std::span<const float> scores,
                                       std::optional<double> threshold) {
  const auto best = std::max_element(scores.begin(), scores.end());
  switch (signature.objective) {
    case Objective::binary_logistic:
      return static_cast<double>(scores[0]) >= threshold.value_or(0.5) ? "true" : "false";
    case Objective::multi_softprob:
      return signature.label.classes[static_cast<std::size_t>(best - scores.begin())];
    case Objective::squared_error:
    case Objective::poisson: break;
  }
  if (!threshold) return std::nullopt;
  const bool reached = static_cast<double>(scores[0]) >= *threshold;
  return (reached ? "at least " : "below ") + number_text(*threshold);
}

Result<WhatIf> what_if(const model::Model& model, const GivenRow& before, const GivenRow& after,
                       const WhatIfSettings& settings) {
  WhatIf out;
  const auto score = [&](const GivenRow& row, Scored& into) -> Result<void> {
    into.scores.resize(model.signature().score_count());
    TRY_VOID(model.score_cells(row.cells(), into.scores));
    into.decision = decision_of(model.signature(), into.scores, settings.threshold);
    return {};
  };
  TRY_VOID(score(before, out.before));
  TRY_VOID(score(after, out.after));
  const auto& scores = out.after.scores;
  out.score =
      static_cast<std::size_t>(std::max_element(scores.begin(), scores.end()) - scores.begin());
  std::optional<model::TreeShap> shap;
  if (model.has_trees()) {
    auto made = model::TreeShap::make(model);
    if (made) shap = *std::move(made);
    else out.no_contributions = made.error().message;
  }
  if (out.no_contributions.empty()) {
    out.method = shap ? "tree_shap" : "weights";
    const model::TreeShap* of_trees = shap ? &*shap : nullptr;
    TRY(first, contributions_of(model, of_trees, before.cells(), out.score));
    TRY(second, contributions_of(model, of_trees, after.cells(), out.score));
    out.before.contributions = std::move(first);
    out.after.contributions = std::move(second);
  }
  if (!out.after.decision) return out;
  const MoveSearch search(model, after, settings, *out.after.decision);
  for (std::size_t input = 0; input < model.inputs().size(); ++input) {
    auto found = search.of(input);
    if (auto* move = std::get_if<Move>(&found)) out.moves.push_back(std::move(*move));
    else out.unmoved.push_back({input, std::get<std::string>(found)});
  }
  return out;
}

}  // namespace pipelined::evaluation
