// data.validate: reads statistics, schema and thresholds, judges, writes the evidence, halts on errors.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/data/judgement.h"
#include "plugins/data/operators.h"
#include "plugins/data/validation_outputs.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;

/// Reads the table `name`: a feature or "*" to thresholds by measure, or to one number.
Result<void> read_thresholds(const sdk::Context& context, const std::string& name,
                             std::map<std::string, Thresholds>& into) {
  const Json table = Json::parse(context.param_json(name).value_or("{}"));
  const auto refuse = [&](const std::string& key, const std::string& why) {
    return Error{ErrorCode::invalid, name + "." + key + ": " + why};
  };
  for (const auto& [feature, measures] : table.items()) {
    if (measures.is_number() && measures.get<double>() >= 0) {
      into[feature][""] = measures.get<double>();
      continue;
    }
    if (!measures.is_object() || feature == "*") {
      return refuse(feature, feature == "*" ? "a number from 0 on is expected; of each feature the "
                                              "usual measure is judged"
                                            : "a number or a table of measures is expected, as in " +
                                                  name + "." + feature + ".l_infinity = 0.1");
    }
    for (const auto& [measure, threshold] : measures.items()) {
      if (!measure_named(measure)) {
        std::string known;
        for (const std::string& one : measure_names()) known += (known.empty() ? "" : ", ") + one;
        return refuse(feature + "." + measure, "no such measure; there are " + known);
      }
      if (!threshold.is_number() || threshold.get<double>() < 0) {
        return refuse(feature + "." + measure, "a number from 0 on is expected");
      }
      into[feature][measure] = threshold.get<double>();
    }
  }
  return {};
}

Result<void> read_severity(const sdk::Context& context, JudgementOptions& options) {
  for (const std::string& anomaly : context.keys("severity")) {
    if (!anomaly_kind(anomaly)) {
      std::string known;
      for (const AnomalyKind& kind : anomaly_kinds()) {
        known += (known.empty() ? "" : ", ") + std::string(kind.name);
      }
      return Error{ErrorCode::invalid,
                   "severity." + anomaly + ": no such anomaly; there are " + known};
    }
    const auto severity = severity_named(context.text("severity." + anomaly));
    if (!severity) {
      return Error{ErrorCode::invalid,
                   "severity." + anomaly + ": 'error', 'warning' or 'off' is expected"};
    }
    options.severity[anomaly] = *severity;
  }
  return {};
}

/// All statistics at a port, in order.
Result<std::vector<TableFacts>> read_statistics(const sdk::Context& context,
                                                const std::string& port) {
  std::vector<TableFacts> all;
  for (std::int64_t i = 0; i < context.input_count(port); ++i) {
    TRY(text, read_text((context.input_path(port, i) / "statistics.json").string()));
    auto facts = parse_statistics(text);
    if (!facts) return facts.error().within("input '" + port + "'");
    all.push_back(*std::move(facts));
  }
  return all;
}

Result<std::vector<Side>> read_sides(const sdk::Context& context) {
  std::vector<Side> sides;
  for (const char* port : {"previous", "window", "baseline", "serving", "eval"}) {
    TRY(tables, read_statistics(context, port));
    const std::string name = port;
    if (!tables.empty()) {
      sides.push_back({name, name == "serving" || name == "eval", united(tables)});
    }
  }
  return sides;
}

Result<TableSchema> read_schema(const sdk::Context& context) {
  if (context.input_count("schema") == 0) return TableSchema();
  const auto files = context.input_files("schema");
  if (files.size() != 1) return Error{ErrorCode::invalid, "input 'schema': one file is expected"};
  TRY(text, read_text(files[0].string()));
  return parse_schema(text, files[0].filename().string());
}

// The comparisons that a threshold judges, for people who ask why; all of them are in anomalies.json.
std::string judged_comparisons(const Judgement& judgement) {
  Json list = Json::array();
  for (const Comparison& comparison : judgement.comparisons) {
    if (!comparison.threshold) continue;
    list.push_back({{"feature", comparison.feature},
                    {"measure", comparison.distance.measure},
                    {"value", comparison.distance.value},
                    {"threshold", *comparison.threshold},
                    {"fired", comparison.fired},
                    {"sentence", comparison.sentence}});
  }
  return list.dump();
}

Result<JudgementOptions> read_options(const sdk::Context& context) {
  JudgementOptions options;
  options.label = context.text("label");
  options.environment = context.text("environment");
  options.small_sample = static_cast<double>(context.integer("small_sample", 1000));
  options.significance = context.number("significance", 0.05);
  TRY_VOID(read_thresholds(context, "drift", options.drift));
  TRY_VOID(read_thresholds(context, "skew", options.skew));
  TRY_VOID(read_severity(context, options));
  return options;
}

Result<void> check_environment(const JudgementInput& input) {
  const auto& known = input.schema.environments;
  const std::string& one = input.options.environment;
  if (one.empty() || known.empty() || std::find(known.begin(), known.end(), one) != known.end()) {
    return {};
  }
  std::string names;
  for (const std::string& name : known) names += (names.empty() ? "" : ", ") + name;
  return Error{ErrorCode::invalid, "environment: the schema knows no '" + one + "'; it has " + names};
}

Result<JudgementInput> read_input(sdk::Context& context) {
  JudgementInput input;
  TRY(options, read_options(context));
  TRY(schema, read_schema(context));
  TRY(now, read_statistics(context, "statistics"));
  if (now.empty()) return Error{ErrorCode::invalid, "validate: the input statistics is missing"};
  TRY(sides, read_sides(context));
  TRY(history, read_statistics(context, "history"));
  input.options = std::move(options);
  input.schema = std::move(schema);
  input.now = std::move(now.front());
  input.sides = std::move(sides);
  input.history = std::move(history);
  TRY_VOID(check_environment(input));
  input.rules = row_rules(input.schema, input.now, input.options.environment);
  RowQuestions questions{input.rules, input.schema.checks, &input.now, nullptr};
  for (const Side& side : input.sides) {
    if (side.name == "previous") questions.previous = &side.facts;
  }
  TRY(answers, look_at_rows(context, questions));
  input.answers = std::move(answers);
  return input;
}

void report_figures(sdk::Context& context, const JudgementInput& input,
                    const Judgement& judgement) {
  for (const Comparison& comparison : judgement.comparisons) {
    if (!comparison.threshold) continue;
    const std::string prefix = comparison.side == "previous" ? "" : comparison.side + "_";
    context.metric(prefix + comparison.distance.measure, comparison.distance.value,
                   comparison.feature);
  }
  context.note("rows", std::to_string(input.now.rows));
  context.note("comparisons", judged_comparisons(judgement));
  context.note("verdict", Json(judgement.verdict()).dump());
  if (judgement.verdict() == std::string("warn")) {
    context.note("warnings", Json(judgement.warning_sentence()).dump());
  }
}

}  // namespace

Result<void> run_data_validate(sdk::Context& context) {
  TRY(input, read_input(context));
  const Judgement judgement = judge(input);
  TRY_VOID(write_text((context.output_path("anomalies") / "anomalies.json").string(),
                      anomalies_json(input, judgement)));
  TRY_VOID(write_text((context.output_path("report") / "report.html").string(),
                      validation_report(input, judgement)));
  const Remedy remedy = find_remedy(input, judgement, context.text("remedy"));
  TRY_VOID(write_text((context.output_path("remedy") / "remedy.json").string(),
                      remedy_json(input, remedy)));
  report_figures(context, input, judgement);
  const bool answers = judgement.halts() && only_label_moved(input, judgement);
  context.note("remedy", Json(answers ? remedy.method : "none").dump());
  if (judgement.halts()) context.halt(judgement.verdict_sentence());
  return {};
}

}  // namespace pipelined
