#include "plugins/train/remedy_weights.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace pipelined::train {
namespace {

using nlohmann::json;

Error wrong(const std::string& what) {
  return {ErrorCode::invalid, "cannot use the remedy: " + what};
}

// The words of classes 0, 1, … as a remedy names them.
std::vector<std::string> class_words(const model::Signature& signature) {
  if (signature.objective != model::Objective::binary_logistic) return signature.label.classes;
  if (signature.label.type == model::FeatureType::boolean) return {"false", "true"};
  return {"0", "1"};
}

Result<std::vector<float>> weights_in(const json& remedy, const char* key,
                                      const model::Signature& signature,
                                      std::span<const float> labels) {
  if (!remedy.is_object()) return wrong("remedy.json is no object");
  const auto found = remedy.find(key);
  if (found == remedy.end() || found->empty()) return std::vector<float>();
  if (signature.objective == model::Objective::squared_error) {
    return wrong("the label \"" + signature.label.name + "\" has no classes");
  }
  if (remedy.value("label", signature.label.name) != signature.label.name) {
    return wrong("it is for label \"" + remedy.value("label", std::string()) + "\"");
  }
  const std::vector<std::string> words = class_words(signature);
  std::vector<float> weights(labels.size());
  for (std::size_t row = 0; row < labels.size(); ++row) {
    const std::string& word = words[static_cast<std::size_t>(labels[row])];
    const auto weight = found->find(word);
    if (weight == found->end()) return wrong("it has no weight for \"" + word + "\"");
    weights[row] = weight->get<float>();
    if (!(weights[row] > 0) || std::isinf(weights[row])) {
      return wrong("the weight of \"" + word + "\" is not above 0");
    }
  }
  return weights;
}

Result<std::vector<float>> read(const std::filesystem::path& folder, const char* key,
                                const model::Signature& signature,
                                std::span<const float> labels) {
  std::ifstream stream(folder / "remedy.json", std::ios::binary);
  const std::string text(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return wrong("there is no remedy.json");
  try {
    return weights_in(json::parse(text), key, signature, labels);
  } catch (const json::exception& thrown) {
    return wrong(thrown.what());
  }
}

}  // namespace

Result<std::vector<float>> remedy_weights(const std::filesystem::path& folder,
                                          const model::Signature& signature,
                                          std::span<const float> labels) {
  return read(folder, "class_weights", signature, labels);
}

Result<std::vector<float>> remedy_shares(const std::filesystem::path& folder,
                                         const model::Signature& signature,
                                         std::span<const float> labels) {
  return read(folder, "undersample", signature, labels);
}

}  // namespace pipelined::train
