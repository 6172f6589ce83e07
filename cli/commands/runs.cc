#include <algorithm>
#include <optional>

#include "cli/commands/commands.h"
#include "cli/statistics_table.h"
#include "dag/metric_name.h"

namespace pipelined::cli {
namespace {

/// What stands in a column; a number beside the text where it can be ordered as one.
struct Cell {
  std::string text;
  std::optional<double> number;
};

Cell counted(std::int64_t number, std::string text) {
  return {std::move(text), static_cast<double>(number)};
}

Cell value_cell(const protocol::RunSummary& run, const std::string& name) {
  const auto found = run.values.find(name);
  if (found == run.values.end()) return {"-", {}};
  const Value& value = found->second;
  if (const std::int64_t* number = value.as_int()) return counted(*number, canonical(value));
  if (const double* number = value.as_double()) return {short_value(value), *number};
  if (const std::string* text = value.as_text()) return {*text, {}};
  return {canonical(value), {}};
}

std::string steps_text(const protocol::RunSummary& run) {
  std::vector<std::string> parts;
  for (const auto& [state, count] : run.steps) parts.push_back(std::to_string(count) + " " + state);
  return spoken_list(parts);
}

Cell cell_of(const protocol::RunSummary& run, const std::string& column) {
  if (column.starts_with("params.")) return value_cell(run, column.substr(7));
  if (column.starts_with("metrics.")) {
    const auto found = run.metrics.find(column.substr(8));
    if (found == run.metrics.end()) return {"-", {}};
    return {short_value(Value(found->second)), found->second};
  }
  if (column == "run") return counted(run.number, std::to_string(run.number));
  if (column == "pipeline") return {run.pipeline, {}};
  if (column == "state") return {run.state, {}};
  if (column == "started") return counted(run.created_at.ms, short_time(run.created_at));
  if (column == "steps") return {steps_text(run), {}};
  if (column == "who") return {run.who, {}};
  if (column == "version") return {run.version.substr(0, 12), {}};
  if (column == "why") return {run.reason.sentence, {}};
  const bool ended = run.ended_at.ms != 0 && run.started_at.ms != 0;
  if (!ended) return {"-", {}};
  const std::int64_t took = run.ended_at.ms - run.started_at.ms;
  return counted(took, spoken_duration(took));
}

Result<void> check_column(const std::string& column) {
  static const std::vector<std::string> known = {"run",   "pipeline", "state", "started", "took",
                                                 "steps", "who",      "version", "why"};
  const bool named = column.size() > 7 && column.starts_with("params.");
  const bool measured = column.size() > 8 && column.starts_with("metrics.");
  if (named || measured || std::find(known.begin(), known.end(), column) != known.end()) return {};
  return Error{ErrorCode::invalid, "'" + column + "' is no column of runs; there are " +
                                       spoken_list(known) + ", params.NAME and metrics.NAME"};
}

/// Runs without a value stand last whatever the direction.
void sort_runs(std::vector<protocol::RunSummary>& runs, const std::string& column, bool greatest) {
  std::stable_sort(runs.begin(), runs.end(), [&](const auto& a, const auto& b) {
    const Cell first = cell_of(a, column), second = cell_of(b, column);
    if ((first.text == "-") != (second.text == "-")) return second.text == "-";
    if (first.number && second.number) {
      return greatest ? *first.number > *second.number : *first.number < *second.number;
    }
    return greatest ? first.text > second.text : first.text < second.text;
  });
}

std::string title_of(const std::string& column) {
  if (column.find('.') != std::string::npos) return column;
  std::string title = column;
  for (char& c : title) c = static_cast<char>(c - 'a' + 'A');
  return title;
}

/// The columns to show; WHO and VERSION only where there is room for everything.
std::vector<std::string> columns_of(const Session& session) {
  if (session.arguments.has("columns")) return split_names(session.arguments.text("columns"));
  if (session.format == Format::wide) {
    return {"run", "pipeline", "state", "started", "took", "steps", "who", "version", "why"};
  }
  return {"run", "pipeline", "state", "started", "took", "steps", "why"};
}

}  // namespace

int run_runs(Session& session) {
  std::vector<std::string> columns = columns_of(session);
  const std::string sort = session.arguments.text("sort");
  std::string metrics, values;
  std::vector<std::string> looked_at = columns;
  if (!sort.empty()) looked_at.push_back(sort);
  for (const std::string& column : looked_at) {
    const auto known = check_column(column);
    if (!known) return session.fail(known.error());
    if (column.starts_with("metrics.")) metrics += (metrics.empty() ? "" : ",") + column.substr(8);
    if (column.starts_with("params.")) values = "true";
  }
  auto list = session.get<protocol::RunList>(
      "/api/v1/runs" + query_of({{"pipeline", session.arguments.text("pipeline")},
                                 {"state", session.arguments.text("state")},
                                 {"limit", session.arguments.text("limit")},
                                 {"metrics", metrics},
                                 {"values", values}}));
  if (!list) return session.fail(list.error());
  if (!sort.empty()) {
    sort_runs(list->runs, sort, session.arguments.has("desc"));
    session.replace_reply(*list);
  }
  return session.show([&] {
    std::vector<Column> shown;
    for (const std::string& column : columns) {
      const bool number = column == "run" || column == "took" || column.starts_with("metrics.") ||
                          column.starts_with("params.");
      shown.push_back({title_of(column), false, number});
    }
    Table table = session.table(shown);
    for (const protocol::RunSummary& run : list->runs) {
      std::vector<std::string> cells;
      for (const std::string& column : columns) cells.push_back(cell_of(run, column).text);
      table.add(std::move(cells));
    }
    session.print(table);
  });
}

}  // namespace pipelined::cli
