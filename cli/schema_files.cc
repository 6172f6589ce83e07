#include "cli/schema_files.h"

#include "operators/value_json.h"

namespace pipelined::cli {
namespace {

ValueList list_of(const std::vector<std::string>& words) {
  ValueList list;
  for (const std::string& word : words) list.emplace_back(word);
  return list;
}

}  // namespace

Result<SchemaProposal> propose_schema(LocalRun& local, const std::string& file,
                                      const std::string& schema, const std::string& label,
                                      const std::vector<std::string>& apply) {
  ValueTable of_statistics, params;
  if (!label.empty()) of_statistics["label"] = label;
  TRY(statistics, statistics_of(local, file, of_statistics));
  LocalStep step{.operator_id = "data.schema",
                 .inputs = {{"statistics", {statistics.artifact}}},
                 .outputs = {{"schema", "schema/1"}, {"changes", "report/1"}}};
  if (!schema.empty()) {
    TRY(linked, local.link("schema/1", {schema}));
    step.inputs["schema"] = {linked};
    step.params["apply"] = list_of(apply);
  }
  if (!label.empty()) step.params["label"] = label;
  TRY(ended, local.run(step));
  SchemaProposal proposal;
  TRY(text, local.text(ended.outputs.at("schema"), "schema.toml"));
  TRY(changes, local.text(ended.outputs.at("changes"), "changes.json"));
  TRY(read, value_from_json(changes));
  proposal.schema = std::move(text);
  proposal.changes = std::move(changes);
  proposal.read_changes = std::move(read);
  return proposal;
}

Result<std::string> check_by_schema(LocalRun& local, const std::string& file,
                                    const std::string& schema, const ValueTable& params) {
  TRY(examples, local.examples({file}));
  TRY(statistics, local.run({.operator_id = "data.statistics", .inputs = {{"examples", {examples}}},
                             .outputs = {{"statistics", "statistics/1"}}}));
  TRY(linked, local.link("schema/1", {schema}));
  TRY(ended, local.run({.operator_id = "data.validate",
                        .params = params,
                        .inputs = {{"examples", {examples}},
                                   {"statistics", {statistics.outputs.at("statistics")}},
                                   {"schema", {linked}}},
                        .outputs = {{"anomalies", "anomalies/1"}, {"report", "report/1"},
                                    {"remedy", "remedy/1"}}}));
  return local.text(ended.outputs.at("anomalies"), "anomalies.json");
}

}  // namespace pipelined::cli
