// model.json, read and written.  The only file that knows its keys.
#include <algorithm>
#include <cmath>
#include <exception>
#include <nlohmann/json.hpp>

#include "model/model.h"

namespace pipelined::model {
namespace {

using nlohmann::json;

Error wrong(const std::string& what) {
  return {ErrorCode::corrupt, "cannot read model.json: " + what};
}

Result<FeatureType> type_in(const json& object) {
  const auto& word = object.at("type").get_ref<const std::string&>();
  const auto type = feature_type(word);
  if (!type) return wrong("\"" + word + "\" is no type of a feature");
  return *type;
}

Result<Signature> signature_in(const json& document) {
  Signature signature;
  const auto& word = document.at("objective").get_ref<const std::string&>();
  const auto objective = objective_of(word);
  if (!objective) return wrong("objective \"" + word + "\" is not known");
  signature.objective = *objective;
  for (const json& entry : document.at("signature")) {
    Feature feature;
    feature.name = entry.at("name").get<std::string>();
    TRY(type, type_in(entry));
    feature.type = type;
    if (type == FeatureType::text) {
      feature.categories = entry.at("categories").get<std::vector<std::string>>();
    }
    signature.features.push_back(std::move(feature));
  }
  const json& label = document.at("label");
  signature.label.name = label.at("name").get<std::string>();
  TRY(label_type, type_in(label));
  signature.label.type = label_type;
  if (signature.objective == Objective::multi_softprob) {
    signature.label.classes = label.at("classes").get<std::vector<std::string>>();
  }
  return signature;
}

json json_of(const Feature& feature) {
  json entry{{"name", feature.name}, {"type", name_of(feature.type)}};
  if (feature.type == FeatureType::text) entry["categories"] = feature.categories;
  return entry;
}

// Whole numbers stay whole, so that dates and counts read as what they are.
json number_json(double number) {
  constexpr double exact_max = 9007199254740992;
  if (number == std::trunc(number) && std::abs(number) < exact_max) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

json json_of(const InputDomain& domain) {
  json entry{{"name", domain.name}};
  if (domain.optional) entry["optional"] = true;
  if (domain.closed) entry["closed"] = true;
  if (domain.range) {
    entry["range"] = {number_json(domain.range->first), number_json(domain.range->second)};
  }
  if (!domain.values.empty()) entry["values"] = domain.values;
  return entry;
}

InputDomain domain_in(const json& entry) {
  InputDomain domain;
  domain.name = entry.at("name").get<std::string>();
  domain.optional = entry.value("optional", false);
  domain.closed = entry.value("closed", false);
  if (entry.contains("range")) {
    domain.range = {entry["range"].at(0).get<double>(), entry["range"].at(1).get<double>()};
  }
  domain.values = entry.value("values", std::vector<std::string>());
  std::sort(domain.values.begin(), domain.values.end());
  return domain;
}

}  // namespace

Result<std::string> model_json(const Signature& signature, const std::string& trees_file,
                               const std::string& training_json) {
  return model_json(ModelFile{signature, trees_file, "", false, {}}, training_json);
}

Result<std::string> model_json(const ModelFile& file, const std::string& training_json) {
  const Signature& signature = file.signature;
  try {
    json document{{"objective", name_of(signature.objective)},
                  {"training", json::parse(training_json)},
                  {"label",
                   {{"name", signature.label.name}, {"type", name_of(signature.label.type)}}},
                  {"signature", json::array()}};
    const std::string kind = !file.onnx_file.empty()     ? "onnx"
                             : !file.linear_file.empty() ? "linear"
                                                         : "trees";
    document["kind"] = kind;
    document[kind] = file.trees_file + file.linear_file + file.onnx_file;
    if (signature.objective == Objective::multi_softprob) {
      document["label"]["classes"] = signature.label.classes;
    }
    for (const Feature& feature : signature.features) {
      document["signature"].push_back(json_of(feature));
    }
    if (file.transform) {
      document["transform"] = "transform.json";
      document["inputs"] = json::array();
      for (const ColumnInput& input : file.inputs) {
        document["inputs"].push_back({{"name", input.name}, {"type", name_of(input.kind)}});
      }
    }
    for (const InputDomain& domain : file.domains) document["domains"].push_back(json_of(domain));
    return document.dump(2) + "\n";
  } catch (const std::exception& thrown) {
    return Error{ErrorCode::invalid,
                 std::string("cannot write model.json (are all names UTF-8?): ") + thrown.what()};
  }
}

Result<ModelFile> parse_model_json(std::string_view text) {
  try {
    const json document = json::parse(text);
    const auto& kind = document.at("kind").get_ref<const std::string&>();
    if (kind != "trees" && kind != "linear" && kind != "onnx") {
      return wrong("models of kind \"" + kind + "\" cannot be scored here");
    }
    TRY(signature, signature_in(document));
    ModelFile file;
    file.signature = std::move(signature);
    std::string& name = kind == "trees"    ? file.trees_file
                        : kind == "linear" ? file.linear_file
                                           : file.onnx_file;
    name = document.at(kind).get<std::string>();
    if (name.empty() || name.find('/') != std::string::npos) {
      return wrong("\"" + kind + "\" is no name of a file beside it");
    }
    for (const json& domain : document.value("domains", json::array())) {
      file.domains.push_back(domain_in(domain));
    }
    file.transform = document.contains("transform");
    if (!file.transform) return file;
    for (const json& input : document.at("inputs")) {
      const auto column = column_kind(input.at("type").get_ref<const std::string&>());
      if (!column) return wrong("an input has an unknown type");
      file.inputs.push_back({input.at("name").get<std::string>(), *column});
    }
    return file;
  } catch (const std::exception& thrown) {
    return wrong(thrown.what());
  }
}

}  // namespace pipelined::model
