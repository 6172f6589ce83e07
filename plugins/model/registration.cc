#include "plugins/model/registration.h"

#include <algorithm>
#include <array>
#include <exception>
#include <nlohmann/json.hpp>

namespace pipelined::evaluation {
namespace {

using nlohmann::json;

// What training writes among its parameters although data or the machine decide it, or another entry
// of the record has it: no change of a recipe.
constexpr std::array<std::string_view, 6> no_hyperparameters{
    "base_score", "num_class", "objective", "seed", "nthread", "verbosity"};

// What training saw of an input, and what callers may do with it.
void add_domain(json& column, const json& domain) {
  if (domain.value("optional", false)) column["optional"] = true;
  if (domain.value("closed", false)) column["closed"] = true;
  for (const char* key : {"range", "values"}) {
    if (domain.contains(key)) column[key] = domain[key];
  }
}

// What callers send: the columns before the transform where the model has one, else the features.
json inputs_of(const json& model) {
  json inputs = json::array();
  for (const json& entry : model.at(model.contains("inputs") ? "inputs" : "signature")) {
    json column{{"name", entry.at("name")}, {"type", entry.at("type")}};
    if (entry.contains("categories") && !entry["categories"].empty()) {
      column["values"] = entry["categories"];
    }
    if (entry.contains("shape")) column["shape"] = entry["shape"];
    if (entry.value("optional", false)) column["optional"] = true;
    for (const json& domain : model.value("domains", json::array())) {
      if (domain.at("name") == entry.at("name")) add_domain(column, domain);
    }
    inputs.push_back(std::move(column));
  }
  return inputs;
}

json outputs_of(const json& model) {
  const auto& objective = model.at("objective").get_ref<const std::string&>();
  json column{{"name", model.at("label").at("name")}, {"type", "value"}};
  if (objective == "binary:logistic") column["type"] = "probability";
  if (objective == "multi:softprob") {
    column["type"] = "probabilities";
    column["values"] = model.at("label").at("classes");
  }
  return json::array({column});
}

std::string text_of(const json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

json hyperparameters_of(const json& training) {
  json named = json::object();
  const auto add = [&](const std::string& name, const json& value) {
    const auto end = no_hyperparameters.end();
    if (std::find(no_hyperparameters.begin(), end, name) == end) named[name] = text_of(value);
  };
  if (!training.is_object()) return named;
  if (training.contains("parameters")) {
    for (const auto& [name, value] : training["parameters"].items()) add(name, value);
  }
  if (training.contains("rounds")) add("rounds", training["rounds"]);
  return named;
}

// The mean size of each feature's Shapley values.
json importance_of(const json& explanation) {
  json named = json::object();
  for (const json& one : explanation.value("importance", json::array())) {
    if (!one.is_object() || !one.contains("feature") || !one.contains("shap")) continue;
    if (one["feature"].is_string() && one["shap"].is_number()) {
      named[one["feature"].get<std::string>()] = one["shap"];
    }
  }
  return named;
}

Result<json> read_json(std::string_view text, const char* what) {
  json document = json::parse(text, nullptr, false);
  if (document.is_object()) return document;
  return Error{ErrorCode::invalid, std::string("cannot register: ") + what + " is no JSON object"};
}

}  // namespace

Result<std::string> registration_json(const RegistrationWish& wish, std::string_view model_json,
                                      const ModelEvidence& evidence) {
  TRY(model, read_json(model_json, "model.json"));
  json request{{"model", wish.name}};
  try {
    const json training = model.value("training", json::object());
    request["inputs"] = inputs_of(model);
    request["outputs"] = outputs_of(model);
    request["label"] = model.at("label").at("name");
    request["architecture"] = model.at("kind").get<std::string>() + " " +
                              model.at("objective").get<std::string>() +
                              (model.contains("transform") ? " behind a transform" : "");
    request["hyperparameters"] = hyperparameters_of(training);
    request["training"] = training;
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::invalid, std::string("cannot register: model.json lacks what a "
                                                 "signature is made of: ") + thrown.what()};
  }
  if (!wish.at_least.empty()) request["at_least"] = wish.at_least;
  if (!wish.aliases.empty()) request["aliases"] = wish.aliases;
  if (!wish.notes.empty()) request["notes"] = wish.notes;
  if (evidence.evaluation) {
    TRY(evaluation, read_json(*evidence.evaluation, "evaluation.json"));
    if (evaluation.contains("blessing")) request["blessing"] = evaluation["blessing"];
  }
  if (evidence.explanation) {
    TRY(explanation, read_json(*evidence.explanation, "explanation.json"));
    request["importance"] = importance_of(explanation);
  }
  return request.dump();
}

}  // namespace pipelined::evaluation
