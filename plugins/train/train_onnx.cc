#include "plugins/train/train_onnx.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "model/model.h"
#include "plugins/train/example_ports.h"

namespace pipelined::train {
namespace {

Result<std::string> read_model(const sdk::Context& context) {
  const auto files = context.input_files("model");
  if (files.size() != 1) {
    return Error{ErrorCode::invalid, "input \"model\" must be one file in the ONNX format"};
  }
  std::ifstream stream(files.front(), std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  if (!stream) return Error{ErrorCode::io, "cannot read the ONNX model"};
  return bytes;
}

Result<model::Label> label_of(const sdk::Context& context, model::Objective objective) {
  model::Label label;
  label.name = context.text("label");
  label.classes = context.list("classes");
  using model::FeatureType;
  switch (objective) {
    case model::Objective::binary_logistic: label.type = FeatureType::boolean; break;
    case model::Objective::multi_softprob: label.type = FeatureType::text; break;
    default: label.type = FeatureType::real;
  }
  if (const std::string word = context.text("label_type", "auto"); word != "auto") {
    label.type = *model::feature_type(word);
  }
  const bool classes = objective == model::Objective::multi_softprob;
  if (classes != !label.classes.empty()) {
    return Error{ErrorCode::invalid,
                 classes ? "parameter \"classes\" is missing: it names the classes in the order of "
                           "the model's scores"
                         : "parameter \"classes\" is for multi:softprob alone"};
  }
  return label;
}

}  // namespace

Result<void> train_onnx(sdk::Context& context) {
  TRY(bytes, read_model(context));
  const std::string label_name = context.text("label");
  const auto objective = model::objective_of(context.text("objective", "binary:logistic"));
  if (!objective) return Error{ErrorCode::invalid, "parameter \"objective\" is not known"};
  const std::vector<std::string> names = context.list("features");
  TRY(transform, given_transform(context, label_name, !names.empty()));
  if (!transform && names.empty()) {
    return Error{ErrorCode::invalid, "parameter \"features\" is missing: it names the columns in the "
                                     "order in which the model takes them; or give a transform"};
  }
  model::ModelFile file;
  TRY(label, label_of(context, *objective));
  file.signature.label = std::move(label);
  file.signature.objective = *objective;
  file.onnx_file = "model.onnx";
  for (const std::string& name : names) {
    file.signature.features.push_back({name, model::FeatureType::real, {}});
  }
  if (transform) {
    file.transform = true;
    file.inputs = transform->inputs();
    for (const model::Output& output : transform->outputs()) {
      file.signature.features.push_back({output.name, model::FeatureType::real, {}});
    }
  }
  const model::Signature& signature = file.signature;
  TRY(onnx, model::Onnx::parse(bytes, signature.features.size(), signature.score_count()));
  const nlohmann::json record{{"operator", "train.onnx"},
                              {"input", onnx.input()},
                              {"output", onnx.output()}};
  TRY(text, model::model_json(file, record.dump()));
  const auto folder = context.output_path("model");
  TRY_VOID(write_file(folder / "model.json", text));
  TRY_VOID(write_file(folder / file.onnx_file, bytes));
  context.metric("features", static_cast<double>(signature.features.size()));
  return transform ? transform->save(folder) : Result<void>();
}

}  // namespace pipelined::train
