#include "plugins/model/model_explain.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <fstream>

#include "plugins/common/arrow_result.h"
#include "plugins/model/explanation.h"
#include "plugins/model/in_parallel.h"
#include "plugins/model/scored_rows.h"

namespace pipelined::evaluation {
namespace {

ExplainSettings read_settings(const sdk::Context& context) {
  ExplainSettings settings;
  const auto size = [&](const char* name, std::int64_t fallback) {
    return static_cast<std::size_t>(context.integer(name, fallback));
  };
  settings.features = context.list("features");
  settings.features_max = size("features_max", 6);
  settings.points_max = size("points", 20);
  settings.lines_max = size("lines", 30);
  settings.repeats = size("repeats", 20);
  settings.resampling.count = context.integer("bootstraps", 200);
  settings.resampling.confidence = context.number("confidence", 0.95);
  settings.resampling.seed = static_cast<std::uint64_t>(context.seed());
  const std::int64_t threads = context.integer("threads", 0);
  settings.resampling.threads = threads > 0 ? static_cast<int>(threads) : context.threads();
  return settings;
}

std::vector<std::string> folders_of(const sdk::Context& context) {
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count("examples"); ++i) {
    folders.push_back(context.input_path("examples", i).string());
  }
  return folders;
}

// Every row's values, batch by batch.
class ContributionsWriter {
 public:
  static Result<ContributionsWriter> create(const sdk::Context& context, const model::Model& model,
                                            const model::TreeShap& shap) {
    arrow::FieldVector fields;
    const model::Signature& signature = model.signature();
    for (std::size_t score = 0; score < signature.score_count(); ++score) {
      const bool classes = !signature.label.classes.empty();
      const std::string prefix = classes ? signature.label.classes[score] + "." : "";
      for (const model::Feature& feature : signature.features) {
        fields.push_back(arrow::field(prefix + feature.name, arrow::float64()));
      }
      fields.push_back(arrow::field(prefix + "(base)", arrow::float64()));
    }
    auto schema = arrow::schema(std::move(fields));
    TRY(writer, ExamplesWriter::create(context.output_path("contributions").string(), schema));
    return ContributionsWriter(context, model, shap, std::move(schema), std::move(writer));
  }

  Result<void> write(ExamplesReader& reader, int threads) {
    BatchScorer scorer(model_);
    for (;;) {
      TRY(batch, reader.next());
      if (!batch) return writer_.close();
      TRY(columns, scorer.encode(*batch));
      const auto rows = static_cast<std::size_t>(batch->num_rows());
      const std::size_t width = static_cast<std::size_t>(schema_->num_fields());
      std::vector<double> values(rows * width);
      const bool done = in_parallel(rows, threads, [&] { return context_.cancelled(); },
                                    [&](std::size_t row) {
                                      std::vector<float> features;
                                      for (const auto& column : columns) {
                                        features.push_back(column[row]);
                                      }
                                      shap_.explain(features, std::span(values).subspan(
                                                                  row * width, width));
                                    });
      if (!done) return Error{ErrorCode::cancelled, "stopped while explaining"};
      TRY_VOID(append(values, rows, width));
    }
  }

 private:
  ContributionsWriter(const sdk::Context& context, const model::Model& model,
                      const model::TreeShap& shap, std::shared_ptr<arrow::Schema> schema,
                      ExamplesWriter writer)
      : context_(context),
        model_(model),
        shap_(shap),
        schema_(std::move(schema)),
        writer_(std::move(writer)) {}

  Result<void> append(const std::vector<double>& values, std::size_t rows, std::size_t width) {
    arrow::ArrayVector arrays;
    for (std::size_t at = 0; at < width; ++at) {
      std::vector<double> column;
      for (std::size_t row = 0; row < rows; ++row) column.push_back(values[row * width + at]);
      arrow::DoubleBuilder builder;
      TRY_VOID(from_arrow("keep contributions", builder.AppendValues(column)));
      TRY(array, from_arrow("keep contributions", builder.Finish()));
      arrays.push_back(std::move(array));
    }
    return writer_.write(
        arrow::RecordBatch::Make(schema_, static_cast<std::int64_t>(rows), std::move(arrays)));
  }

  const sdk::Context& context_;
  const model::Model& model_;
  const model::TreeShap& shap_;
  std::shared_ptr<arrow::Schema> schema_;
  ExamplesWriter writer_;
};

// The most important features as facts of the run.
void report(const sdk::Context& context, const Explanation& explanation,
            const model::Signature& signature) {
  std::size_t left = 100;
  for (const Importance& one : explanation.importance) {
    if (left-- == 0) return;
    const std::string slice = "feature=" + signature.features[one.feature].name;
    context.metric("shap", one.shap, slice);
    if (one.permutation) context.metric("permutation", *one.permutation, slice);
  }
}

}  // namespace

Result<void> model_explain(sdk::Context& context) {
  const ExplainSettings settings = read_settings(context);
  TRY(model, model::Model::load(context.input_path("model")));
  TRY(shap, model::TreeShap::make(model));
  const std::vector<std::string> folders = folders_of(context);
  TRY(reader, ExamplesReader::open(folders));
  const std::function<bool()> stop_asked = [&] { return context.cancelled(); };
  TRY(sample, read_sample(reader, model, context.integer("rows", 1000), settings.resampling.seed,
                          stop_asked));
  TRY(explanation, explain(model, shap, sample, settings, stop_asked));
  std::ofstream stream(context.output_path("explanation") / "explanation.json", std::ios::binary);
  stream << explanation_json(explanation, sample, model.signature(), settings);
  if (!stream.flush()) return Error{ErrorCode::io, "cannot write explanation.json"};
  report(context, explanation, model.signature());
  if (!context.wants_output("contributions")) return {};
  TRY(again, ExamplesReader::open(folders));
  TRY(writer, ContributionsWriter::create(context, model, shap));
  return writer.write(again, settings.resampling.threads);
}

}  // namespace pipelined::evaluation
