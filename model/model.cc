#include "model/model.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <iterator>

namespace pipelined::model {
namespace {

constexpr std::size_t rows_per_block = 64;

Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream stream(path, std::ios::binary);
  std::string bytes(std::istreambuf_iterator<char>(stream), {});
  if (!stream) {
    return Error{ErrorCode::io, "cannot read " + path.filename().string() + " of the model"};
  }
  return bytes;
}

// XGBoost's own formula, with its limits, in 32 bits: scores are equal to its to the last bits.
float logistic(float margin) {
  const float exponent = std::min(-margin, 88.7F);
  return 1.0F / (std::exp(exponent) + 1.0F + 1e-16F);
}

void softmax(std::span<float> margins) {
  const float largest = *std::max_element(margins.begin(), margins.end());
  double sum = 0;
  for (float& margin : margins) {
    margin = std::exp(margin - largest);
    sum += static_cast<double>(margin);
  }
  for (float& margin : margins) margin /= static_cast<float>(sum);
}

Error unfit(const std::string& part, const std::string& what) {
  return {ErrorCode::corrupt, part + " do not belong to the model's signature: " + what};
}

}  // namespace

Result<Model> Model::load(const std::filesystem::path& folder) {
  TRY(text, read_file(folder / "model.json"));
  TRY(file, parse_model_json(text));
  std::shared_ptr<const Transform> transform;
  if (file.transform) {
    TRY(loaded, Transform::load(folder));
    transform = std::make_shared<const Transform>(std::move(loaded));
  }
  if (!file.linear_file.empty()) {
    TRY(bytes, read_file(folder / file.linear_file));
    TRY(linear, Linear::parse(bytes));
    TRY(model, make(std::move(file.signature), std::move(linear), std::move(transform)));
    TRY_VOID(model.set_domains(std::move(file.domains)));
    return model;
  }
  if (!file.onnx_file.empty()) {
    TRY(bytes, read_file(folder / file.onnx_file));
    TRY(onnx, Onnx::parse(bytes, file.signature.features.size(), file.signature.score_count()));
    TRY(model, make(std::move(file.signature), std::move(onnx), std::move(transform)));
    TRY_VOID(model.set_domains(std::move(file.domains)));
    return model;
  }
  TRY(bytes, read_file(folder / file.trees_file));
  const bool binary = std::filesystem::path(file.trees_file).extension() == ".ubj";
  TRY(forest, Forest::parse(bytes, binary ? TreesFormat::ubj : TreesFormat::json));
  TRY(model, make(std::move(file.signature), std::move(forest), std::move(transform)));
  TRY_VOID(model.set_domains(std::move(file.domains)));
  return model;
}

Result<Model> Model::make(Signature signature, Forest forest) {
  return make(std::move(signature), std::move(forest), nullptr);
}

Result<Model> Model::make(Signature signature, Forest forest,
                          std::shared_ptr<const Transform> transform) {
  if (forest.feature_count() != signature.features.size()) {
    return unfit("the trees", std::to_string(forest.feature_count()) + " features in the trees, " +
                                  std::to_string(signature.features.size()) + " in the signature");
  }
  if (forest.group_count() != signature.score_count()) {
    return unfit("the trees", std::to_string(forest.group_count()) + " scores a row in the trees, " +
                                  std::to_string(signature.score_count()) + " in the signature");
  }
  if (forest.objective() != name_of(signature.objective)) {
    return unfit("the trees", "objective " + forest.objective() + " in the trees, " +
                                  name_of(signature.objective) + " in the signature");
  }
  Model model(std::move(signature));
  model.base_margin_ = forest.base_score();
  if (model.signature().objective == Objective::binary_logistic) {
    if (!(model.base_margin_ > 0 && model.base_margin_ < 1)) {
      return unfit("the trees", "base_score is no probability");
    }
    model.base_margin_ = -std::log(1.0F / model.base_margin_ - 1.0F);
  }
  if (model.signature().objective == Objective::poisson) {
    model.base_margin_ = std::log(model.base_margin_);
  }
  model.forest_ = std::move(forest);
  TRY_VOID(model.take(std::move(transform)));
  return model;
}

Result<Model> Model::make(Signature signature, Linear linear,
                          std::shared_ptr<const Transform> transform) {
  const bool fits = linear.feature_count() == signature.features.size() &&
                    linear.group_count() == signature.score_count();
  if (!fits) {
    return unfit("the weights", std::to_string(linear.group_count()) + " scores of " +
                                    std::to_string(linear.feature_count()) +
                                    " weights, the signature has " +
                                    std::to_string(signature.score_count()) + " of " +
                                    std::to_string(signature.features.size()));
  }
  for (const Feature& feature : signature.features) {
    if (feature.type != FeatureType::text) continue;
    return unfit("the weights", "feature \"" + feature.name + "\" is a text");
  }
  Model model(std::move(signature));
  model.linear_ = std::move(linear);
  TRY_VOID(model.take(std::move(transform)));
  return model;
}

Result<Model> Model::make(Signature signature, Onnx onnx,
                          std::shared_ptr<const Transform> transform) {
  const bool fits = onnx.feature_count() == signature.features.size() &&
                    onnx.score_count() == signature.score_count();
  if (!fits) return unfit("the numbers of the ONNX model", "another number of features or scores");
  for (const Feature& feature : signature.features) {
    if (feature.type != FeatureType::text) continue;
    return unfit("the numbers of the ONNX model", "feature \"" + feature.name + "\" is a text");
  }
  Model model(std::move(signature));
  model.onnx_ = std::move(onnx);
  TRY_VOID(model.take(std::move(transform)));
  return model;
}

Result<void> Model::take(std::shared_ptr<const Transform> transform) {
  transform_ = std::move(transform);
  if (!transform_) {
    for (const Feature& feature : signature().features) {
      inputs_.push_back({feature.name, *column_kind(name_of(feature.type))});
    }
    return set_domains({});
  }
  inputs_ = transform_->inputs();
  TRY_VOID(set_domains({}));
  const auto& outputs = transform_->outputs();
  const auto& features = signature().features;
  const bool alike = std::equal(
      features.begin(), features.end(), outputs.begin(), outputs.end(),
      [](const Feature& feature, const Output& output) { return feature.name == output.name; });
  if (alike) return {};
  return unfit("the outputs of the transform", "other names or another number of them");
}

bool Model::has_closed() const {
  return std::any_of(domains_.begin(), domains_.end(), [](const auto& one) { return one.closed; });
}

Result<void> Model::set_domains(std::vector<InputDomain> domains) {
  domains_.clear();
  for (ColumnInput& input : inputs_) {
    const auto is_its = [&](const InputDomain& one) { return one.name == input.name; };
    const auto found = std::find_if(domains.begin(), domains.end(), is_its);
    domains_.push_back(found == domains.end() ? InputDomain{input.name} : std::move(*found));
    if (found != domains.end()) domains.erase(found);
    input.optional = domains_.back().optional;
  }
  if (!domains.empty()) {
    return Error{ErrorCode::corrupt, "model.json has a domain of \"" + domains.front().name +
                                         "\", which is no input or has one already"};
  }
  if (transform_) return {};
  for (std::size_t i = 0; i < domains_.size(); ++i) {  // the signature lists them
    domains_[i].values = signature().features[i].categories;
  }
  return {};
}

Result<void> Model::encode_cells(std::span<const Cell> cells, std::span<float> row) const {
  TRY_VOID(admit(domains_, inputs_, cells));
  if (!transform_) return encoder_.encode_row(cells, row);
  std::vector<Entry> entries;
  TRY_VOID(transform_->apply_row(cells, entries));
  std::fill(row.begin(), row.end(), 0.0F);
  for (const Entry& entry : entries) row[entry.index] = static_cast<float>(entry.value);
  return {};
}

Result<void> Model::score_cells(std::span<const Cell> cells, std::span<float> scores) const {
  if (transform_ && linear_) {
    TRY_VOID(admit(domains_, inputs_, cells));
    std::vector<Entry> entries;
    TRY_VOID(transform_->apply_row(cells, entries));
    for (std::size_t group = 0; group < scores.size(); ++group) {
      scores[group] = static_cast<float>(linear_->margin(group, std::span<const Entry>(entries)));
    }
    finish(scores);
    return {};
  }
  std::vector<float> row(signature().features.size());
  TRY_VOID(encode_cells(cells, row));
  score_row(row, scores);
  return {};
}

void Model::score_row(std::span<const float> row, std::span<float> scores) const {
  CHECK(row.size() == signature().features.size() && scores.size() == signature().score_count());
  if (onnx_) return onnx_->score(row.data(), 1, scores.data());
  if (linear_) {
    for (std::size_t group = 0; group < scores.size(); ++group) {
      scores[group] = static_cast<float>(linear_->margin(group, row));
    }
  } else {
    std::fill(scores.begin(), scores.end(), base_margin_);
    forest_->add_margins(row, scores);
  }
  finish(scores);
}

void Model::score_columns(std::span<const std::span<const float>> columns,
                          std::span<float> scores) const {
  const std::size_t width = signature().features.size();
  const std::size_t groups = signature().score_count();
  CHECK(columns.size() == width && scores.size() % groups == 0);
  const std::size_t rows = scores.size() / groups;
  std::fill(scores.begin(), scores.end(), base_margin_);
  std::vector<float> block(rows_per_block * width);
  for (std::size_t begin = 0; begin < rows; begin += rows_per_block) {
    const std::size_t count = std::min(rows_per_block, rows - begin);
    for (std::size_t column = 0; column < width; ++column) {
      const float* values = columns[column].data() + begin;
      for (std::size_t row = 0; row < count; ++row) block[row * width + column] = values[row];
    }
    if (onnx_) {
      onnx_->score(block.data(), count, scores.data() + begin * groups);
    } else if (linear_) {
      for (std::size_t row = 0; row < count; ++row) {
        score_row(std::span(block).subspan(row * width, width),
                  scores.subspan((begin + row) * groups, groups));
      }
    } else {
      forest_->add_margins_of_block(block.data(), count, scores.data() + begin * groups);
    }
  }
  if (linear_ || onnx_) return;
  for (std::size_t row = 0; row < rows; ++row) finish(scores.subspan(row * groups, groups));
}

void Model::finish(std::span<float> scores) const {
  switch (signature().objective) {
    case Objective::binary_logistic: scores[0] = logistic(scores[0]); return;
    case Objective::multi_softprob: softmax(scores); return;
    case Objective::squared_error: return;
    case Objective::poisson: scores[0] = std::exp(scores[0]); return;
  }
}

}  // namespace pipelined::model
