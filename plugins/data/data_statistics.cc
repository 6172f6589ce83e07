#include <nlohmann/json.hpp>

#include "plugins/data/operators.h"
#include "plugins/data/statistics.h"

namespace pipelined {

namespace {

using Json = nlohmann::json;

/// Examples, or delivered files as `ingest.files` would read them.
Result<TableSummary> describe(const sdk::Context& context, const StatisticsOptions& options) {
  const std::vector<std::string> folders = input_folders(context, "examples");
  std::vector<std::string> files;
  for (std::int64_t i = 0; i < context.input_count("examples"); ++i) {
    if (context.input_type("examples", i) == "examples/1") continue;
    for (const auto& path : context.input_files("examples", i)) files.push_back(path.string());
  }
  if (files.empty()) return summarise(folders, options);
  TableOptions reading;
  reading.root = folders.front();
  reading.scratch = context.scratch_path().string();
  reading.format = context.text("format", "auto");
  reading.text.null_words = context.list("null", {""});
  return summarise_files(files, std::move(reading), options);
}

/// `slices`: columns, conditions of `where`, and lists of them, which are crossed.
Result<void> read_slices(const sdk::Context& context, StatisticsOptions& options) {
  std::map<std::string, std::string> conditions;
  for (const std::string& name : context.keys("where")) {
    conditions[name] = context.text("where." + name);
    options.slices.push_back({{name}});
  }
  TRY(masks, masks_of(context, "examples", conditions, -1));
  options.masks = std::move(masks);
  for (const Json& rule : Json::parse(context.param_json("slices").value_or("[]"))) {
    SliceRule& made = options.slices.emplace_back();
    for (const Json& name : rule.is_array() ? rule : Json::array({rule})) {
      if (name.is_string()) {
        made.names.push_back(name.get<std::string>());
        continue;
      }
      return Error{ErrorCode::invalid, "slices: " + name.dump() + " is no name of a column; an entry is "
                                       "a column, or a list of columns that are crossed"};
    }
  }
  return {};
}

}  // namespace

Result<void> run_data_statistics(sdk::Context& context) {
  StatisticsOptions options;
  options.label = context.text("label");
  options.weight = context.text("weight");
  options.top_values = context.integer("top_values", 20);
  options.quantiles = context.integer("quantiles", 10);
  for (const std::string& words : context.list("cross")) {
    const std::size_t star = words.find('*');
    if (star == std::string::npos) {
      return Error{ErrorCode::invalid, "cross: '" + words + "' is not two columns with * between"};
    }
    options.cross.emplace_back(words.substr(0, star), words.substr(star + 1));
  }
  TRY_VOID(read_slices(context, options));
  options.threads = context.threads();
  options.cancelled = [&] { return context.cancelled(); };
  TRY(table, describe(context, options));
  context.note("rows", std::to_string(table.rows));
  return write_statistics(context.output_path("statistics").string(), table, options);
}

Result<void> run_data_merge_statistics(sdk::Context& context) {
  StatisticsOptions options;
  options.top_values = context.integer("top_values", 20);
  options.quantiles = context.integer("quantiles", 10);
  TableSummary table;
  for (const std::string& folder : input_folders(context, "statistics")) {
    if (context.cancelled()) return Error{ErrorCode::cancelled, "merging was cancelled"};
    const auto state = read_text(folder + "/statistics.state");
    if (!state) {
      return Error{ErrorCode::invalid, "merge statistics: one of them has no statistics.state and was "
                                       "made by an older data.statistics; make it anew"};
    }
    if (auto merged = merge_statistics(*state, table, options); !merged) {
      return merged.error().within("merge statistics");
    }
  }
  for (ColumnSummary& column : table.columns) column.settle();
  for (TableSlice& slice : table.slices) {
    for (ColumnSummary& column : slice.columns) column.settle();
  }
  context.note("rows", std::to_string(table.rows));
  return write_statistics(context.output_path("statistics").string(), table, options);
}

}  // namespace pipelined
