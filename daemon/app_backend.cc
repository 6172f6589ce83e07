#include "daemon/app_backend.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "daemon/app_version.h"

namespace pipelined {
namespace {

void set_request(Event& event, RequestId request) {
  std::visit(
      [request](auto& fact) {
        if constexpr (requires { fact.request; }) fact.request = request;
      },
      event);
}

}  // namespace

std::optional<PipelineRow> row_in_force(Store& store, const std::string& pipeline) {
  for (PipelineRow& row : list_pipelines(store)) {
    if (row.name == pipeline && row.current) return std::move(row);
  }
  return std::nullopt;
}

DaemonBackend::DaemonBackend(BackendParts parts)
    : parts_(std::move(parts)),
      started_at_(parts_.clock.now().wall_ms),
      self_(std::make_shared<DaemonBackend*>(this)) {}

RequestId DaemonBackend::wait_for_reply(ReplyCallback done, OriginPointer origin) {
  waiting_.emplace(++last_request_, Waiting{std::move(done), std::move(origin)});
  return last_request_;
}

void DaemonBackend::on_reply(const effect::Reply& reply) {
  const auto found = waiting_.find(reply.request);
  if (found == waiting_.end()) return;
  const ReplyCallback done = std::move(found->second.done);
  waiting_.erase(found);
  done(reply);
}

void DaemonBackend::submit(Event event, Answer done) {
  set_request(event, wait_for_reply([done = std::move(done)](const effect::Reply& reply) {
                if (reply.error) return done(*reply.error);
                done(RequestOutcome{reply.run, reply.sentence});
              }, origin_));
  parts_.supervisor.post(std::move(event));  // what is not taken is answered all the same
}

std::vector<Diagnostic> DaemonBackend::check(const PipelineUpload& upload) {
  return parts_.shelf.judge(upload.files, upload.file).problems;
}

void DaemonBackend::apply_pipeline(PipelineUpload upload,
                                   std::function<void(Result<ApplyOutcome>)> done) {
  const auto later = [this, &done](Result<ApplyOutcome> outcome) {
    parts_.post([done, outcome = std::move(outcome)] { done(outcome); });
  };
  if (upload.folder.empty() || upload.folder.front() != '/') {
    return later(Error{ErrorCode::invalid, "the folder of a pipeline must be an absolute path, not " +
                                               pipelined::quoted(upload.folder)});
  }
  Judgement judgement = parts_.shelf.judge(upload.files, upload.file);
  ApplyOutcome outcome;
  outcome.diagnostics = std::move(judgement.problems);
  if (!judgement.pipeline) return later(std::move(outcome));
  outcome.pipeline = judgement.pipeline->spec.name;
  outcome.version = judgement.pipeline->version;
  const auto row = row_in_force(parts_.store, outcome.pipeline);
  outcome.changed = !row || row->version != outcome.version || row->folder != upload.folder;
  parts_.shelf.store(
      judgement.pipeline,
      [self = std::weak_ptr(self_), pipeline = judgement.pipeline, folder = upload.folder,
       origin = origin_, outcome = std::move(outcome), done = std::move(done)](Result<void> stored) {
        auto here = self.lock();
        if (!here) return;
        if (!stored) return done(stored.error());
        (*here)->put_in_force(pipeline, folder, outcome, origin, done);
      });
}

// Also when nothing changed: the operators that it was compiled with may be others.
void DaemonBackend::put_in_force(std::shared_ptr<const Pipeline> pipeline,
                                 const std::string& folder, ApplyOutcome outcome,
                                 OriginPointer origin,
                                 std::function<void(Result<ApplyOutcome>)> done) {
  event::PipelineApplied applied;
  applied.pipeline = std::move(pipeline);
  applied.folder = folder;
  const std::string name = outcome.pipeline;
  applied.request = wait_for_reply([this, outcome = std::move(outcome),
                                    done = std::move(done)](const effect::Reply& reply) {
    if (reply.error) return done(*reply.error);
    done(outcome);
    if (outcome.changed) {
      publish({BackendEvent::Kind::pipeline, outcome.pipeline, 0, {}, reply.sentence});
    }
  }, std::move(origin));
  parts_.supervisor.post(std::move(applied));
}

Result<std::vector<PlannedStep>> DaemonBackend::plan(const std::string& pipeline,
                                                     const RunOptions& options) {
  TRY(engine, engine_that_plans());
  return engine->plan(pipeline, options, parts_.clock.now());
}

Result<std::vector<StepFreshness>> DaemonBackend::freshness(const std::string& pipeline) {
  const Engine* engine = parts_.supervisor.engine();
  if (!engine) {
    return Error{ErrorCode::unavailable, "freshness is not known while the daemon cannot write"};
  }
  return engine->freshness(pipeline);
}

std::optional<Reason> DaemonBackend::why_waiting(RunNumber run, const StepName& step) {
  const Engine* engine = parts_.supervisor.engine();
  if (!engine) return std::nullopt;
  return engine->why_waiting(run, step.step, step.element, parts_.clock.now());
}

Result<const Engine*> DaemonBackend::engine_that_plans() const {
  if (const Engine* engine = parts_.supervisor.engine()) return engine;
  return Error{ErrorCode::unavailable,
               "nothing can be planned while the daemon cannot write: " +
                   parts_.supervisor.read_only().value_or(Error{}).message};
}

Result<std::vector<PlannedStep>> DaemonBackend::plan_migration(RunNumber run) {
  TRY(engine, engine_that_plans());
  const auto row = parts_.store.find_run(run);
  return engine->plan_migration(run, row ? pipeline_version(row->version) : nullptr,
                                parts_.clock.now());
}

Result<std::vector<PlannedSpan>> DaemonBackend::plan_backfill(const BackfillRow& wish) {
  TRY(engine, engine_that_plans());
  return engine->plan_backfill(wish, parts_.clock.now());
}

Result<std::vector<Dependent>> DaemonBackend::dependents(
    const event::InvalidateRequested& wish) {
  TRY(engine, engine_that_plans());
  return engine->dependents(wish);
}

std::shared_ptr<const Pipeline> DaemonBackend::pipeline(const std::string& name) {
  const auto row = row_in_force(parts_.store, name);
  return row ? pipeline_version(row->version) : nullptr;
}

std::shared_ptr<const Pipeline> DaemonBackend::pipeline_version(const Digest& version) {
  auto loaded = parts_.shelf.load(version);
  return loaded ? std::move(*loaded) : nullptr;
}

Result<OpenedFile> DaemonBackend::open_file(const Digest& artifact, const std::string& path) {
  return parts_.artifacts.open_file(artifact, path);
}

void DaemonBackend::query_artifacts(const std::vector<Digest>& artifacts,
                                    const std::string& query, std::int64_t rows,
                                    std::function<void(Result<std::string>)> done) {
  parts_.trials.query(artifacts, query, rows, std::move(done));
}

void DaemonBackend::try_step(Trial trial, std::function<void(Result<TrialOutcome>)> done) {
  parts_.trials.try_step(std::move(trial), std::move(done));
}

std::string DaemonBackend::log_path(const std::string& attempt) {
  return parts_.artifacts.log_path(attempt);
}

OperatorListing DaemonBackend::operators() {
  return {&parts_.registry.operators, parts_.registry.problems};
}

std::vector<SourceState> DaemonBackend::sources() {
  std::vector<SourceState> states;
  const auto add = [this, &states](SourceState state) {
    for (const SourceView& view : list_sources(parts_.store, state.pipeline)) {
      if (view.source != state.source) continue;
      state.arrivals = view.arrivals;
      state.newest_span = view.newest.span;
      state.newest_at = view.newest.at;
    }
    states.push_back(std::move(state));
  };
  for (const WatchedSource& watched : parts_.deliveries.sources()) {
    SourceState state;
    state.pipeline = watched.pipeline;
    state.source = watched.source;
    state.kind = "files";
    state.folder = watched.folder;
    state.pattern = watched.pattern;
    state.trouble = parts_.deliveries.trouble_of(watched.pipeline, watched.source);
    add(std::move(state));
  }
  for (const QueriedSource& queried : parts_.deliveries.queried()) {
    SourceState state;
    state.pipeline = queried.pipeline;
    state.source = queried.source;
    state.kind = "query";
    state.folder = queried.place;
    state.pattern = queried.watermark;
    const auto poll = parts_.store.find_poll(queried.pipeline, queried.source);
    if (poll && poll->failures > 0) state.trouble = poll->sentence;
    add(std::move(state));
  }
  return states;
}

DaemonFigures DaemonBackend::figures() {
  DaemonFigures figures;
  figures.version = product_version;
  figures.started_at = started_at_;
  const Supervisor& supervisor = parts_.supervisor;
  figures.ready = supervisor.engine() != nullptr;
  if (supervisor.read_only()) figures.read_only = supervisor.read_only()->message;
  for (RunState state : {RunState::queued, RunState::running, RunState::halted,
                         RunState::in_review}) {
    RunFilter filter;
    filter.state = state;
    filter.limit = view_limit_max;
    figures.open_runs[state] = static_cast<std::int64_t>(list_runs(parts_.store, filter).size());
  }
  figures.live_attempts = static_cast<std::int64_t>(supervisor.live());
  const OutboxCounts outbox = count_outbox(parts_.store);
  figures.outbox_waiting = outbox.pending + outbox.claimed;
  const Supervisor::Counters& counters = supervisor.counters();
  const auto count = [&figures](const char* name, std::int64_t value) {
    figures.counters.emplace_back(name, static_cast<double>(value));
  };
  count("turns_total", counters.turns);
  count("events_total", counters.events);
  count("commits_failed_total", counters.commits_failed);
  count("engines_built_total", counters.rebuilt);
  count("attempts_started_total", counters.attempts_started);
  count("reports_ignored_total", counters.reports_ignored);
  count("outputs_held_total", counters.outputs_held);
  count("events_refused_total", counters.refused_events);
  figures.gauges.emplace_back("events_waiting", static_cast<double>(supervisor.queued()));
  figures.gauges.emplace_back("outputs_held", static_cast<double>(supervisor.held()));
  figures.gauges.emplace_back("snapshots_waiting",
                              static_cast<double>(parts_.deliveries.waiting()));
  if (parts_.add_figures) parts_.add_figures(figures);
  return figures;
}

std::uint64_t DaemonBackend::subscribe(Listener listener) {
  listeners_.emplace(++last_subscription_, std::move(listener));
  return last_subscription_;
}

void DaemonBackend::unsubscribe(std::uint64_t subscription) { listeners_.erase(subscription); }

void DaemonBackend::publish(const BackendEvent& event) {
  const auto listeners = listeners_;  // one of them may unsubscribe itself or others
  for (const auto& [subscription, listener] : listeners) {
    if (listeners_.count(subscription) != 0) listener(event);
  }
}

}  // namespace pipelined
