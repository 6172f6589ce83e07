#include "daemon/store/rows.h"

#include "daemon/store/value_text.h"
#include "dag/value.h"

namespace pipelined {
namespace {

std::string text_at(const ValueList& list, std::size_t index) {
  const std::string* text = index < list.size() ? list[index].as_text() : nullptr;
  return text != nullptr ? *text : std::string();
}

std::int64_t int_at(const ValueList& list, std::size_t index) {
  const std::int64_t* number = index < list.size() ? list[index].as_int() : nullptr;
  return number != nullptr ? *number : 0;
}

bool flag_in(const ValueTable& table, std::string_view name) {
  const auto found = table.find(name);
  const bool* flag = found != table.end() ? found->second.as_bool() : nullptr;
  return flag != nullptr && *flag;
}

Reason read_reason(const Query& row, int first) {
  Reason reason{row.string(first), row.string(first + 1), {}};
  if (!row.is_null(first + 2)) reason.details = parse_details(row.text(first + 2));
  return reason;
}

}  // namespace

std::string select(const char* columns, const char* rest) {
  return std::string("SELECT ") + columns + " " + rest;
}

const char* const pipeline_columns =
    "p.name, p.version, p.applied_at, p.folder, p.current, p.paused, p.seq";

PipelineRow read_pipeline(const Query& row) {
  PipelineRow pipeline;
  pipeline.name = row.string(0);
  pipeline.version = row.digest(1);
  pipeline.applied_at = row.integer(2);
  pipeline.folder = row.string(3);
  pipeline.current = row.flag(4);
  pipeline.paused = row.flag(5);
  pipeline.seq = row.integer(6);
  return pipeline;
}

const char* const arrival_columns =
    "a.number, a.pipeline, a.source, a.span, a.version, o.digest, o.type, o.size, a.path, a.at, "
    "a.run, a.seq";

ArrivalRow read_arrival(const Query& row) {
  ArrivalRow arrival;
  arrival.number = row.integer(0);
  arrival.pipeline = row.string(1);
  arrival.source = row.string(2);
  arrival.span = row.string(3);
  arrival.version = row.integer(4);
  arrival.artifact = {row.digest(5), row.string(6), row.integer(7)};
  arrival.path = row.string(8);
  arrival.at = row.integer(9);
  arrival.run = row.integer(10);
  arrival.seq = row.integer(11);
  return arrival;
}

const char* const span_columns =
    "s.pipeline, s.source, s.span, s.version, s.arrival, o.digest, o.type, o.size, s.state, s.why, "
    "s.who, s.definition, s.run, s.succeeded_run, s.at, s.seq, s.approved_seq";

SpanRow read_span(const Query& row) {
  SpanRow span;
  span.pipeline = row.string(0);
  span.source = row.string(1);
  span.span = row.string(2);
  span.version = row.integer(3);
  span.arrival = row.integer(4);
  span.artifact = {row.digest(5), row.string(6), row.integer(7)};
  span.state = parse_span_state(row.text(8)).value_or(SpanState::open);
  span.why = row.string(9);
  span.who = row.string(10);
  span.definition = row.digest(11);
  span.run = row.integer(12);
  span.succeeded_run = row.integer(13);
  span.at = row.integer(14);
  span.seq = row.integer(15);
  span.approved_seq = row.integer(16);
  return span;
}

const char* const run_columns =
    "r.number, r.pipeline, r.version, r.state, r.who, r.horizon, r.created_seq, r.created_at, "
    "r.started_at, r.ended_at, r.reason_code, r.reason, r.reason_details, r.end_code, "
    "r.end_reason, r.end_details, r.options";

RunRow read_run(const Query& row) {
  RunRow run;
  run.number = row.integer(0);
  run.pipeline = row.string(1);
  run.version = row.digest(2);
  run.state = parse_run_state(row.text(3)).value_or(RunState::failed);
  run.who = row.string(4);
  run.horizon = row.integer(5);
  run.created_seq = row.integer(6);
  run.created_at = row.integer(7);
  run.started_at = row.integer(8);
  run.ended_at = row.integer(9);
  run.reason = read_reason(row, 10);
  run.end_reason = read_reason(row, 13);
  if (!row.is_null(16)) run.options = parse_options(row.text(16));
  return run;
}

const char* const step_columns =
    "s.run, s.step, s.element, s.state, s.key, s.result, s.tries, s.faults, s.next_try_at, "
    "s.started_at, s.ended_at, s.seq, s.reason_code, s.reason, s.reason_details, s.attempts, "
    "s.first_try_at, s.at, s.pass_over, s.first_call_at";

StepRow read_step(const Query& row) {
  StepRow step;
  step.run = row.integer(0);
  step.step = row.string(1);
  step.element = row.string(2);
  step.state = parse_step_state(row.text(3)).value_or(StepState::waiting);
  step.key = row.optional_digest(4);
  step.result = row.integer(5);
  step.tries = row.integer(6);
  step.faults = row.integer(7);
  step.next_try_at = row.integer(8);
  step.started_at = row.integer(9);
  step.ended_at = row.integer(10);
  step.seq = row.integer(11);
  step.reason = read_reason(row, 12);
  step.attempts = row.integer(15);
  step.first_try_at = row.integer(16);
  step.at = row.integer(17);
  step.pass_over = row.integer(18);
  step.first_call_at = row.integer(19);
  return step;
}

const char* const attempt_columns =
    "a.id, a.run, a.step, a.element, a.number, a.fence, a.running, a.outcome, a.machine_fault, "
    "a.error, a.queued_at, a.started_at, a.ended_at, a.cpu_ms, a.memory_peak_bytes, "
    "a.scratch_bytes, a.failure_class";

AttemptRow read_attempt(const Query& row) {
  AttemptRow attempt;
  attempt.id = row.string(0);
  attempt.run = row.integer(1);
  attempt.step = row.string(2);
  attempt.element = row.string(3);
  attempt.number = row.integer(4);
  attempt.fence = row.string(5);
  attempt.running = row.flag(6);
  attempt.outcome = parse_outcome(row.text(7)).value_or(Outcome::failed);
  attempt.machine_fault = row.flag(8);
  attempt.error = row.string(9);
  attempt.queued_at = row.integer(10);
  attempt.started_at = row.integer(11);
  attempt.ended_at = row.integer(12);
  attempt.cpu_ms = row.integer(13);
  attempt.memory_peak_bytes = row.integer(14);
  attempt.scratch_bytes = row.integer(15);
  attempt.failure_class = row.string(16);
  return attempt;
}

const char* const result_columns =
    "r.id, r.key, r.halt, r.pipeline, r.run, r.step, r.element, r.attempt, r.verdict, "
    "r.started_at, r.ended_at, r.seq, r.bindings, r.metrics, r.notes, r.key_text";

ResultRow read_result(const Query& row) {
  ResultRow result;
  result.id = row.integer(0);
  result.key = row.optional_digest(1);
  result.halt = row.flag(2);
  result.pipeline = row.string(3);
  result.run = row.integer(4);
  result.step = row.string(5);
  result.element = row.string(6);
  result.attempt = row.string(7);
  result.verdict = row.string(8);
  result.started_at = row.integer(9);
  result.ended_at = row.integer(10);
  result.seq = row.integer(11);
  if (!row.is_null(14)) result.notes = read_value_text(row.text(14));
  result.key_text = row.string(15);
  return result;
}

const char* const alert_columns =
    "a.id, a.pipeline, a.subject, a.severity, a.sentence, a.run, a.step, a.element, a.at, a.seq, "
    "a.evidence";

AlertRow read_alert(const Query& row, int first) {
  AlertRow alert;
  alert.id = row.string(first);
  alert.pipeline = row.string(first + 1);
  alert.subject = row.string(first + 2);
  alert.severity = row.string(first + 3);
  alert.sentence = row.string(first + 4);
  alert.run = row.integer(first + 5);
  alert.step = row.string(first + 6);
  alert.element = row.string(first + 7);
  alert.at = row.integer(first + 8);
  alert.seq = row.integer(first + 9);
  if (!row.is_null(first + 10)) alert.evidence = read_value_text(row.text(first + 10));
  return alert;
}

const char* const acceptance_columns =
    "a.key, a.who, a.why, a.rejected, a.run, a.step, a.element, a.at, a.seq, a.evidence";

AcceptanceRow read_acceptance(const Query& row) {
  AcceptanceRow acceptance;
  acceptance.key = row.digest(0);
  acceptance.who = row.string(1);
  acceptance.why = row.string(2);
  acceptance.rejected = row.flag(3);
  acceptance.run = row.integer(4);
  acceptance.step = row.string(5);
  acceptance.element = row.string(6);
  acceptance.at = row.integer(7);
  acceptance.seq = row.integer(8);
  if (!row.is_null(9)) acceptance.evidence = read_value_text(row.text(9));
  return acceptance;
}

const char* const hold_columns =
    "h.kind, h.pipeline, h.run, h.step, h.element, h.who, h.why, h.at, h.until, h.active, "
    "h.ended_by, h.ended_at, h.seq";

HoldRow read_hold(const Query& row) {
  HoldRow hold;
  hold.kind = row.string(0);
  hold.pipeline = row.string(1);
  hold.run = row.integer(2);
  hold.step = row.string(3);
  hold.element = row.string(4);
  hold.who = row.string(5);
  hold.why = row.string(6);
  hold.at = row.integer(7);
  hold.until = row.integer(8);
  hold.active = row.flag(9);
  hold.ended_by = row.string(10);
  hold.ended_at = row.integer(11);
  hold.seq = row.integer(12);
  return hold;
}

std::optional<std::string> details_text(const std::vector<ReasonDetail>& details) {
  if (details.empty()) return std::nullopt;
  ValueList list;
  for (const ReasonDetail& detail : details) {
    list.push_back(ValueList{detail.name, detail.before, detail.after});
  }
  return canonical(list);
}

std::vector<ReasonDetail> parse_details(std::string_view text) {
  std::vector<ReasonDetail> details;
  const Value value = read_value_text(text);
  const ValueList* list = value.as_list();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const ValueList* item = (*list)[i].as_list();
    if (item == nullptr) continue;
    details.push_back({text_at(*item, 0), text_at(*item, 1), text_at(*item, 2)});
  }
  return details;
}

std::optional<std::string> options_text(const RunOptions& options) {
  if (options == RunOptions{}) return std::nullopt;
  ValueTable table;
  if (!options.params.empty()) table["params"] = options.params;
  if (!options.select.empty()) table["select"] = options.select;
  if (options.refresh) table["refresh"] = true;
  if (options.revalidate) table["revalidate"] = true;
  const auto list = [&table](const char* name, const std::vector<std::string>& texts) {
    if (texts.empty()) return;
    ValueList values;
    for (const std::string& text : texts) values.push_back(text);
    table[name] = std::move(values);
  };
  list("force", options.force), list("spans", options.spans);
  if (!options.source.empty()) table["source"] = options.source;
  if (options.backfill != 0) table["backfill"] = options.backfill;
  return canonical(table);
}

RunOptions parse_options(std::string_view text) {
  RunOptions options;
  const Value value = read_value_text(text);
  const ValueTable* table = value.as_table();
  if (table == nullptr) return options;
  options.refresh = flag_in(*table, "refresh");
  options.revalidate = flag_in(*table, "revalidate");
  for (const auto& [name, item] : *table) {
    if (name == "params" && item.as_table() != nullptr) options.params = *item.as_table();
    if (name == "select" && item.as_text() != nullptr) options.select = *item.as_text();
    if (name == "source" && item.as_text() != nullptr) options.source = *item.as_text();
    if (name == "backfill" && item.as_int() != nullptr) options.backfill = *item.as_int();
    if ((name != "force" && name != "spans") || item.as_list() == nullptr) continue;
    auto& texts = name == "force" ? options.force : options.spans;
    for (std::size_t i = 0; i < item.as_list()->size(); ++i) {
      texts.push_back(text_at(*item.as_list(), i));
    }
  }
  return options;
}

std::string spans_text(const std::vector<RunSpan>& spans) {
  ValueList list;
  list.reserve(spans.size());
  for (const RunSpan& span : spans) {
    list.push_back(ValueList{span.source, span.span, span.version, span.fresh, span.left_out});
  }
  return canonical(list);
}

std::vector<RunSpan> parse_run_spans(std::string_view text) {
  std::vector<RunSpan> spans;
  const Value value = read_value_text(text);
  const ValueList* list = value.as_list();
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const ValueList* item = (*list)[i].as_list();
    if (item == nullptr || item->size() < 5) continue;
    const bool* fresh = (*item)[3].as_bool();
    spans.push_back({text_at(*item, 0), text_at(*item, 1), int_at(*item, 2),
                     fresh != nullptr && *fresh, text_at(*item, 4)});
  }
  return spans;
}

std::optional<std::string> value_text(const Value& value) {
  if (value.is_null()) return std::nullopt;
  return canonical(value);
}

Value read_value_text(std::string_view text) {
  auto value = parse_canonical(text);
  return value ? *std::move(value) : Value();
}

}  // namespace pipelined
