// Scoring one row, and evaluating many, in this process: no daemon, no worker, no store.
//
//   model_bench FOLDER [ROWS]
//
// Writes examples and a model of 100 trees into FOLDER, which must not exist, and prints a line of
// JSON a figure: microseconds for one row, seconds for model.evaluate with 100 slices and 200
// resamples, without and with a baseline.
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>

#include "model/model.h"
#include "operators/testing/fake_context.h"
#include "plugins/common/examples.h"
#include "plugins/model/model_evaluate.h"

namespace {

using namespace pipelined;

constexpr int features = 20, slice_columns = 5, trees = 100, depth = 6;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

void print(const std::string& name, double value, const std::string& unit) {
  std::cout << "{\"name\":\"" << name << "\",\"value\":" << value << ",\"unit\":\"" << unit
            << "\"}" << std::endl;
}

// A full tree: node i asks about a random feature, children 2i+1 and 2i+2.
std::string tree(std::mt19937& random) {
  const int inner = (1 << depth) - 1, all = 2 * inner + 1;
  std::string left, right, conditions, asked, gaps, types;
  const auto add = [](std::string& list, const std::string& item) {
    list += (list.empty() ? "" : ",") + item;
  };
  for (int node = 0; node < all; ++node) {
    const bool leaf = node >= inner;
    const double number = static_cast<double>(random() % 1000) / 1000 - 0.5;
    add(left, std::to_string(leaf ? -1 : 2 * node + 1));
    add(right, std::to_string(leaf ? -1 : 2 * node + 2));
    add(conditions, std::to_string(leaf ? number / 20 : number));
    add(asked, std::to_string(leaf ? 0U : random() % features));
    add(gaps, "1");
    add(types, "0");
  }
  return "{\"left_children\":[" + left + "],\"right_children\":[" + right +
         "],\"split_conditions\":[" + conditions + "],\"split_indices\":[" + asked +
         "],\"default_left\":[" + gaps + "],\"split_type\":[" + types +
         "],\"categories_nodes\":[],\"categories_segments\":[],\"categories_sizes\":[],"
         "\"categories\":[]}";
}

bool write_model(const std::filesystem::path& folder, unsigned seed) {
  std::filesystem::create_directories(folder);
  std::mt19937 random(seed);
  model::Signature signature;
  for (int i = 0; i < features; ++i) {
    signature.features.push_back({"x" + std::to_string(i), model::FeatureType::real, {}});
  }
  signature.label = {"label", model::FeatureType::boolean, {}};
  std::ofstream stream(folder / "trees.json");
  stream << R"({"learner":{"gradient_booster":{"name":"gbtree","model":{"trees":[)";
  for (int i = 0; i < trees; ++i) stream << (i > 0 ? "," : "") << tree(random);
  stream << "],\"tree_info\":[0";
  for (int i = 1; i < trees; ++i) stream << ",0";
  stream << R"(]}},"objective":{"name":"binary:logistic"},"learner_model_param":{"num_feature":")"
         << features << R"(","num_class":"0","base_score":"5E-1"}}})";
  const auto text = model::model_json(signature, "trees.json", "{}");
  return text && (std::ofstream(folder / "model.json") << *text).flush() && stream.flush();
}

Result<void> write_examples(const std::filesystem::path& folder, std::int64_t rows) {
  std::filesystem::create_directories(folder);
  std::mt19937 random(3);
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  bool good = true;
  for (int i = 0; i < features; ++i) {
    arrow::DoubleBuilder builder;
    for (std::int64_t row = 0; row < rows; ++row) {
      good = builder.Append(static_cast<double>(random() % 100000) / 1e5 - 0.5).ok() && good;
    }
    fields.push_back(arrow::field("x" + std::to_string(i), arrow::float64()));
    columns.push_back(builder.Finish().ValueOrDie());
  }
  for (int i = 0; i < slice_columns; ++i) {
    arrow::StringBuilder builder;
    for (std::int64_t row = 0; row < rows; ++row) {
      good = builder.Append("value " + std::to_string(random() % 20)).ok() && good;
    }
    fields.push_back(arrow::field("s" + std::to_string(i), arrow::utf8()));
    columns.push_back(builder.Finish().ValueOrDie());
  }
  arrow::BooleanBuilder label;
  for (std::int64_t row = 0; row < rows; ++row) good = label.Append(random() % 5 == 0).ok() && good;
  fields.push_back(arrow::field("label", arrow::boolean()));
  columns.push_back(label.Finish().ValueOrDie());
  if (!good) return Error{ErrorCode::io, "no memory for the columns"};
  const auto schema = arrow::schema(fields);
  TRY(writer, ExamplesWriter::create(folder.string(), schema));
  TRY_VOID(writer.write(arrow::RecordBatch::Make(schema, rows, columns)));
  return writer.close();
}

Result<void> measure_row(const std::filesystem::path& folder) {
  TRY(model, model::Model::load(folder));
  std::vector<float> row(features);
  std::mt19937 random(5);
  float sum = 0, score = 0;
  constexpr int turns = 20000;
  const auto begin = std::chrono::steady_clock::now();
  for (int turn = 0; turn < turns; ++turn) {
    for (float& value : row) value = static_cast<float>(random() % 1000) / 1000.0F - 0.5F;
    model.score_row(row, {&score, 1});
    sum += score;
  }
  print("one row with 100 trees of depth 6", 1e6 * seconds_since(begin) / turns, "us");
  return sum > 0 ? Result<void>() : Error{ErrorCode::invalid, "the scores are not probabilities"};
}

Result<void> measure_evaluation(const std::filesystem::path& folder, bool with_baseline) {
  testing::FakeContext context;
  context.params(R"({"slices":["s0","s1","s2","s3","s4"],"bootstraps":200})").cpus(2);
  context.input("model", "model/1", folder / "model");
  if (with_baseline) context.input("baseline", "model/1", folder / "other");
  context.input("examples", "examples/1", folder / "examples").output("evaluation", "evaluation/1");
  const auto begin = std::chrono::steady_clock::now();
  const wire::Ended ended = context.run(evaluation::model_evaluate);
  if (ended.outcome != Outcome::ok) return Error{ErrorCode::invalid, ended.error};
  print(std::string("100 slices, 200 resamples") + (with_baseline ? ", with a baseline" : ""),
        seconds_since(begin), "s");
  return {};
}

Result<void> measure(const std::filesystem::path& folder, std::int64_t rows) {
  TRY_VOID(write_examples(folder / "examples", rows));
  if (!write_model(folder / "model", 1) || !write_model(folder / "other", 2)) {
    return Error{ErrorCode::io, "cannot write the models"};
  }
  TRY_VOID(measure_row(folder / "model"));
  TRY_VOID(measure_evaluation(folder, false));
  return measure_evaluation(folder, true);
}

}  // namespace

int main(int count, char** words) {
  if (count < 2) {
    std::cerr << "usage: model_bench FOLDER [ROWS]\n";
    return 2;
  }
  const auto done = measure(words[1], count > 2 ? std::atoll(words[2]) : 300'000);
  if (!done) std::cerr << done.error().message << "\n";
  return done ? 0 : 1;
}
