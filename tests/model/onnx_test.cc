#include "model/onnx.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <random>
#include <vector>

#include "model/model.h"

using namespace pipelined;
using namespace pipelined::model;

namespace {

// The few words of Protocol Buffers that a small model in the ONNX format is made of.
std::string number(std::uint64_t value) {
  std::string text;
  for (; value > 127; value >>= 7) text.push_back(static_cast<char>((value & 127) | 128));
  text.push_back(static_cast<char>(value));
  return text;
}
std::string whole(unsigned field, std::uint64_t value) {
  return number(field << 3) + number(value);
}
std::string bytes(unsigned field, const std::string& value) {
  return number(field << 3 | 2) + number(value.size()) + value;
}

// A tensor of 32-bit floats with a name, and a port of them.
std::string tensor(const std::string& name, std::vector<std::uint64_t> shape,
                   const std::vector<float>& values) {
  std::string text;
  for (const std::uint64_t size : shape) text += whole(1, size);
  std::string raw(values.size() * sizeof(float), '\0');
  std::memcpy(raw.data(), values.data(), raw.size());
  return text + whole(2, 1) + bytes(8, name) + bytes(9, raw);
}
std::string port(const std::string& name, std::uint64_t width, unsigned type = 1) {
  const std::string rows = bytes(1, bytes(2, "rows")), columns = bytes(1, whole(1, width));
  return bytes(1, name) + bytes(2, bytes(1, whole(1, type) + bytes(2, rows + columns)));
}
std::string node(const std::string& kind, std::vector<std::string> in, const std::string& out) {
  std::string text;
  for (const std::string& name : in) text += bytes(1, name);
  return text + bytes(2, out) + bytes(4, kind);
}
std::string file_of(const std::string& graph) {
  return whole(1, 7) + bytes(7, graph + bytes(2, "g")) + bytes(8, bytes(1, "") + whole(2, 13));
}

constexpr std::size_t features = 3;
const std::vector<float> weights{0.5F, -1.25F, 2.0F};

// The logistic function of a weighted sum.
std::string logistic() {
  return file_of(bytes(1, node("MatMul", {"x", "w"}, "sum")) + bytes(1, node("Sigmoid", {"sum"}, "p")) +
                 bytes(5, tensor("w", {features, 1}, weights)) + bytes(11, port("x", features)) +
                 bytes(12, port("p", 1)));
}

bool no_library() {
  const auto tried = Onnx::parse(logistic(), features, 1);
  if (tried || tried.error().code != ErrorCode::unsupported) return false;
  CHECK(tried.error().message.find("load ONNX Runtime: ") == 0);
  CHECK(tried.error().message.find("run the bootstrap with --onnx") != std::string::npos);
  WARN("not possible here: " << tried.error().message);
  return true;
}

std::string refusal(const std::string& file, std::size_t width = features, std::size_t scores = 1) {
  const auto tried = Onnx::parse(file, width, scores);
  return tried ? "taken" : tried.error().message;
}

Signature signature_of(std::size_t width) {
  Signature signature;
  for (std::size_t i = 0; i < width; ++i) {
    signature.features.push_back({"f" + std::to_string(i), FeatureType::real, {}});
  }
  signature.label = {"late", FeatureType::boolean, {}};
  return signature;
}

}  // namespace

TEST_CASE("onnx: rows one by one and in blocks score alike, as the formula says") {
  if (no_library()) return;
  auto onnx = Onnx::parse(logistic(), features, 1);
  REQUIRE(onnx);
  CHECK(onnx.value().input() == "x");
  CHECK(onnx.value().output() == "p");
  const auto model = Model::make(signature_of(features), std::move(onnx.value()), nullptr);
  REQUIRE(model);
  constexpr std::size_t rows = 3001;  // no whole number of blocks
  std::mt19937 random(7);
  std::normal_distribution<float> draw(0, 2);
  std::vector<std::vector<float>> columns(features, std::vector<float>(rows));
  for (auto& column : columns) {
    for (float& value : column) value = draw(random);
  }
  const std::vector<std::span<const float>> spans(columns.begin(), columns.end());
  std::vector<float> scores(rows);
  model.value().score_columns(spans, scores);
  double away = 0, wrong = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<float> one(features);
    double sum = 0;
    for (std::size_t i = 0; i < features; ++i) {
      one[i] = columns[i][row];
      sum += static_cast<double>(one[i]) * static_cast<double>(weights[i]);
    }
    float alone = 0;
    model.value().score_row(one, std::span(&alone, 1));
    away = std::max(away, std::abs(static_cast<double>(alone) - static_cast<double>(scores[row])));
    wrong = std::max(wrong, std::abs(1 / (1 + std::exp(-sum)) - static_cast<double>(scores[row])));
  }
  CHECK(away <= 1e-6);
  CHECK(wrong <= 1e-6);
}

TEST_CASE("onnx: a missing value scores not-a-number and leaves its neighbours alone") {
  if (no_library()) return;
  const auto onnx = Onnx::parse(logistic(), features, 1);
  REQUIRE(onnx);
  const std::vector<float> rows{0, 0, 0, NAN, 1, 1, 0, 0, 0};
  std::vector<float> scores(3);
  onnx.value().score(rows.data(), 3, scores.data());
  CHECK(scores[0] == Approx(0.5));
  CHECK(std::isnan(scores[1]));
  CHECK(scores[2] == Approx(0.5));
}

TEST_CASE("onnx: a model that cannot be scored is refused with what it has") {
  if (no_library()) return;
  CHECK(refusal("no model").find("cannot use the ONNX model: ") == 0);
  CHECK(refusal("").find("cannot use the ONNX model: ") == 0);
  CHECK(refusal(logistic().substr(0, 90)).find("cannot use the ONNX model: ") == 0);
  CHECK(refusal(logistic(), 2).find("no output has 1 score a row for 2 features: output \"p\"") !=
        std::string::npos);
  CHECK(refusal(logistic(), features, 3).find("output \"p\" has 1 numbers a row") !=
        std::string::npos);
  const std::string two = file_of(bytes(1, node("Add", {"x", "y"}, "p")) + bytes(11, port("x", 1)) +
                                  bytes(11, port("y", 1)) + bytes(12, port("p", 1)));
  CHECK(refusal(two, 1).find("it has 2 inputs; one of 32-bit floats") != std::string::npos);
  constexpr unsigned doubles = 11;
  const std::string other = file_of(bytes(1, node("Abs", {"x"}, "p")) +
                                    bytes(11, port("x", 1, doubles)) +
                                    bytes(12, port("p", 1, doubles)));
  CHECK(refusal(other, 1).find("no output has 1 score a row for 1 features") != std::string::npos);
}

TEST_CASE("onnx: a signature with texts or another number of features does not fit") {
  if (no_library()) return;
  auto onnx = Onnx::parse(logistic(), features, 1);
  REQUIRE(onnx);
  CHECK_FALSE(Model::make(signature_of(2), onnx.value(), nullptr));
  Signature texts = signature_of(features);
  texts.features[1] = {"f1", FeatureType::text, {"a", "b"}};
  const auto made = Model::make(texts, onnx.value(), nullptr);
  REQUIRE_FALSE(made);
  CHECK(made.error().message.find("feature \"f1\" is a text") != std::string::npos);
}
