#include "plugins/data/operators.h"
#include "plugins/data/statistics.h"

namespace pipelined {

Result<void> run_data_statistics(sdk::Context& context) {
  StatisticsOptions options;
  options.label = context.text("label");
  options.weight = context.text("weight");
  options.top_values = context.integer("top_values", 20);
  options.quantiles = context.integer("quantiles", 10);
  options.threads = context.threads();
  options.cancelled = [&] { return context.cancelled(); };
  TRY(table, summarise(input_folders(context, "examples"), options));
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
  context.note("rows", std::to_string(table.rows));
  return write_statistics(context.output_path("statistics").string(), table, options);
}

}  // namespace pipelined
