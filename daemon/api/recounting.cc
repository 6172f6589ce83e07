#include "daemon/api/recounting.h"

#include <algorithm>
#include <set>

#include "daemon/api/explaining.h"
#include "daemon/api/translate.h"
#include "dag/cache_key.h"
#include "dag/run_state.h"

namespace pipelined::api {
namespace {

using protocol::ReplayEvent;

constexpr int resolutions_max = 10'000;

std::vector<protocol::PortArtifact> ports_of(const std::vector<Binding>& bindings) {
  std::vector<protocol::PortArtifact> ports;
  for (const Binding& binding : bindings) {
    ports.push_back({binding.port, binding.position, binding.artifact.digest.hex(),
                     binding.artifact.type, binding.artifact.size});
  }
  return ports;
}

std::vector<protocol::Metric> metrics_of(const std::vector<MetricFact>& facts) {
  std::vector<protocol::Metric> metrics;
  for (const MetricFact& fact : facts) metrics.push_back({fact.name, fact.slice, fact.value});
  return metrics;
}

/// Decisions about this run, and those about spans of its pipeline while it was open.
std::vector<DecisionRow> decisions_during(Backend& backend, const RunRow& run) {
  std::vector<DecisionRow> found;
  for (const DecisionRow& row : list_decisions(backend.store(), run.pipeline, 0, view_limit_max)) {
    const bool during = row.at >= run.created_at && (run.ended_at == 0 || is_open(run.state) ||
                                                     row.at <= run.ended_at);
    if (row.run == run.number || (row.run == 0 && during)) found.push_back(row);
  }
  std::reverse(found.begin(), found.end());
  return found;
}

void recount_run(Backend& backend, const RunRow& run, protocol::RunHistory& history) {
  const auto line = [&](TimeMs at, std::int64_t rank, const std::string& state,
                        const std::string& code, const std::string& sentence) {
    if (at != 0) history.lines.push_back({{at}, rank, "", "", state, code, sentence});
  };
  std::string why = "asked for by " + run.who;
  if (!run.reason.sentence.empty()) why += ": " + run.reason.sentence;
  line(run.created_at, -3, "created", run.reason.code, why);
  line(run.started_at, -2, "started", "", "");
  for (const DecisionRow& row : decisions_during(backend, run)) {
    std::string told = row.subject + " by " + row.who;
    if (!row.why.empty()) told += ": " + row.why;
    line(row.at, -1, row.kind, "decision", told);
  }
  if (run.state != RunState::running && run.state != RunState::queued) {
    line(run.ended_at, INT64_MAX, name_of(run.state), run.end_reason.code, run.end_reason.sentence);
  }
}

/// Every page of recorded steps.
void for_each_step(Backend& backend, RunNumber run, const std::function<void(const StepView&)>& see) {
  StepFilter filter;
  filter.run = run, filter.limit = view_limit_max;
  for (;;) {
    const std::vector<StepView> page = list_steps(backend.store(), filter);
    for (const StepView& view : page) see(view);
    if (page.size() < static_cast<std::size_t>(filter.limit)) return;
    filter.after = {page.back().row.step, page.back().row.element};
  }
}

ReplayEvent event_of(const RunRow& run, const char* kind, TimeMs at) {
  ReplayEvent event;
  event.kind = kind, event.at = {std::max(at, run.created_at)};
  return event;
}

/// Whether the engine gave the step another try after this attempt.
bool was_retried(const StepView& view, const AttemptRow& attempt) {
  const auto is_retry = [&](TimeMs at, const Reason& reason) {
    return at == attempt.ended_at && reason.code == "retry";
  };
  return is_retry(view.row.at, view.row.reason) ||
         std::any_of(view.past.begin(), view.past.end(), [&](const StateChange& change) {
           return is_retry(change.at, change.reason);
         });
}

/// Ports that the step passes on are written by nobody.
std::vector<Binding> written(const PipelineStep* step, const std::vector<Binding>& outputs) {
  std::vector<Binding> kept;
  for (const Binding& binding : outputs) {
    if (step == nullptr || !step->passed.contains(binding.port)) kept.push_back(binding);
  }
  return kept;
}

ReplayEvent ended_event(Backend& backend, const RunRow& run, const Pipeline& pipeline,
                        const StepView& view, const AttemptRow& attempt) {
  ReplayEvent event =
      event_of(run, attempt.machine_fault ? "attempt_lost" : "attempt_ended", attempt.ended_at);
  event.step = attempt.step, event.element = attempt.element, event.attempt = attempt.number;
  event.outcome = name_of(attempt.outcome), event.error = attempt.error;
  event.retryable = was_retried(view, attempt);
  const bool own = view.result && view.result->attempt == attempt.id;
  const auto result = own ? view.result : result_of_attempt(backend.store(), run, attempt);
  if (!result) return event;
  const StepIndex index = pipeline.find(attempt.step);
  event.artifacts =
      ports_of(written(index == no_step ? nullptr : &pipeline.steps[index], result->outputs));
  event.metrics = metrics_of(result->metrics), event.notes = result->notes;
  if (result->halt) event.error = result->verdict;
  return event;
}

protocol::ReplayResult known_of(const ResultRow& row) {
  protocol::ReplayResult known;
  known.id = row.id, known.run = row.run, known.key_text = row.key_text;
  if (row.key) known.key = row.key->hex();
  known.step = row.step, known.element = row.element, known.verdict = row.verdict;
  known.halt = row.halt, known.outputs = ports_of(row.outputs);
  known.metrics = metrics_of(row.metrics), known.notes = row.notes;
  return known;
}

void add_decisions(Backend& backend, const RunRow& run, std::vector<ReplayEvent>& events) {
  static const std::map<std::string, const char*> kinds = {
      {"accept", "accept"}, {"accept --without-remedy", "accept_without_remedy"}, {"approve", "approve"},     {"reject", "reject"},
      {"cancel", "cancel"}, {"retry", "retry"},         {"span drop", "span_drop"},
      {"span restore", "span_restore"}};
  for (const DecisionRow& row : decisions_during(backend, run)) {
    const auto kind = kinds.find(row.kind);
    if (kind == kinds.end()) continue;
    ReplayEvent event = event_of(run, kind->second, row.at);
    event.who = row.who, event.why = row.why;
    if (row.run == 0) {
      event.span = row.subject;
    } else if (row.kind != "cancel" && row.kind != "retry") {
      const StepName name = parse_step_name(row.subject);
      event.step = name.step, event.element = name.element;
    }
    events.push_back(std::move(event));
  }
  // Another run ended this one: to an engine that does not have it that is somebody's wish.
  const bool asked = std::any_of(events.begin(), events.end(),
                                 [](const ReplayEvent& event) { return event.kind == "cancel"; });
  if (run.state != RunState::cancelled || asked) return;
  ReplayEvent event = event_of(run, "cancel", run.ended_at);
  event.who = "pipelined", event.why = run.end_reason.sentence;
  events.push_back(std::move(event));
}

void add_spans(Backend& backend, const RunRow& run, protocol::RunEvents& replay) {
  SpanFilter filter;
  filter.pipeline = run.pipeline, filter.newest_only = false, filter.limit = view_limit_max;
  std::map<std::pair<std::string, std::string>, const RunSpan*> seen;
  for (const RunSpan& span : run.spans) seen[{span.source, span.span}] = &span;
  for (;; filter.offset += filter.limit) {
    const std::vector<SpanRow> rows = list_spans(backend.store(), filter);
    for (const SpanRow& row : rows) {
      const auto known = seen.find({row.source, row.span});
      const bool of_run = known != seen.end() && known->second->version == row.version;
      if (row.arrival > run.horizon) {
        const bool late = row.at >= run.created_at && (run.ended_at == 0 || row.at <= run.ended_at);
        if (!late) continue;
        ReplayEvent event = event_of(run, "arrived", row.at);
        event.source = row.source, event.span = row.span;
        event.artifacts = ports_of({{"", 0, row.artifact}});
        replay.events.push_back(std::move(event));
        continue;
      }
      if (known != seen.end() && !of_run) continue;
      replay.spans.push_back({row.source, row.span, of_run ? known->second->left_out : "",
                              row.artifact.digest.hex(), row.artifact.type, row.version,
                              row.arrival, row.artifact.size,
                              of_run ? known->second->fresh : row.succeeded_run == 0});
    }
    if (rows.size() < static_cast<std::size_t>(filter.limit)) return;
  }
}

void add_definition(Backend& backend, const RunRow& run, const Pipeline& pipeline,
                    protocol::RunEvents& replay) {
  for (const auto& [name, content] : pipeline.files) {
    if (protocol::is_utf8(content)) replay.files[name] = content;
    else replay.binary[name] = protocol::base64_encode(content);
  }
  std::set<std::string> told;
  for (const PipelineStep& step : pipeline.steps) {
    if (told.insert(step.info->id).second) replay.operators.push_back(operator_of(*step.info));
  }
  for (const PipelineRow& row : list_versions(backend.store(), run.pipeline, view_limit_max)) {
    if (row.version == run.version) replay.folder = row.folder;
  }
}

/// A person's answer to a halt at that key, else the policy's of the pipeline.
std::optional<AcceptanceRow> answer_to(Store& store, const std::string& pipeline,
                                       const Digest& key) {
  if (auto answer = store.find_acceptance(key)) return answer;
  return store.find_acceptance(policy_key(pipeline, key));
}

int order_of(const ReplayEvent& event) {
  if (event.kind == "run") return 0;
  if (event.kind == "arrived") return 1;
  return event.attempt > 0 ? 2 : 3;  // a decision follows what it is about
}

void add_steps(Backend& backend, const RunRow& run, const Pipeline& pipeline,
               protocol::RunEvents& replay) {
  std::set<std::int64_t> known;
  for_each_step(backend, run.number, [&](const StepView& view) {
    replay.steps.push_back({view.row.step, view.row.element, name_of(view.row.state)});
    const auto answer = view.row.key ? answer_to(backend.store(), run.pipeline, *view.row.key)
                                     : std::optional<AcceptanceRow>();
    if (answer && !answer->rejected && answer->seq < run.created_seq) {
      protocol::ReplayResult accepted;  // the answer alone: its id says that there is no result
      accepted.key = view.row.key->hex(), accepted.accepted = true;
      accepted.without_remedy = view.row.reason.code == "accepted_without_remedy";
      replay.results.push_back(std::move(accepted));
    }
    for (const AttemptRow& attempt : view.attempts) {
      if (attempt.running) continue;
      replay.events.push_back(ended_event(backend, run, pipeline, view, attempt));
    }
    const bool foreign = view.result && view.result->run != run.number;
    if (foreign && known.insert(view.result->id).second) {
      replay.results.push_back(known_of(*view.result));
    }
  });
}

}  // namespace

protocol::RunHistory recount(Backend& backend, const RunView& run, const StepName& after,
                             int limit) {
  protocol::RunHistory history;
  history.run = summary_of(run);
  if (after.step.empty()) recount_run(backend, run.row, history);
  const auto pipeline = backend.pipeline_version(run.row.version);
  StepFilter filter;
  filter.run = run.row.number, filter.after = after, filter.limit = limit;
  const std::vector<StepView> page = list_steps(backend.store(), filter);
  for (const StepView& view : page) {
    const StepIndex index = pipeline ? pipeline->find(view.row.step) : no_step;
    std::int64_t rank = index == no_step ? 0 : static_cast<std::int64_t>(index) * 1000;
    for (const StateChange& change : step_history(view.row, view.past, view.attempts, 0, "")) {
      history.lines.push_back({{change.at}, ++rank, view.row.step, view.row.element,
                               name_of(change.state), change.reason.code, change.reason.sentence});
    }
  }
  if (page.size() == static_cast<std::size_t>(limit)) {
    history.next = step_path(page.back().row.step, page.back().row.element);
  }
  return history;
}

Result<protocol::RunEvents> replay_of(Backend& backend, const RunView& run) {
  const auto pipeline = backend.pipeline_version(run.row.version);
  const std::string which = "replaying run " + std::to_string(run.row.number) + ": ";
  if (!pipeline) {
    return Error{ErrorCode::not_found, which + "version " + run.row.version.brief() + " of " +
                                           run.row.pipeline + " cannot be read any more"};
  }
  if (run.counts.total() > replay_steps_max) {
    return Error{ErrorCode::exhausted, which + "it has " + with_thousands(run.counts.total()) +
                                           " steps; up to " + with_thousands(replay_steps_max) +
                                           " can be written as events"};
  }
  protocol::RunEvents replay;
  replay.run = run.row.number, replay.pipeline = run.row.pipeline;
  replay.version = run.row.version.hex(), replay.state = name_of(run.row.state);
  replay.horizon = run.row.horizon, replay.params = run.row.options.params;
  replay.force = run.row.options.force, replay.select = run.row.options.select;
  add_definition(backend, run.row, *pipeline, replay);
  ReplayEvent asked = event_of(run.row, "run", run.row.created_at);
  asked.who = run.row.who, asked.why = run.row.reason.sentence;
  replay.events.push_back(std::move(asked));
  add_spans(backend, run.row, replay);
  add_steps(backend, run.row, *pipeline, replay);
  add_decisions(backend, run.row, replay.events);
  std::stable_sort(replay.events.begin(), replay.events.end(),
                   [](const ReplayEvent& a, const ReplayEvent& b) {
                     return a.at.ms != b.at.ms ? a.at.ms < b.at.ms : order_of(a) < order_of(b);
                   });
  for (const ResolutionRow& row :
       list_resolutions(backend.store(), run.row.number, resolutions_max)) {
    protocol::ReplayResolution known{row.scope.hex(), "", "", "", row.origin, row.run, 0};
    if (row.answer) {
      known.port = row.answer->port, known.digest = row.answer->artifact.digest.hex();
      known.type = row.answer->artifact.type, known.size = row.answer->artifact.size;
    }
    replay.resolutions.push_back(std::move(known));
  }
  return replay;
}

}  // namespace pipelined::api
