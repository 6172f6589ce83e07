#include "plugins/data/operators.h"
#include "plugins/data/statistics_report.h"

namespace pipelined {

Result<void> run_data_report(sdk::Context& context) {
  const auto side = [&](const std::string& port, const std::string& name) -> Result<ReportSide> {
    TRY(json, read_text((context.input_path(port) / "statistics.json").string()));
    return ReportSide::read(name, std::move(json));
  };
  TRY(now, side("statistics", context.text("name", "now")));
  std::optional<ReportSide> before;
  if (context.input_count("before") > 0) {
    TRY(read, side("before", context.text("before_name", "before")));
    before = std::move(read);
  }
  std::vector<ReportProblem> problems;
  if (context.input_count("anomalies") > 0) {
    TRY(json, read_text((context.input_path("anomalies") / "anomalies.json").string()));
    TRY(read, read_problems(json));
    problems = std::move(read);
  }
  const std::filesystem::path folder = context.output_path("report");
  if (before) {
    TRY_VOID(write_text((folder / "comparison.json").string(), comparison_json(*before, now)));
  }
  return write_text((folder / "report.html").string(),
                    statistics_report(before ? &*before : nullptr, now, problems));
}

}  // namespace pipelined
