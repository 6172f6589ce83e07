#include "plugins/model/model_evaluate.h"

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/model/evaluation.h"
#include "plugins/model/predictions.h"
#include "plugins/model/scored_rows.h"

namespace pipelined::evaluation {
namespace {

// Facts are for conditions and for lists that people read; evaluation.json has all of them.
constexpr std::size_t facts_max = 2000;

// Metrics as facts of the run: those of the first threshold under their plain name, those of the
// others as "precision@0.3".
void report(const sdk::Context& context, const Evaluation& evaluation, double first_threshold) {
  std::size_t left = facts_max, dropped = 0;
  for (const Metric& metric : evaluation.metrics) {
    if (!metric.value) continue;
    if (left == 0) {
      ++dropped;
      continue;
    }
    --left;
    const bool plain = !metric.threshold || *metric.threshold == first_threshold;
    context.metric(plain ? metric.name : metric.name + "@" + shortest(*metric.threshold),
                   *metric.value, metric.slice);
  }
  if (dropped > 0) {
    context.log(sdk::Level::info, std::to_string(dropped) + " more metrics are in evaluation.json; "
                                  "the run records " + std::to_string(facts_max));
  }
}

void report_blessing(const sdk::Context& context, const Blessing& blessing) {
  nlohmann::json reasons = nlohmann::json::array();
  for (const Judgement& judgement : blessing.judgements) {
    if (!judgement.passed && reasons.size() < 20) reasons.push_back(judgement.sentence);
  }
  const nlohmann::json note{{"blessed", blessing.blessed},
                            {"sentence", blessing.sentence},
                            {"reasons", std::move(reasons)}};
  context.note("blessing", note.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace));
  context.metric("blessed", blessing.blessed ? 1 : 0);
}

void warn(const sdk::Context& context, const ScoredRows& rows) {
  const auto say = [&](std::int64_t count, const char* what) {
    if (count > 0) context.log(sdk::Level::warning, std::to_string(count) + what);
  };
  say(rows.rows_without_label, " rows have no label and are left out of the metrics");
  say(rows.rows_of_unknown_class,
      " rows are of a class that the model does not know and are left out of the metrics");
  say(rows.rows_without_score,
      " rows got no number as their score and are left out of the metrics");
}

// The main data set first, then the others by name.
std::vector<std::string> datasets(const sdk::Context& context) {
  std::vector<std::string> ports{"examples"};
  for (const std::string& port : context.input_ports()) {
    if (port != "model" && port != "baseline" && port != "examples") ports.push_back(port);
  }
  return ports;
}

std::vector<std::string> folders_of(const sdk::Context& context, const std::string& port) {
  std::vector<std::string> folders;
  for (std::int64_t i = 0; i < context.input_count(port); ++i) {
    folders.push_back(context.input_path(port, i).string());
  }
  return folders;
}

// The model to compare with, where there is one that can be compared.
Result<std::optional<model::Model>> open_baseline(const sdk::Context& context,
                                                  const model::Signature& signature,
                                                  Baseline& baseline) {
  std::optional<model::Model> none;
  baseline.given = context.input_count("baseline") > 0;
  if (!baseline.given) return none;
  auto loaded = model::Model::load(context.input_path("baseline"));
  if (!loaded) return loaded.error().within("the baseline");
  const model::Signature& other = loaded->signature();
  if (other.objective != signature.objective || other.label.name != signature.label.name) {
    baseline.unusable = "the baseline predicts something else: " + other.label.name + " by " +
                        model::name_of(other.objective);
  } else if (other.label.classes != signature.label.classes) {
    baseline.unusable = "the baseline knows other classes of " + other.label.name;
  }
  if (!baseline.unusable.empty()) {
    context.log(sdk::Level::warning, baseline.unusable + "; nothing is compared with it");
    return none;
  }
  return std::optional<model::Model>(std::move(*loaded));
}

WantedColumns wanted_by(const EvaluateSettings& settings) {
  WantedColumns wanted;
  for (const auto& names : settings.slices) {
    for (const std::string& name : names) {
      const bool known =
          std::find(wanted.slices.begin(), wanted.slices.end(), name) != wanted.slices.end();
      if (!known && !settings.where.contains(name)) wanted.slices.push_back(name);
    }
  }
  wanted.buckets = settings.buckets;
  for (const auto& [name, predicate] : settings.where) wanted.predicates.push_back(name);
  return wanted;
}

// Reads every data set; predictions are those of the first.
class DatasetReader {
 public:
  DatasetReader(const sdk::Context& context, const EvaluateSettings& settings,
                const model::Model& model, const model::Model* baseline)
      : context_(context),
        settings_(settings),
        model_(model),
        collector_(model, baseline, wanted_by(settings)) {}

  Result<ScoredRows> read() {
    for (const std::string& port : datasets(context_)) {
      if (const Result<void> done = read_port(port); !done) return done.error();
    }
    ScoredRows rows = collector_.take();
    const auto& of_row = rows.dataset.of_row;
    if (std::find(of_row.begin(), of_row.end(), 0U) == of_row.end()) {
      return Error{ErrorCode::invalid,
                   rows.rows_without_score > 0
                       ? "no row of the examples got a number as its score"
                   : rows.rows_of_unknown_class > 0
                       ? "no row of the examples has a class that the model knows in column \"" +
                             model_.signature().label.name + "\""
                       : "no row of the examples has a label in column \"" +
                             model_.signature().label.name + "\""};
    }
    return rows;
  }

 private:
  Result<void> read_port(const std::string& port) {
    const std::vector<std::string> folders = folders_of(context_, port);
    if (folders.empty()) return Error{ErrorCode::invalid, "no examples at input \"" + port + "\""};
    TRY(reader, ExamplesReader::open(folders));
    TRY(masks, masks_of(context_, port, settings_.where, reader.row_count()));
    total_ += reader.row_count();
    std::optional<PredictionsWriter> predictions;
    if (port == "examples" && context_.wants_output("predictions")) {
      TRY(writer, PredictionsWriter::create(context_.output_path("predictions").string(),
                                            *reader.schema(), model_.signature(), settings_.keep));
      predictions.emplace(std::move(writer));
    }
    const BatchVisitor visitor = [&](const arrow::RecordBatch& batch,
                                     std::span<const float> scores) -> Result<void> {
      done_ += static_cast<std::int64_t>(scores.size() / model_.signature().score_count());
      context_.progress(done_, total_);
      if (!predictions) return {};
      return predictions->write(batch, scores);
    };
    TRY_VOID(collector_.read(port, reader, masks, visitor, [&] { return context_.cancelled(); }));
    if (predictions) return predictions->close();
    return {};
  }

  const sdk::Context& context_;
  const EvaluateSettings& settings_;
  const model::Model& model_;
  RowCollector collector_;
  std::int64_t done_ = 0, total_ = 0;
};

}  // namespace

Result<void> model_evaluate(sdk::Context& context) {
  TRY(settings, read_settings(context));
  TRY(model, model::Model::load(context.input_path("model")));
  Baseline baseline;
  TRY(other, open_baseline(context, model.signature(), baseline));
  TRY(rows, DatasetReader(context, settings, model, other ? &*other : nullptr).read());
  TRY(evaluation, evaluate(rows, model.signature(), settings, baseline,
                           [&] { return context.cancelled(); }));
  std::ofstream stream(context.output_path("evaluation") / "evaluation.json", std::ios::binary);
  stream << evaluation_json(evaluation, rows, model.signature(), settings, baseline);
  if (!stream.flush()) return Error{ErrorCode::io, "cannot write evaluation.json"};
  context.metric("rows", static_cast<double>(evaluation.slices.front().rows));
  report_blessing(context, evaluation.blessing);
  report(context, evaluation, settings.measure.thresholds.front());
  warn(context, rows);
  return {};
}

}  // namespace pipelined::evaluation
