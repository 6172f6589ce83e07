// Spans worked through again: what a backfill would run and why, and its runs one after another.
//
// A backfill is a list of spans, fixed when it is asked for, and a cursor.  Its runs do the part of
// the pipeline that works span by span (or what is selected); they come behind all fresh work, do
// not count among the pipeline's active runs, and reuse what is recorded like any other.
#include <algorithm>

#include "dag/dry_ledger.h"
#include "dag/engine_state.h"
#include "dag/selection.h"
#include "dag/spec_words.h"

namespace pipelined {
namespace {

constexpr std::size_t planned_runs_max = 200;  // runs that a dry run looks into

// The steps that work on one span alone, and what they need.
std::string span_steps(const Pipeline& pipeline, const std::string& source) {
  std::vector<bool> wanted(pipeline.steps.size());
  for (std::size_t s = pipeline.steps.size(); s-- > 0;) {
    const PipelineStep& step = pipeline.steps[s];
    wanted[s] = wanted[s] || (decides_span(step) && step.fan_source == source);
    for (const StepIndex parent : step.parents) wanted[parent] = wanted[parent] || wanted[s];
  }
  std::string expression;
  for (std::size_t s = 0; s < wanted.size(); ++s) {
    if (!wanted[s]) continue;
    if (!expression.empty()) expression += " ";
    expression += "step:" + pipeline.steps[s].spec.name;
  }
  return expression;
}

// The step of the backfill whose result hangs on the spans before its own, if there is one.
const PipelineStep* looks_back(const Pipeline& pipeline, const RunOptions& options) {
  const auto selected = select_steps(pipeline, options.select);
  for (const std::string& name : selected ? *selected : std::vector<std::string>{}) {
    const PipelineStep& step = pipeline.steps[pipeline.find(name)];
    const bool back = std::any_of(step.inputs.begin(), step.inputs.end(), [](const auto& input) {
      return input.spec.kind == InputSpec::Kind::span;
    });
    if (back) return &step;
  }
  return nullptr;
}

Result<std::string> source_of(const Pipeline& pipeline, const std::string& asked) {
  std::set<std::string> fanned;
  for (const PipelineStep& step : pipeline.steps) {
    if (!step.fan_source.empty()) fanned.insert(step.fan_source);
  }
  const std::string text = "backfill: pipeline " + pipeline.spec.name;
  if (!asked.empty()) {
    if (fanned.contains(asked)) return asked;
    return Error{ErrorCode::not_found, text + " has no source " + asked + " whose spans are worked on"};
  }
  if (fanned.size() == 1) return *fanned.begin();
  return Error{ErrorCode::invalid,
               text + (fanned.empty() ? " works on no spans"
                                      : " works on the spans of several sources; name one")};
}

PlannedSpan judge_span(const SpanRow& row, const std::string& reprocess) {
  PlannedSpan span{row.span, name_of(row.state), false, "", 0, 0};
  const std::string run = " in run " + std::to_string(row.run);
  switch (row.state) {
    case SpanState::dropped:
    case SpanState::rejected:
      span.why = std::string(name_of(row.state)) + " by " + row.who + ": " + row.why;
      return span;
    case SpanState::in_review:
      span.why = "its arrival waits for a review";
      return span;
    case SpanState::open:
      span.runs = true;
      span.why = "no run has accepted it yet";
      return span;
    case SpanState::failed:
      span.runs = reprocess != "none";
      span.why = "failed at " + row.why + run;
      break;
    case SpanState::halted:
      span.runs = reprocess == "all";
      span.why = "halted at " + row.why + run;
      break;
    case SpanState::accepted:
      span.runs = reprocess == "all";
      span.why = "accepted" + run;
      break;
  }
  span.why += std::string(span.runs ? ", worked on again" : ", left as it is") +
              " (reprocess " + reprocess + ")";
  return span;
}

}  // namespace

Result<std::vector<PlannedSpan>> Engine::State::judge_backfill(const BackfillRow& wish) const {
  const Pipeline& pipeline = *pipelines.at(wish.pipeline).current;
  const auto range = parse_spans(wish.asked.find_first_of(". ") == std::string::npos &&
                                         wish.asked != "all" && wish.asked != "new"
                                     ? wish.asked + ".." + wish.asked
                                     : wish.asked);
  if (!range) {
    return Error{ErrorCode::invalid, "backfill: '" + wish.asked + "' names no spans; it is written "
                                     "2013-01..2013-06, 2013-01, \"last 3\" or all"};
  }
  if (const PipelineStep* step = looks_back(pipeline, wish.options);
      step != nullptr && (wish.order != "oldest" || wish.max_active != 1)) {
    return Error{ErrorCode::invalid,
                 "backfill: step " + step->spec.name + " reads what came of the spans before, so "
                 "its spans run oldest first and one at a time: leave out --order and --max-active"};
  }
  std::vector<PlannedSpan> spans;
  const auto known = pipelines.at(wish.pipeline).spans.find(wish.source);
  if (known == pipelines.at(wish.pipeline).spans.end()) return spans;
  for (const auto& [span, versions] : known->second) {
    const bool within = range->kind != SpanSelection::Kind::range ||
                        span_in_range(span, range->first, range->last);
    const bool fresh = range->kind != SpanSelection::Kind::only_new ||
                       versions.back().succeeded_run == 0;
    if (within && fresh) spans.push_back(judge_span(versions.back(), wish.reprocess));
  }
  const auto count = static_cast<std::size_t>(range->count);
  if (range->kind == SpanSelection::Kind::last && spans.size() > count) {
    spans.erase(spans.begin(), spans.end() - static_cast<std::ptrdiff_t>(count));
  }
  if (wish.order == "newest") std::reverse(spans.begin(), spans.end());
  return spans;
}

// The wish with everything filled in that may be left out.
Result<BackfillRow> Engine::State::complete_backfill(const BackfillRow& wish) const {
  const auto found = pipelines.find(wish.pipeline);
  if (found == pipelines.end() || !found->second.current) {
    return Error{ErrorCode::not_found, "backfill: there is no pipeline " + wish.pipeline};
  }
  const Pipeline& pipeline = *found->second.current;
  BackfillRow row = wish;
  TRY(source, source_of(pipeline, wish.source));
  row.source = std::move(source);
  if (row.reprocess.empty()) row.reprocess = "none";
  if (row.order.empty()) row.order = "oldest";
  if (row.reprocess != "none" && row.reprocess != "failed" && row.reprocess != "all") {
    return Error{ErrorCode::invalid, "backfill: reprocess is none, failed or all, not '" +
                                         row.reprocess + "'"};
  }
  if (row.order != "oldest" && row.order != "newest") {
    return Error{ErrorCode::invalid, "backfill: the order is oldest or newest, not '" + row.order +
                                         "'"};
  }
  if (row.chunk < 1 || row.max_active < 1) {
    return Error{ErrorCode::invalid, "backfill: at least one span a run and one run at a time"};
  }
  if (row.options.select.empty()) row.options.select = span_steps(pipeline, row.source);
  if (auto error = options_error(pipeline, row.options)) return *std::move(error);
  if (auto error = missing_error(found->second, row.options)) return *std::move(error);
  return row;
}

RunOptions Engine::State::backfill_options(const BackfillRow& row, std::size_t from) const {
  RunOptions options = row.options;
  options.source = row.source;
  options.backfill = row.id;
  const std::size_t end = std::min(row.spans.size(), from + static_cast<std::size_t>(row.chunk));
  options.spans.assign(row.spans.begin() + static_cast<std::ptrdiff_t>(from),
                       row.spans.begin() + static_cast<std::ptrdiff_t>(end));
  return options;
}

Result<std::vector<PlannedSpan>> Engine::plan_backfill(const BackfillRow& wish, Instant now) const {
  TRY(row, state_->complete_backfill(wish));
  TRY(spans, state_->judge_backfill(row));
  for (const PlannedSpan& span : spans) {
    if (span.runs) row.spans.push_back(span.span);
  }
  std::size_t runs = 0;
  for (std::size_t at = 0; at < row.spans.size(); at += static_cast<std::size_t>(row.chunk)) {
    if (++runs > planned_runs_max) break;
    TRY(steps, plan(row.pipeline, state_->backfill_options(row, at), now));
    const auto first = std::find_if(spans.begin(), spans.end(),
                                    [&](const PlannedSpan& s) { return s.span == row.spans[at]; });
    for (const PlannedStep& step : steps) {
      if (step.verdict == "run" || step.verdict == "depends") ++first->steps_to_run;
      if (step.verdict == "reuse") ++first->steps_to_reuse;
    }
  }
  return spans;
}

void Engine::State::on(const event::BackfillRequested& event) {
  auto row = complete_backfill(event.wish);
  const auto spans = row ? judge_backfill(*row) : row.error();
  if (!spans) {
    refuse(event.request, spans.error().code, spans.error().message);
    return;
  }
  for (const PlannedSpan& span : *spans) {
    if (span.runs) row->spans.push_back(span.span);
  }
  if (row->spans.empty()) {
    refuse(event.request, ErrorCode::conflict,
           "backfill: nothing is to be done for " + row->asked + " of " + row->source + ": " +
               (spans->empty() ? "no such span has arrived" : spans->front().span + " is " +
                                                                  spans->front().why));
    return;
  }
  row->id = ++last_backfill;
  row->state = "running";
  row->created_at = now.wall_ms;
  put(*row);
  backfills[row->id] = *row;
  const std::string text = "backfill " + std::to_string(row->id);
  decide("backfill", row->pipeline, text + " of " + row->asked, row->who, row->why, 0);
  reply(event.request, 0, text + " of " + row->pipeline + ": " + std::to_string(row->spans.size()) +
                              (row->spans.size() == 1 ? " span" : " spans"));
  advance_backfill(row->id);
}

void Engine::State::advance_backfill(std::int64_t id) {
  const auto found = backfills.find(id);
  if (found == backfills.end()) return;
  const auto pipeline = pipelines.find(found->second.pipeline);
  if (pipeline == pipelines.end() || pipeline->second.row.paused) return;
  BackfillRow& row = found->second;
  const bool waits = looks_back(*pipeline->second.current, row.options) != nullptr;
  const auto active = [&](bool held_too) {
    return std::count_if(runs.begin(), runs.end(), [&](const auto& entry) {
      const RunRow& run = entry.second.row;
      return run.options.backfill == id && (held_too ? is_open(run.state) : !is_at_rest(run.state));
    });
  };
  while (row.begun < static_cast<std::int64_t>(row.spans.size()) &&
         active(waits) < row.max_active) {
    const RunOptions options = backfill_options(row, static_cast<std::size_t>(row.begun));
    row.begun += static_cast<std::int64_t>(options.spans.size());
    put(row);
    if (const auto error = options_error(*pipeline->second.current, options)) {
      row.state = "cancelled";  // the pipeline has become another one
      row.why = error->message;
      row.ended_at = now.wall_ms;
      put(row);
      backfills.erase(id);
      return;
    }
    const std::string spans = options.spans.size() == 1
                                  ? options.spans.front()
                                  : options.spans.front() + " to " + options.spans.back();
    create_run(pipeline->second, options,
               {"backfill", "backfill " + std::to_string(id) + ", " + spans + " (" +
                                std::to_string(row.begun) + " of " +
                                std::to_string(row.spans.size()) + ")", {}}, row.who);
  }
  if (row.begun < static_cast<std::int64_t>(row.spans.size()) || active(false) > 0) return;
  row.state = "done";
  row.ended_at = now.wall_ms;
  put(row);
  backfills.erase(id);
}

void Engine::State::advance_backfills(const std::string& pipeline) {
  std::vector<std::int64_t> ids;
  for (const auto& [id, row] : backfills) {
    if (pipeline.empty() || row.pipeline == pipeline) ids.push_back(id);
  }
  for (const std::int64_t id : ids) advance_backfill(id);
}

void Engine::State::on(const event::BackfillCancelRequested& event) {
  const auto found = backfills.find(event.backfill);
  const std::string text = "backfill " + std::to_string(event.backfill);
  if (found == backfills.end()) {
    refuse(event.request, ErrorCode::not_found, text + " is not running");
    return;
  }
  BackfillRow row = std::move(found->second);
  backfills.erase(found);
  row.state = "cancelled";
  row.ended_at = now.wall_ms;
  put(row);
  const std::string because = event.why.empty() ? "" : ": " + event.why;
  decide("backfill cancel", row.pipeline, text, event.who, event.why, 0);
  std::vector<RunNumber> open;
  for (const auto& [number, run] : runs) {
    if (run.row.options.backfill == row.id && !run.cancelling) open.push_back(number);
  }
  for (const RunNumber number : open) {
    const auto run = runs.find(number);
    if (run == runs.end()) continue;
    cancel_run(run->second, {"backfill_cancelled",
                             text + " was cancelled by " + event.who + because, {}});
  }
  reply(event.request, 0, text + " is cancelled after " + std::to_string(row.begun) + " of " +
                              std::to_string(row.spans.size()) + " spans");
}

}  // namespace pipelined
