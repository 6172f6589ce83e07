// A whole model: its file, and its scores beside those of XGBoost's own library.
#include "model/model.h"

#include <xgboost/c_api.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>

namespace {

using namespace pipelined;
using namespace pipelined::model;

constexpr std::size_t rows = 700;
constexpr float nothing = std::numeric_limits<float>::quiet_NaN();

Signature signature(Objective objective) {
  Signature signature;
  signature.features = {{"x", FeatureType::real, {}},
                        {"word", FeatureType::text, {"a", "b", "c", "d", "e", "f", "g", "h"}},
                        {"n", FeatureType::integer, {}}};
  signature.label = {"y", FeatureType::boolean, {}};
  signature.objective = objective;
  if (objective == Objective::multi_softprob) {
    signature.label = {"y", FeatureType::text, {"one", "three", "two"}};
  }
  return signature;
}

// A matrix of made-up rows with gaps; row after row.
std::vector<float> made_up_rows(unsigned seed) {
  std::mt19937 random(seed);
  std::vector<float> values;
  for (std::size_t row = 0; row < rows; ++row) {
    values.push_back(random() % 7 == 0 ? nothing : static_cast<float>(random() % 1000) / 100.0F);
    values.push_back(random() % 11 == 0 ? nothing : static_cast<float>(random() % 8));
    values.push_back(static_cast<float>(random() % 50));
  }
  return values;
}

// Trees that XGBoost grows on made-up labels, and its own scores for other rows.
class Reference {
 public:
  explicit Reference(Objective objective) {
    const std::vector<float> values = made_up_rows(1);
    matrix_ = matrix(values);
    std::vector<float> labels;
    for (std::size_t row = 0; row < rows; ++row) {
      const float word = std::isnan(values[row * 3 + 1]) ? 3.0F : values[row * 3 + 1];
      labels.push_back(static_cast<float>((static_cast<int>(word) * 5 + static_cast<int>(row)) %
                                          (objective == Objective::multi_softprob ? 3 : 2)));
    }
    REQUIRE(XGDMatrixSetFloatInfo(matrix_, "label", labels.data(), labels.size()) == 0);
    REQUIRE(XGBoosterCreate(&matrix_, 1, &booster_) == 0);
    set("tree_method", "hist");
    set("nthread", "1");
    set("max_depth", "5");
    set("objective", name_of(objective));
    if (objective == Objective::multi_softprob) set("num_class", "3");
    for (int round = 0; round < 12; ++round) {
      REQUIRE(XGBoosterUpdateOneIter(booster_, round, matrix_) == 0);
    }
  }
  Reference(const Reference&) = delete;
  Reference& operator=(const Reference&) = delete;
  ~Reference() {
    XGBoosterFree(booster_);
    XGDMatrixFree(matrix_);
  }

  std::string trees(const char* format) const {
    bst_ulong size = 0;
    const char* bytes = nullptr;
    const std::string config = std::string("{\"format\":\"") + format + "\"}";
    REQUIRE(XGBoosterSaveModelToBuffer(booster_, config.c_str(), &size, &bytes) == 0);
    return {bytes, size};
  }

  std::vector<float> scores(const std::vector<float>& values) const {
    DMatrixHandle handle = matrix(values);
    bst_ulong size = 0;
    const float* result = nullptr;
    REQUIRE(XGBoosterPredict(booster_, handle, 0, 0, 0, &size, &result) == 0);
    std::vector<float> scores(result, result + size);
    XGDMatrixFree(handle);
    return scores;
  }

 private:
  static DMatrixHandle matrix(const std::vector<float>& values) {
    DMatrixHandle handle = nullptr;
    REQUIRE(XGDMatrixCreateFromMat(values.data(), rows, 3, nothing, &handle) == 0);
    const char* types[] = {"q", "c", "q"};
    REQUIRE(XGDMatrixSetStrFeatureInfo(handle, "feature_type", types, 3) == 0);
    return handle;
  }
  void set(const char* name, const char* value) {
    REQUIRE(XGBoosterSetParam(booster_, name, value) == 0);
  }

  DMatrixHandle matrix_ = nullptr;
  BoosterHandle booster_ = nullptr;
};

Model model_of(const Reference& reference, Objective objective) {
  auto forest = Forest::parse(reference.trees("json"), TreesFormat::json);
  REQUIRE(forest);
  auto model = Model::make(signature(objective), *std::move(forest));
  REQUIRE(model);
  return *std::move(model);
}

}  // namespace

TEST_CASE("model: scores are equal to XGBoost's, row by row and column by column", "[model]") {
  const auto objective = GENERATE(Objective::binary_logistic, Objective::multi_softprob,
                                  Objective::squared_error);
  CAPTURE(name_of(objective));
  const Reference reference(objective);
  const Model model = model_of(reference, objective);
  const std::vector<float> values = made_up_rows(2);
  const std::vector<float> expected = reference.scores(values);
  const std::size_t width = model.signature().score_count();
  REQUIRE(expected.size() == rows * width);

  std::vector<std::vector<float>> columns(3);
  std::vector<float> by_row(rows * width);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::span<const float> own(values.data() + row * 3, 3);
    for (std::size_t i = 0; i < 3; ++i) columns[i].push_back(own[i]);
    model.score_row(own, std::span(by_row).subspan(row * width, width));
  }
  const std::vector<std::span<const float>> views(columns.begin(), columns.end());
  std::vector<float> by_column(rows * width);
  model.score_columns(views, by_column);

  CHECK(by_row == by_column);
  float largest = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    largest = std::max(largest, std::abs(expected[i] - by_row[i]));
  }
  CHECK(largest <= 1e-6F);
  CHECK(*std::min_element(expected.begin(), expected.end()) !=
        *std::max_element(expected.begin(), expected.end()));
}

TEST_CASE("model: trees saved as universal binary JSON score alike", "[model]") {
  const Reference reference(Objective::binary_logistic);
  const Model model = model_of(reference, Objective::binary_logistic);
  auto forest = Forest::parse(reference.trees("ubj"), TreesFormat::ubj);
  REQUIRE(forest);
  const auto binary = Model::make(signature(Objective::binary_logistic), *std::move(forest));
  REQUIRE(binary);
  const std::vector<float> row{2.5F, 3, 17};
  std::vector<float> one(1), other(1);
  model.score_row(row, one);
  binary->score_row(row, other);
  CHECK(one == other);
}

TEST_CASE("model: trees of another signature are refused", "[model]") {
  const Reference reference(Objective::binary_logistic);
  const auto forest = Forest::parse(reference.trees("json"), TreesFormat::json);
  REQUIRE(forest);
  Signature narrow = signature(Objective::binary_logistic);
  narrow.features.pop_back();
  CHECK_FALSE(Model::make(narrow, *forest));
  CHECK_FALSE(Model::make(signature(Objective::multi_softprob), *forest));
  CHECK_FALSE(Model::make(signature(Objective::squared_error), *forest));
}

TEST_CASE("model: model.json is read back as it was written", "[model]") {
  const auto objective = GENERATE(Objective::binary_logistic, Objective::multi_softprob);
  const auto text = model_json(signature(objective), "trees.json", R"({"rows":700})");
  REQUIRE(text);
  const auto file = parse_model_json(*text);
  REQUIRE(file);
  CHECK(file->signature == signature(objective));
  CHECK(file->trees_file == "trees.json");
}

TEST_CASE("model: a wrong model.json is refused with what is wrong", "[model]") {
  const auto text = model_json(signature(Objective::binary_logistic), "trees.json", "{}");
  REQUIRE(text);
  const auto with = [&](const std::string& what, const std::string& instead) {
    std::string changed = *text;
    changed.replace(changed.find(what), what.size(), instead);
    return parse_model_json(changed);
  };
  CHECK_FALSE(with("\"kind\": \"trees\"", "\"kind\": \"line\""));
  CHECK_FALSE(with("binary:logistic", "rank:pairwise"));
  CHECK_FALSE(with("\"type\": \"int\"", "\"type\": \"date\""));
  CHECK_FALSE(with("trees.json", "../trees.json"));
  CHECK_FALSE(with("\"categories\"", "\"words\""));
  CHECK_FALSE(parse_model_json("{"));
}

TEST_CASE("model: a folder without trees is an error that names the file", "[model]") {
  const auto folder = std::filesystem::temp_directory_path() /
                      ("pipelined-model-" + std::to_string(std::random_device{}()));
  std::filesystem::create_directories(folder);
  const auto none = Model::load(folder);
  REQUIRE_FALSE(none);
  CHECK_THAT(none.error().message, Catch::Contains("model.json"));
  std::ofstream(folder / "model.json")
      << *model_json(signature(Objective::binary_logistic), "trees.json", "{}");
  const auto no_trees = Model::load(folder);
  REQUIRE_FALSE(no_trees);
  CHECK_THAT(no_trees.error().message, Catch::Contains("trees.json"));
  const Reference reference(Objective::binary_logistic);
  std::ofstream(folder / "trees.json") << reference.trees("json");
  CHECK(Model::load(folder));
  std::filesystem::remove_all(folder);
}
