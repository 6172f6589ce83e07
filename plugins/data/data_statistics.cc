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
  return write_text((context.output_path("statistics") / "statistics.json").string(),
                    statistics_json(table, options));
}

}  // namespace pipelined
