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

Error unfit(const std::string& what) {
  return {ErrorCode::corrupt, "the trees do not belong to the model's signature: " + what};
}

}  // namespace

Result<Model> Model::load(const std::filesystem::path& folder) {
  TRY(text, read_file(folder / "model.json"));
  TRY(file, parse_model_json(text));
  TRY(bytes, read_file(folder / file.trees_file));
  const bool binary = std::filesystem::path(file.trees_file).extension() == ".ubj";
  TRY(forest, Forest::parse(bytes, binary ? TreesFormat::ubj : TreesFormat::json));
  return make(std::move(file.signature), std::move(forest));
}

Result<Model> Model::make(Signature signature, Forest forest) {
  if (forest.feature_count() != signature.features.size()) {
    return unfit(std::to_string(forest.feature_count()) + " features in the trees, " +
                 std::to_string(signature.features.size()) + " in the signature");
  }
  if (forest.group_count() != signature.score_count()) {
    return unfit(std::to_string(forest.group_count()) + " scores a row in the trees, " +
                 std::to_string(signature.score_count()) + " in the signature");
  }
  if (forest.objective() != name_of(signature.objective)) {
    return unfit("objective " + forest.objective() + " in the trees, " +
                 name_of(signature.objective) + " in the signature");
  }
  float base_margin = forest.base_score();
  if (signature.objective == Objective::binary_logistic) {
    if (!(base_margin > 0 && base_margin < 1)) return unfit("base_score is no probability");
    base_margin = -std::log(1.0F / base_margin - 1.0F);
  }
  return Model(Encoder(std::move(signature)), std::move(forest), base_margin);
}

void Model::score_row(std::span<const float> row, std::span<float> scores) const {
  CHECK(row.size() == forest_.feature_count() && scores.size() == forest_.group_count());
  std::fill(scores.begin(), scores.end(), base_margin_);
  forest_.add_margins(row, scores);
  finish(scores);
}

void Model::score_columns(std::span<const std::span<const float>> columns,
                          std::span<float> scores) const {
  const std::size_t width = forest_.feature_count();
  const std::size_t groups = forest_.group_count();
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
    forest_.add_margins_of_block(block.data(), count, scores.data() + begin * groups);
  }
  for (std::size_t row = 0; row < rows; ++row) finish(scores.subspan(row * groups, groups));
}

void Model::finish(std::span<float> scores) const {
  switch (signature().objective) {
    case Objective::binary_logistic: scores[0] = logistic(scores[0]); return;
    case Objective::multi_softprob: softmax(scores); return;
    case Objective::squared_error: return;
  }
}

}  // namespace pipelined::model
