// Polls of query sources: when one is due, what it takes, what follows from its end.
//
// Arrival, span and watermark are put in the turn of a poll's end, so a row is in a span exactly if
// the watermark has passed it.  A poll that is under way is known by an id that is never stored: what
// ends later than its engine, or after its source was changed, is ignored and asked for again.
#include <algorithm>

#include "dag/engine_state.h"
#include "dag/query_source.h"

namespace pipelined {
namespace {

constexpr std::size_t polls_at_once = 2;
constexpr std::int64_t failures_before_alert = 3;  // of those that may pass by themselves

const SourceSpec* query_source(const PipelineState& pipeline, const std::string& name) {
  const SourceSpec* source = pipeline.current->spec.source(name);
  return source != nullptr && source->kind == "query" ? source : nullptr;
}

std::string rows_text(std::int64_t rows) {
  return std::to_string(rows) + (rows == 1 ? " row" : " rows");
}

// How far what a poll of these notes took reaches, for people.
std::string range_text(const SourceSpec& source, const PollNotes& notes) {
  std::string text = rows_text(notes.rows);
  if (source.query.watermark.empty()) return text;
  text += ", " + source.query.watermark + " " + notes.first;
  return notes.first == notes.last ? text : text + " to " + notes.last;
}

std::string place_text(const SourceSpec& source) {
  return source.query.database == "sqlite" ? source.path
                                           : "postgresql of secret " + source.query.secret;
}

// A poll that took rows is followed at the source's pace; one that only saw some is followed when
// these have waited long enough.
std::int64_t wait_after(const SourceSpec& source, const PollState& poll, bool looked_only) {
  const QuerySpec& query = source.query;
  if (poll.seen.empty()) return query.every_ms;
  return looked_only ? query.lag_ms : std::max(query.every_ms, query.lag_ms);
}

}  // namespace

void Engine::State::wind_polls(PipelineState& pipeline) {
  std::map<std::string, PollState> before = std::move(pipeline.polls);
  pipeline.polls.clear();
  for (const SourceSpec& source : pipeline.current->spec.sources) {
    if (source.kind != "query") continue;
    PollState& poll = pipeline.polls[source.name];
    const auto known = before.find(source.name);
    const auto recorded = known != before.end()
                              ? std::optional(known->second.row)
                              : ledger.find_poll(pipeline.row.name, source.name);
    if (recorded) {
      poll.row = *recorded;
    } else {
      poll.row.pipeline = pipeline.row.name;
      poll.row.source = source.name;
      poll.row.column = source.query.watermark;
    }
    // Another version may ask something else, so it asks at once; a daemon that starts goes on.
    const bool goes_on = recorded && known == before.end() && poll.row.failures == 0;
    const TimeMs left = poll.row.at + source.query.every_ms - now.wall_ms;
    poll_at(pipeline, source.name,
            goes_on ? std::clamp<TimeMs>(left, 0, source.query.every_ms) : 0);
  }
}

void Engine::State::poll_at(PipelineState& pipeline, const std::string& source,
                            std::int64_t wait_ms) {
  pipeline.polls.at(source).due_ms = now.steady_ms + wait_ms;
  timers.emplace(now.steady_ms + wait_ms,
                 Timer{Timer::Kind::poll, pipeline.row.name, 0, 0, 0, source, 0});
}

void Engine::State::start_polls() {
  if (dry || stopping) return;
  std::size_t running = 0;
  for (const auto& [name, pipeline] : pipelines) {
    for (const auto& [source, poll] : pipeline.polls) running += poll.running.empty() ? 0 : 1;
  }
  while (running < polls_at_once) {  // the one that has waited longest first
    PipelineState* of = nullptr;
    PollState* next = nullptr;
    for (auto& [name, pipeline] : pipelines) {
      for (auto& [source, poll] : pipeline.polls) {
        if (!poll.running.empty() || poll.due_ms > now.steady_ms) continue;
        if (next != nullptr && next->due_ms <= poll.due_ms) continue;
        of = &pipeline;
        next = &poll;
      }
    }
    if (next == nullptr) return;
    start_poll(*of, *query_source(*of, next->row.source), *next);
    if (!next->running.empty()) ++running;
  }
}

void Engine::State::start_poll(PipelineState& pipeline, const SourceSpec& source,
                               PollState& poll) {
  if (poll.row.column != source.query.watermark) {
    const auto named = [](const std::string& column) {
      return column.empty() ? "no watermark" : "the watermark '" + column + "'";
    };
    poll_failed(pipeline, source, poll,
                "it was read by " + named(poll.row.column) + " and now says " +
                    named(source.query.watermark) +
                    "; a source cannot go on by another one: give it another name to begin anew",
                false);
    return;
  }
  PollRange range;
  const bool lags = source.query.lag_ms > 0 && !source.query.watermark.empty();
  if (lags) {
    range.take = !poll.seen.empty() && now.steady_ms - poll.seen_ms >= source.query.lag_ms;
    if (range.take) range.upto = poll.seen;
  }
  effect::StartPoll start;
  start.poll = poll.running = new_attempt_id();
  poll.upto = lags && !range.take ? "" : range.upto;
  start.start.pipeline = pipeline.row.name;
  start.start.element = source.name;
  start.start.number = 1;
  start.start.operator_id = pipeline.current->poller.id;
  start.start.plugin = pipeline.current->poller.plugin;
  start.start.params = poll_params(source, pipeline.current->query_params.at(source.name),
                                   pipeline.row.folder, poll.row, range);
  start.start.outputs = {{query_output, query_span_type, false, true, {}}};
  start.start.network = source.query.database != "sqlite";
  start.start.timeout_ms = source.query.timeout_ms;
  if (!source.query.secret.empty()) start.start.secrets = {source.query.secret};
  if (const std::string file = query_file(source, pipeline.row.folder); !file.empty()) {
    start.start.readable = {file.substr(0, file.rfind('/') + 1)};
  }
  emit(std::move(start));
}

void Engine::State::on(const event::PollEnded& event) {
  for (auto& [name, pipeline] : pipelines) {
    for (auto& [source_name, poll] : pipeline.polls) {
      if (poll.running.empty() || poll.running != event.poll) continue;
      poll.running.clear();
      const SourceSpec& source = *query_source(pipeline, source_name);
      if (event.outcome == Outcome::ok) {
        take_poll(pipeline, source, poll, event);
      } else {
        poll_failed(pipeline, source, poll, event.error, event.retryable);
      }
      start_polls();
      return;
    }
  }
}

void Engine::State::take_poll(PipelineState& pipeline, const SourceSpec& source, PollState& poll,
                              const event::PollEnded& event) {
  const PollNotes notes = read_poll_notes(event.notes);
  const bool incremental = !source.query.watermark.empty();
  const bool takes = event.snapshot && notes.rows > 0;
  std::string span = only_span;
  if (takes && incremental) {
    auto named = span_of_range(notes.type, notes.first, notes.last);
    if (named && pipeline.spans[source.name].contains(*named)) {
      named = Error{ErrorCode::conflict,
                    "the span " + *named + " is there already, so its rows were taken before: "
                    "the watermark '" + source.query.watermark + "' does not only grow"};
    }
    if (!named) return poll_failed(pipeline, source, poll, named.error().message, false);
    span = *std::move(named);
  }
  PollRow& row = poll.row;
  row.sentence = takes ? range_text(source, notes) : "no new row";
  if (takes) {
    const std::int64_t before = last_arrival;
    on(event::Arrived{pipeline.row.name, source.name, span, *event.snapshot,
                      place_text(source) + ": " + row.sentence});
    if (last_arrival == before) {
      row.sentence = "the same " + row.sentence + " as before";
    } else {
      ++row.spans;
      row.rows += notes.rows;
    }
    if (incremental) {
      row.watermark = notes.last;
      row.type = notes.type;
    }
  }
  if (row.alerted) {
    alert({row.pipeline + "/" + row.source + "/polled/" + std::to_string(row.failing_since),
           row.pipeline, row.source, "info",
           "source " + row.source + " can be polled again after " +
               std::to_string(row.failures) + " failures: " + row.sentence,
           0, "", "", {}, 0, 0});
  }
  row.failures = row.failing_since = 0;
  row.alerted = false;
  row.at = now.wall_ms;
  ++row.polls;
  const bool looked_only = source.query.lag_ms > 0 && incremental && poll.upto.empty();
  const bool more = !notes.seen.empty() && notes.seen != (takes ? notes.last : "");
  poll.seen = more && source.query.lag_ms > 0 ? notes.seen : "";
  poll.seen_ms = now.steady_ms;
  put(row);
  poll_at(pipeline, source.name, wait_after(source, poll, looked_only));
}

void Engine::State::poll_failed(PipelineState& pipeline, const SourceSpec& source, PollState& poll,
                                const std::string& why, bool retryable) {
  PollRow& row = poll.row;
  if (row.failures++ == 0) row.failing_since = now.wall_ms;
  row.sentence = why;
  row.at = now.wall_ms;
  ++row.polls;
  poll.seen.clear();  // it may have been seen in a moment that is not any more
  const std::int64_t wait = poll_backoff_ms(row.failures, source.query.every_ms);
  if (!row.alerted && (!retryable || row.failures >= failures_before_alert)) {
    row.alerted = true;
    std::string sentence = "source " + row.source + " cannot be polled: " + why;
    if (row.failures > 1) sentence += " (" + std::to_string(row.failures) + " times in a row)";
    alert({row.pipeline + "/" + row.source + "/poll/" + std::to_string(row.failing_since),
           row.pipeline, row.source, "error",
           sentence + "; it is tried again until it works, no row is missed meanwhile", 0, "", "",
           Value(ValueTable{{"source", row.source}, {"database", source.query.database}}), 0, 0});
  }
  put(row);
  poll_at(pipeline, source.name, wait);
}

}  // namespace pipelined
