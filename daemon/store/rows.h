// How rows of the tables become records and back.
//
// One pair of a column list and a reader for each table that more than one query reads; the order
// of a list is the order in which its reader takes the columns.  Small nested things (details of a
// reason, options, spans of a run) are canonical text, NULL when empty.  No query of its own.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/store/sqlite.h"
#include "dag/records.h"

namespace pipelined {

/// "SELECT columns rest", for a text that is kept and reused.
std::string select(const char* columns, const char* rest);

/// Columns of `pipelines p`.
extern const char* const pipeline_columns;
PipelineRow read_pipeline(const Query& row);

/// Columns of `arrivals a JOIN artifacts o ON o.id = a.artifact`.
extern const char* const arrival_columns;
ArrivalRow read_arrival(const Query& row);

/// Columns of `spans s JOIN artifacts o ON o.id = s.artifact`.
extern const char* const span_columns;
SpanRow read_span(const Query& row);

/// Columns of `runs r`; the spans of the run stand elsewhere (run_spans).
extern const char* const run_columns;
/// How many columns that are, for queries that ask for more behind them.
inline constexpr int run_column_count = 17;
RunRow read_run(const Query& row);

/// Columns of `steps s`.
extern const char* const step_columns;
inline constexpr int step_column_count = 20;
StepRow read_step(const Query& row);

/// Columns of `attempts a`.
extern const char* const attempt_columns;
AttemptRow read_attempt(const Query& row);

/// Columns of `results r`; bindings and metrics stand elsewhere.
extern const char* const result_columns;
ResultRow read_result(const Query& row);

/// Columns of `alerts a`.
extern const char* const alert_columns;
inline constexpr int alert_column_count = 11;
AlertRow read_alert(const Query& row, int first = 0);

/// Columns of `acceptances a`.
extern const char* const acceptance_columns;
AcceptanceRow read_acceptance(const Query& row);

/// Columns of `holds h`.
extern const char* const hold_columns;
HoldRow read_hold(const Query& row);

/// Canonical text of a reason's details; nothing when there are none.
std::optional<std::string> details_text(const std::vector<ReasonDetail>& details);
std::vector<ReasonDetail> parse_details(std::string_view text);

/// Canonical text of a run's options; nothing when all are the default.
std::optional<std::string> options_text(const RunOptions& options);
RunOptions parse_options(std::string_view text);

/// Canonical text of the spans that a run saw.
std::string spans_text(const std::vector<RunSpan>& spans);
std::vector<RunSpan> parse_run_spans(std::string_view text);

/// Canonical text of a value; nothing for null.
std::optional<std::string> value_text(const Value& value);
/// The value, or null when the text is not canonical (which the check at start reports).
Value read_value_text(std::string_view text);

}  // namespace pipelined
