#include "plugins/model/model_evaluate.h"

#include <charconv>
#include <fstream>
#include <optional>

#include "plugins/model/evaluation.h"
#include "plugins/model/predictions.h"
#include "plugins/model/scored_rows.h"

namespace pipelined::evaluation {
namespace {

Result<std::vector<double>> read_thresholds(const sdk::Context& context) {
  std::vector<double> thresholds;
  for (const std::string& item : context.list("thresholds", {"0.5"})) {
    double value = 0;
    const auto [end, error] = std::from_chars(item.data(), item.data() + item.size(), value);
    if (error != std::errc() || end != item.data() + item.size()) {
      return Error{ErrorCode::invalid, "parameter \"thresholds\" holds \"" + item +
                                           "\", which is no number"};
    }
    thresholds.push_back(value);
  }
  if (thresholds.empty()) {
    return Error{ErrorCode::invalid, "parameter \"thresholds\" is an empty list"};
  }
  return thresholds;
}

std::string shortest(double value) {
  std::string text(32, ' ');
  const auto [end, error] = std::to_chars(text.data(), text.data() + text.size(), value);
  text.resize(error == std::errc() ? static_cast<std::size_t>(end - text.data()) : 0);
  return text;
}

// Metrics as facts of the run: those of the first threshold under their plain name, those of the
// others as "precision@0.3".
void report(const sdk::Context& context, const Evaluation& evaluation, double first_threshold) {
  for (const Metric& metric : evaluation.metrics) {
    if (!metric.value) continue;
    const bool plain = !metric.threshold || *metric.threshold == first_threshold;
    context.metric(plain ? metric.name : metric.name + "@" + shortest(*metric.threshold),
                   *metric.value, metric.slice);
  }
}

void warn(const sdk::Context& context, const ScoredRows& rows) {
  if (rows.rows_without_label > 0) {
    context.log(sdk::Level::warning, std::to_string(rows.rows_without_label) +
                                         " rows have no label and are left out of the metrics");
  }
  if (rows.rows_of_unknown_class > 0) {
    context.log(sdk::Level::warning, std::to_string(rows.rows_of_unknown_class) +
                                         " rows are of a class that the model does not know and "
                                         "are left out of the metrics");
  }
}

Result<ExamplesReader> open_examples(const sdk::Context& context) {
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count("examples"); ++i) {
    folders.push_back(context.input_path("examples", i).string());
  }
  if (folders.empty()) return Error{ErrorCode::invalid, "no examples at input \"examples\""};
  return ExamplesReader::open(folders);
}

}  // namespace

Result<void> model_evaluate(sdk::Context& context) {
  TRY(thresholds, read_thresholds(context));
  TRY(model, model::Model::load(context.input_path("model")));
  TRY(reader, open_examples(context));
  std::optional<PredictionsWriter> predictions;
  if (context.wants_output("predictions")) {
    TRY(writer, PredictionsWriter::create(context.output_path("predictions").string(),
                                          *reader.schema(), model.signature(),
                                          context.list("keep")));
    predictions.emplace(std::move(writer));
  }
  std::int64_t done = 0;
  const std::int64_t total = reader.row_count();
  const BatchVisitor visitor = [&](const arrow::RecordBatch& batch,
                                   std::span<const float> scores) -> Result<void> {
    done += static_cast<std::int64_t>(scores.size() / model.signature().score_count());
    context.progress(done, total);
    if (!predictions) return {};
    return predictions->write(batch, scores);
  };
  TRY(rows, score_rows(reader, model, context.list("slices"), visitor,
                       [&] { return context.cancelled(); }));
  if (predictions) TRY_VOID(predictions->close());
  if (rows.row_count() == 0) {
    return Error{ErrorCode::invalid, "no row of the examples has a label in column \"" +
                                         model.signature().label.name + "\""};
  }
  const Evaluation evaluation = evaluate(rows, model.signature(), thresholds);
  std::ofstream stream(context.output_path("evaluation") / "evaluation.json", std::ios::binary);
  stream << evaluation_json(evaluation, rows, model.signature());
  if (!stream.flush()) return Error{ErrorCode::io, "cannot write evaluation.json"};
  context.metric("rows", static_cast<double>(rows.row_count()));
  report(context, evaluation, thresholds.front());
  warn(context, rows);
  return {};
}

}  // namespace pipelined::evaluation
