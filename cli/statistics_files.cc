#include "cli/statistics_files.h"

#include <filesystem>
#include <fstream>

#include "dag/metric_name.h"

namespace pipelined::cli {
namespace {

namespace fs = std::filesystem;

/// Whether the path means statistics that are there already.
bool holds_statistics(const std::string& path) {
  std::error_code error;
  if (fs::is_directory(path, error)) return fs::exists(fs::path(path) / "statistics.json", error);
  return fs::path(path).extension() == ".json";
}

/// Statistics as TFDV writes them.
bool is_proto(const std::string& path) { return fs::path(path).extension() == ".pb"; }

Error counted_already(const std::string& path, const std::string& asked) {
  return {ErrorCode::invalid, "stats of " + path + ": these are statistics already, and their rows cannot be counted again "
                              "by '" + asked + "'; name the table itself"};
}

Result<FileStatistics> computed(LocalRun& local, LocalStep step) {
  step.outputs = {{"statistics", "statistics/1"}};
  TRY(ended, local.run(step));
  const LocalArtifact& made = ended.outputs.at("statistics");
  TRY(text, local.text(made, "statistics.json"));
  return FileStatistics{made, std::move(text)};
}

}  // namespace

Result<ValueTable> statistics_params(const Session& session) {
  ValueTable params;
  for (const char* name : {"label", "weight"}) {
    if (session.arguments.has(name)) params[name] = session.arguments.text(name);
  }
  ValueTable conditions;
  for (const std::string& word : session.arguments.list("where")) {
    const std::size_t equals = word.find('=');
    if (equals == 0 || equals == std::string::npos) {
      return Error{ErrorCode::invalid, "stats: --where " + word + " has no name; it is NAME=CONDITION, such as "
                                       "long='distance > 1000'"};
    }
    conditions[word.substr(0, equals)] = word.substr(equals + 1);
  }
  ValueList slices;
  for (const std::string& columns : session.arguments.list("slice")) {
    const std::vector<std::string> names = split_names(columns);
    slices.push_back(ValueList(names.begin(), names.end()));
  }
  if (!conditions.empty()) params["where"] = std::move(conditions);
  if (!slices.empty()) params["slices"] = std::move(slices);
  return params;
}

Result<FileStatistics> statistics_of(LocalRun& local, const std::string& path,
                                     const ValueTable& params) {
  if (!holds_statistics(path)) {
    TRY(files, local.link("files/1", {path}));
    if (!is_proto(path)) {
      return computed(local, {.operator_id = "data.statistics", .params = params, .inputs = {{"examples", {files}}}});
    }
    for (const auto& [name, value] : params) {
      if (name != "label") return counted_already(path, name);
    }
    return computed(local, {.operator_id = "data.import_statistics", .params = params, .inputs = {{"proto", {files}}}});
  }
  if (!params.empty()) return counted_already(path, params.begin()->first);
  const bool folder = fs::is_directory(path);
  TRY(linked, local.link_as("statistics/1", folder ? path + "/statistics.json" : path,
                            "statistics.json"));
  TRY(text, local.text(linked, "statistics.json"));
  return FileStatistics{linked, std::move(text)};
}

Result<std::string> proto_of(LocalRun& local, const LocalArtifact& statistics) {
  TRY(ended, local.run({.operator_id = "data.export_statistics", .inputs = {{"statistics", {statistics}}},
                        .outputs = {{"proto", "files/1"}}}));
  return local.text(ended.outputs.at("proto"), "FeatureStats.pb");
}

Result<std::string> compare_statistics(LocalRun& local, const LocalArtifact* before,
                                       const LocalArtifact& now, const ValueTable& names,
                                       const std::string& page) {
  LocalStep step{.operator_id = "data.report", .params = names, .inputs = {{"statistics", {now}}},
                 .outputs = {{"report", "report/1"}}};
  if (before) step.inputs["before"] = {*before};
  TRY(ended, local.run(step));
  const LocalArtifact& report = ended.outputs.at("report");
  if (!page.empty()) {
    TRY(html, local.text(report, "report.html"));
    std::ofstream file(page, std::ios::binary);
    file << html;
    file.close();
    if (!file) return Error{ErrorCode::io, "write the page " + page + ": the system refused"};
  }
  if (!before) return std::string();
  return local.text(report, "comparison.json");
}

}  // namespace pipelined::cli
