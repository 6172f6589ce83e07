#include "plugins/model/what_if_json.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace pipelined::evaluation {
namespace {

using nlohmann::json;

constexpr std::size_t features_told_max = 100;

json number_json(double number) { return std::isfinite(number) ? json(number) : json(nullptr); }

json scored_json(const Scored& scored) {
  json out{{"scores", json::array()}};
  for (const float score : scored.scores) out["scores"].push_back(number_json(score));
  if (scored.decision) out["decision"] = *scored.decision;
  return out;
}

json cell_json(const OwnedCell& cell, model::ColumnKind kind) {
  return json::parse(json_of_cell(cell, kind));
}

// Each input with its two values, and whether the later one lies outside of what training saw.
json inputs_json(const model::Model& model, const GivenRow& before, const GivenRow& after) {
  json list = json::array();
  for (std::size_t i = 0; i < model.inputs().size(); ++i) {
    const auto& [name, kind, optional] = model.inputs()[i];
    json one{{"name", name},
             {"type", model::name_of(kind)},
             {"before", cell_json(before.values()[i], kind)},
             {"after", cell_json(after.values()[i], kind)}};
    const auto wrong = model::outside(model.domains()[i], kind, view_of(after.values()[i]));
    if (wrong) one["outside"] = *wrong;
    list.push_back(std::move(one));
  }
  return list;
}

json contributions_json(const WhatIf& found, const model::Signature& signature) {
  json out{{"method", found.method},
           {"base_before", number_json(found.before.contributions.base)},
           {"base_after", number_json(found.after.contributions.base)},
           {"features", json::array()}};
  const auto& before = found.before.contributions.values;
  const auto& after = found.after.contributions.values;
  if (signature.objective == model::Objective::multi_softprob) {
    out["class"] = signature.label.classes[found.score];
  }
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < after.size(); ++i) order.push_back(i);
  const auto weight = [&](std::size_t i) { return std::max(std::abs(before[i]), std::abs(after[i])); };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return weight(a) > weight(b); });
  double others_before = 0, others_after = 0;
  for (std::size_t place = 0; place < order.size(); ++place) {
    const std::size_t i = order[place];
    if (place >= features_told_max) {
      others_before += before[i], others_after += after[i];
      continue;
    }
    out["features"].push_back({{"feature", signature.features[i].name},
                               {"before", number_json(before[i])},
                               {"after", number_json(after[i])},
                               {"change", number_json(after[i] - before[i])}});
  }
  out["others_before"] = number_json(others_before);
  out["others_after"] = number_json(others_after);
  return out;
}

json move_json(const Move& move, const model::Model& model, const GivenRow& row) {
  const auto& input = model.inputs()[move.input];
  const OwnedCell& from = row.values()[move.input];
  json one{{"input", input.name},
           {"from", cell_json(from, input.kind)},
           {"to", cell_json(move.to, input.kind)},
           {"decision", move.decision},
           {"scores", json::array()},
           {"exact", move.exact}};
  for (const float score : move.scores) one["scores"].push_back(number_json(score));
  const auto number = [](const OwnedCell& cell) -> std::optional<double> {
    if (const auto* whole = std::get_if<std::int64_t>(&cell)) return static_cast<double>(*whole);
    if (const auto* real = std::get_if<double>(&cell)) return *real;
    return std::nullopt;
  };
  if (number(from) && number(move.to)) one["by"] = number_json(*number(move.to) - *number(from));
  if (move.outside) one["outside"] = true;
  if (move.others > 0) one["others"] = move.others;
  return one;
}

}  // namespace

std::string what_if_json(const WhatIf& found, const model::Model& model, const GivenRow& before,
                         const GivenRow& after, const WhatIfSettings& settings) {
  const model::Signature& signature = model.signature();
  json out{{"label", signature.label.name},
           {"objective", model::name_of(signature.objective)},
           {"inputs", inputs_json(model, before, after)},
           {"before", scored_json(found.before)},
           {"after", scored_json(found.after)}};
  if (!signature.label.classes.empty()) out["classes"] = signature.label.classes;
  if (signature.objective == model::Objective::binary_logistic) {
    out["threshold"] = settings.threshold.value_or(0.5);
  } else if (settings.threshold) {
    out["threshold"] = *settings.threshold;
  }
  if (found.no_contributions.empty()) out["contributions"] = contributions_json(found, signature);
  else out["no_contributions"] = found.no_contributions;
  if (found.after.decision) {
    out["moves"] = json::array(), out["unmoved"] = json::array();
    for (const Move& move : found.moves) out["moves"].push_back(move_json(move, model, after));
    for (const Unmoved& one : found.unmoved) {
      out["unmoved"].push_back({{"input", model.inputs()[one.input].name}, {"why", one.why}});
    }
  } else {
    out["no_moves"] = "the model gives a value and decides nothing; a threshold makes a decision";
  }
  return out.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace pipelined::evaluation
