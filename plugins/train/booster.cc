#include "plugins/train/booster.h"

#include <xgboost/c_api.h>

#include <charconv>

namespace pipelined::train {
namespace {

Result<void> checked(const std::string& what, int answer) {
  if (answer == 0) return {};
  std::string words = XGBGetLastError();
  // What follows the first line is a stack trace of the library, which helps nobody here.
  if (const auto end = words.find("\nStack trace"); end != std::string::npos) words.resize(end);
  return Error{ErrorCode::internal, "XGBoost could not " + what + ": " + words};
}

// How the library takes an array in memory: address and shape as JSON.
std::string array_interface(const float* data, std::size_t rows, std::size_t columns) {
  return "{\"data\":[" + std::to_string(reinterpret_cast<std::uintptr_t>(data)) +
         ",true],\"shape\":[" + std::to_string(rows) + "," + std::to_string(columns) +
         "],\"typestr\":\"<f4\",\"version\":3}";
}

}  // namespace

const char* xgboost_version() {
  static const std::string version = [] {
    int major = 0;
    int minor = 0;
    int patch = 0;
    XGBoostVersion(&major, &minor, &patch);
    return std::to_string(major) + "." + std::to_string(minor) + "." + std::to_string(patch);
  }();
  return version.c_str();
}

Result<Matrix> Matrix::make(std::span<const float> values, std::span<const float> labels,
                            const std::vector<model::Feature>& features, std::int64_t threads) {
  CHECK(values.size() == labels.size() * features.size());
  const std::string data = array_interface(values.data(), labels.size(), features.size());
  const std::string config = "{\"missing\":NaN,\"nthread\":" + std::to_string(threads) + "}";
  DMatrixHandle handle = nullptr;
  TRY_VOID(checked("take the matrix",
                   XGDMatrixCreateFromDense(data.c_str(), config.c_str(), &handle)));
  Matrix matrix(handle);
  TRY_VOID(matrix.describe(features));
  TRY_VOID(matrix.set_floats("label", labels));
  return matrix;
}

Result<void> Matrix::describe(const std::vector<model::Feature>& features) {
  std::vector<const char*> types;
  types.reserve(features.size());
  for (const model::Feature& feature : features) {
    types.push_back(feature.type == model::FeatureType::text ? "c" : "q");
  }
  return checked("take the features' types",
                 XGDMatrixSetStrFeatureInfo(handle_, "feature_type", types.data(), types.size()));
}

Result<void> Matrix::set_floats(const char* field, std::span<const float> values) {
  return checked(std::string("take the ") + field + "s",
                 XGDMatrixSetFloatInfo(handle_, field, values.data(), values.size()));
}

Result<void> Matrix::set_weights(std::span<const float> weights) {
  return set_floats("weight", weights);
}

Matrix::~Matrix() {
  if (handle_) XGDMatrixFree(handle_);
}

Result<Booster> Booster::make(const std::vector<Watched>& watched,
                              const std::vector<std::pair<std::string, std::string>>& parameters,
                              std::int64_t threads) {
  std::vector<DMatrixHandle> matrices;
  for (const Watched& entry : watched) matrices.push_back(entry.matrix->handle_);
  BoosterHandle handle = nullptr;
  TRY_VOID(checked("begin", XGBoosterCreate(matrices.data(), matrices.size(), &handle)));
  Booster booster(handle);
  booster.parameters_ = parameters;
  booster.parameters_.emplace_back("nthread", std::to_string(threads));
  TRY_VOID(booster.set_parameters());
  return booster;
}

Result<void> Booster::set_parameters() {
  for (const auto& [name, value] : parameters_) {
    TRY_VOID(checked("take the parameter " + name,
                     XGBoosterSetParam(handle_, name.c_str(), value.c_str())));
  }
  return {};
}

Result<void> Booster::load(const std::string& trees) {
  TRY_VOID(checked("take over the trees",
                   XGBoosterLoadModelFromBuffer(handle_, trees.data(), trees.size())));
  return set_parameters();
}

Result<std::string> Booster::trees_of_rounds(std::int64_t rounds) const {
  BoosterHandle handle = nullptr;
  TRY_VOID(checked("keep the first rounds",
                   XGBoosterSlice(handle_, 0, static_cast<int>(rounds), 1, &handle)));
  return Booster(handle).trees_ubj();
}

Booster::~Booster() {
  if (handle_) XGBoosterFree(handle_);
}

Result<void> Booster::grow(std::int64_t round, const Matrix& training) {
  return checked("grow the trees of round " + std::to_string(round + 1),
                 XGBoosterUpdateOneIter(handle_, static_cast<int>(round), training.handle_));
}

Result<std::vector<double>> Booster::losses(std::int64_t round,
                                            const std::vector<Watched>& watched) {
  std::vector<DMatrixHandle> matrices;
  std::vector<const char*> names;
  for (const Watched& entry : watched) {
    matrices.push_back(entry.matrix->handle_);
    names.push_back(entry.name.c_str());
  }
  const char* line = nullptr;
  TRY_VOID(checked("measure the loss",
                   XGBoosterEvalOneIter(handle_, static_cast<int>(round), matrices.data(),
                                        names.data(), names.size(), &line)));
  // "[7]\ttraining-logloss:0.25\tvalidation-logloss:0.27": one number after each colon.
  std::vector<double> losses;
  const std::string text = line;
  for (auto at = text.find(':'); at != std::string::npos; at = text.find(':', at + 1)) {
    double loss = 0;
    std::from_chars(text.data() + at + 1, text.data() + text.size(), loss);
    losses.push_back(loss);
  }
  if (losses.size() != watched.size()) {
    return Error{ErrorCode::internal, "XGBoost answered \"" + text + "\" instead of losses"};
  }
  return losses;
}

Result<std::string> Booster::trees_ubj() const {
  bst_ulong size = 0;
  const char* bytes = nullptr;
  TRY_VOID(checked("save the trees", XGBoosterSaveModelToBuffer(handle_, "{\"format\":\"ubj\"}",
                                                                &size, &bytes)));
  return std::string(bytes, size);
}

}  // namespace pipelined::train
