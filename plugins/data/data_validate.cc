// data.validate: reads statistics, schema and thresholds, judges, writes the evidence, halts on errors.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "plugins/common/examples.h"
#include "plugins/data/judgement.h"
#include "plugins/data/operators.h"
#include "plugins/data/validation_outputs.h"

namespace pipelined {
namespace {

using Json = nlohmann::json;

Result<void> read_drift(const sdk::Context& context, JudgementOptions& options) {
  const Json drift = Json::parse(context.param_json("drift").value_or("{}"));
  for (const auto& [feature, measures] : drift.items()) {
    if (!measures.is_object()) {
      return Error{ErrorCode::invalid, "drift." + feature + ": a table of measures is expected, as "
                                           "in drift." + feature + ".l_infinity = 0.1"};
    }
    for (const auto& [measure, threshold] : measures.items()) {
      const auto& known = measure_names();
      if (std::find(known.begin(), known.end(), measure) == known.end()) {
        return Error{ErrorCode::invalid, "drift." + feature + "." + measure +
                                             ": no such measure; l_infinity, jensen_shannon and "
                                             "normalized_difference are"};
      }
      if (!threshold.is_number() || threshold.get<double>() < 0) {
        return Error{ErrorCode::invalid,
                     "drift." + feature + "." + measure + ": a number from 0 on is expected"};
      }
      options.drift[feature][measure] = threshold.get<double>();
    }
  }
  return {};
}

Result<void> read_severity(const sdk::Context& context, JudgementOptions& options) {
  for (const std::string& anomaly : context.keys("severity")) {
    if (!anomaly_names().contains(anomaly)) {
      std::string known;
      for (const auto& [name, severity] : anomaly_names()) known += (known.empty() ? "" : ", ") + name;
      return Error{ErrorCode::invalid,
                   "severity." + anomaly + ": no such anomaly; there are " + known};
    }
    const std::string word = context.text("severity." + anomaly);
    bool found = false;
    for (const Severity severity : {Severity::off, Severity::warning, Severity::error}) {
      if (word != name_of(severity)) continue;
      options.severity[anomaly] = severity;
      found = true;
    }
    if (!found) {
      return Error{ErrorCode::invalid,
                   "severity." + anomaly + ": 'error', 'warning' or 'off' is expected"};
    }
  }
  return {};
}

Result<std::optional<TableFacts>> read_statistics(const sdk::Context& context,
                                                  const std::string& port) {
  if (context.input_count(port) == 0) return std::optional<TableFacts>();
  TRY(text, read_text((context.input_path(port) / "statistics.json").string()));
  auto facts = parse_statistics(text);
  if (!facts) return facts.error().within("input '" + port + "'");
  return std::optional<TableFacts>(*std::move(facts));
}

Result<TableSchema> read_schema(const sdk::Context& context) {
  if (context.input_count("schema") == 0) return TableSchema();
  const auto files = context.input_files("schema");
  if (files.size() != 1) return Error{ErrorCode::invalid, "input 'schema': one file is expected"};
  TRY(text, read_text(files[0].string()));
  return parse_schema(text, files[0].filename().string());
}

void count_outside(const arrow::Array& column, const std::vector<std::string>& domain,
                   std::map<std::string, std::int64_t>& counts) {
  for (std::int64_t i = 0; i < column.length(); ++i) {
    if (column.IsNull(i)) continue;
    std::string value;
    if (column.type_id() == arrow::Type::STRING) {
      value = static_cast<const arrow::StringArray&>(column).GetString(i);
    } else if (column.type_id() == arrow::Type::INT64) {
      value = std::to_string(static_cast<const arrow::Int64Array&>(column).Value(i));
    } else {
      return;
    }
    if (!std::binary_search(domain.begin(), domain.end(), value)) ++counts[value];
  }
}

/// Looks through the rows for values outside the domains that statistics cannot answer for.
Result<ScannedValues> scan(sdk::Context& context, const TableSchema& schema,
                           const std::vector<std::string>& names) {
  ScannedValues scanned;
  if (names.empty()) return scanned;
  std::map<std::string, std::vector<std::string>> domains;
  for (const std::string& name : names) {
    domains[name] = *schema.at(name).domain;
    std::sort(domains[name].begin(), domains[name].end());
    scanned[name];
  }
  TRY(reader, ExamplesReader::open(input_folders(context, "examples")));
  for (;;) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "validation was asked to stop"};
    TRY(batch, reader.next());
    if (!batch) return scanned;
    for (const std::string& name : names) {
      const auto column = batch->GetColumnByName(name);
      if (column) count_outside(*column, domains[name], scanned[name]);
    }
  }
}

// The comparisons that a threshold judges, for people who ask why; all of them are in anomalies.json.
std::string judged_comparisons(const Judgement& judgement) {
  nlohmann::json list = nlohmann::json::array();
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

}  // namespace

Result<void> run_data_validate(sdk::Context& context) {
  JudgementOptions options;
  options.label = context.text("label");
  TRY_VOID(read_drift(context, options));
  TRY_VOID(read_severity(context, options));
  TRY(schema, read_schema(context));
  TRY(now, read_statistics(context, "statistics"));
  if (!now) return Error{ErrorCode::invalid, "validate: the input statistics is missing"};
  TRY(previous, read_statistics(context, "previous"));
  TRY(baseline, read_statistics(context, "baseline"));
  TRY(scanned, scan(context, schema, features_to_scan(schema, *now)));
  const TableFacts* before = previous ? &*previous : nullptr;
  const Judgement judgement =
      judge(*now, schema, before, baseline ? &*baseline : nullptr, scanned, options);
  const std::string label = options.label.empty() ? now->label : options.label;
  TRY_VOID(write_text((context.output_path("anomalies") / "anomalies.json").string(),
                      anomalies_json(judgement)));
  TRY_VOID(write_text((context.output_path("report") / "report.html").string(),
                      validation_report(judgement, *now, before)));
  TRY_VOID(write_text((context.output_path("remedy") / "remedy.json").string(),
                      remedy_json(judgement, label, *now, before)));
  for (const Comparison& comparison : judgement.comparisons) {
    if (!comparison.threshold) continue;
    const std::string prefix = comparison.side == "previous" ? "" : "baseline_";
    context.metric(prefix + comparison.distance.measure, comparison.distance.value,
                   comparison.feature);
  }
  context.note("rows", std::to_string(now->rows));
  context.note("comparisons", judged_comparisons(judgement));
  context.note("verdict", judgement.halts() ? "\"halt\"" : "\"pass\"");
  if (judgement.halts()) context.halt(judgement.verdict_sentence());
  return {};
}

}  // namespace pipelined
