// Questions of people and scripts about the records: lists, histories, lineage.
//
// Plain structs and functions that read a Store and change nothing.  Every list has a limit of at
// most `view_limit_max` rows, newest first unless it says otherwise, and goes on with `before` or
// `offset`.  What an answer looks like on the wire is the API's business.  Loop thread only; inside
// an open turn the rows of that turn are seen too.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "daemon/store/store.h"
#include "dag/explain.h"
#include "dag/records.h"
#include "dag/suggest.h"

namespace pipelined {

/// No list is longer than this.
inline constexpr int view_limit_max = 1000;

/// Which runs; empty fields do not restrict.
struct RunFilter {
  std::string pipeline;
  std::optional<RunState> state;
  RunNumber before = 0;      ///< only runs with a smaller number
  int limit = 50;
};

/// How many steps and elements of a run are in each state.
struct StepCounts {
  std::int64_t running = 0, succeeded = 0, cached = 0, failed = 0, halted = 0, in_review = 0,
               rejected = 0, cancelled = 0, skipped = 0, blocked = 0;
  std::int64_t total() const {
    return running + succeeded + cached + failed + halted + in_review + rejected + cancelled +
           skipped + blocked;
  }
};

/// A run in a list; `row.spans` is left empty there.
struct RunView {
  RunRow row;
  StepCounts counts;
};

/// One metric of one step of a run.
struct MetricView {
  RunNumber run = 0;
  std::string step, element;
  MetricFact fact;
};

/// A step of a run with all that it stands on.
struct StepView {
  StepRow row;
  std::optional<ResultRow> result;   ///< of row.result
  std::vector<AttemptRow> attempts;  ///< of this run, in order
  std::vector<StateChange> past;     ///< what the row said before, oldest first
};

/// Which recorded steps of a run; they come in the order of step and element.
struct StepFilter {
  RunNumber run = 0;
  StepName after;            ///< only those behind this one
  std::string step;          ///< only elements of this step; empty: of all
  bool stuck_only = false;   ///< only those that failed, halted, are in review or were rejected
  int limit = 1000;
};

/// A step in the history of its pipeline.
struct StepHistoryView {
  StepRow row;
  RunState run_state = RunState::queued;
  TimeMs run_created_at = 0;
};

/// What attempts of the pipeline's newest `runs` runs used, a row a step.
std::vector<StepUse> list_uses(Store& store, const std::string& pipeline, int runs);

struct AlertView {
  AlertRow row;
  bool open = false;   ///< its step (or run) still stands failed, halted or in review; see docs
  std::vector<Delivery> deliveries;  ///< their `alert` is left empty
};

struct AlertFilter {
  std::string pipeline;
  bool open_only = false;
  std::int64_t before = 0;   ///< only rows with a smaller seq; 0: all
  int limit = 50;
};

struct SpanFilter {
  std::string pipeline, source, span;
  bool newest_only = true;   ///< of several versions of a span
  int offset = 0, limit = 1000;
};

/// A source of a pipeline as its arrivals show it.
struct SourceView {
  std::string pipeline, source;
  std::int64_t arrivals = 0, spans = 0;
  ArrivalRow newest;
};

struct ArtifactFilter {
  std::string type;          ///< "model/1"
  std::int64_t before = 0;   ///< ArtifactView::number; 0: all
  int limit = 50;
};

struct ArtifactView {
  std::int64_t number = 0;   ///< order of recording
  ArtifactRef ref;
  std::int64_t files = 0;
  TimeMs created_at = 0;
  TimeMs tombstone_at = 0;   ///< 0: not deleted
  bool manifest_known = true;
};

/// Where an artifact stood: at a port of a result.
struct BindingView {
  bool output = false;
  std::string pipeline, step, element, port;
  std::int64_t position = 0;
  RunNumber run = 0;         ///< the run that computed the result
  std::int64_t result = 0;
  TimeMs at = 0;
};

struct ArtifactDetail {
  ArtifactView view;
  std::optional<Manifest> manifest;
  std::vector<BindingView> producers, consumers;
  std::vector<ArrivalRow> arrivals;  ///< deliveries with this content
};

struct OutboxCounts {
  std::int64_t pending = 0, claimed = 0, done = 0, given_up = 0;
};

std::vector<RunView> list_runs(Store& store, const RunFilter& filter);
/// One run with its spans and the counts of its steps.
std::optional<RunView> find_run_view(Store& store, RunNumber run);
/// A recorded step or element with its result, attempts and past; nothing if it has no row.
std::optional<StepView> find_step(Store& store, RunNumber run, const StepName& name);
/// The same for many: a handful of small queries a step, so ask for what is shown.
std::vector<StepView> list_steps(Store& store, const StepFilter& filter);
/// The rows alone.
std::vector<StepRow> list_step_rows(Store& store, const StepFilter& filter);
/// The newest run's number, of a pipeline if one is named; 0: none.
RunNumber newest_run(Store& store, const std::string& pipeline);
std::vector<AttemptRow> list_attempts(Store& store, RunNumber run, const std::string& step,
                                      const std::string& element);
std::optional<AttemptRow> find_attempt(Store& store, const std::string& id);
/// Newest runs first; `element` empty: every element.
std::vector<StepHistoryView> step_history(Store& store, const std::string& pipeline,
                                          const std::string& step, const std::string& element,
                                          int limit);
/// How long each recorded result of the run took to make, reused ones included.
struct DurationView {
  std::string step, element;
  std::int64_t took_ms = 0;
};
std::vector<DurationView> list_durations(Store& store, RunNumber run);
/// A metric by its name, or by STEP.NAME, with [SLICE] behind it or of all rows; of several the newest.
std::optional<double> find_metric(Store& store, RunNumber run, const std::string& name);
/// The result that an attempt made, if it made one that has a key or is the step's own.
std::optional<ResultRow> result_of_attempt(Store& store, const RunRow& run,
                                           const AttemptRow& attempt);
/// What inputs of that run and earlier ones resolved to, newest runs first.
std::vector<ResolutionRow> list_resolutions(Store& store, RunNumber run, int limit);
/// Metrics of these runs, reused results included, run by run in the given order.
std::vector<MetricView> list_metrics(Store& store, const std::vector<RunNumber>& runs);

std::vector<PipelineRow> list_pipelines(Store& store);
/// All versions of one pipeline, newest first.
std::vector<PipelineRow> list_versions(Store& store, const std::string& pipeline, int limit);
std::vector<SpanRow> list_spans(Store& store, const SpanFilter& filter);

/// What is held now, oldest first; of one pipeline unless that is empty.
std::vector<HoldRow> list_holds(Store& store, const std::string& pipeline);
std::vector<SourceView> list_sources(Store& store, const std::string& pipeline);
std::vector<ArrivalRow> list_arrivals(Store& store, const std::string& pipeline,
                                      const std::string& source, std::int64_t before, int limit);

std::vector<AlertView> list_alerts(Store& store, const AlertFilter& filter);
std::vector<DecisionRow> list_decisions(Store& store, const std::string& pipeline, RunNumber run,
                                        int limit);
std::vector<AcceptanceRow> list_acceptances(Store& store, int limit);
/// Newest first; of all pipelines if none is named.
std::vector<BackfillRow> list_backfills(Store& store, const std::string& pipeline, int limit);
/// What steps of a run asked the system to do.
std::vector<StepRequestRow> list_step_requests(Store& store, RunNumber run, int limit);

std::vector<ArtifactView> list_artifacts(Store& store, const ArtifactFilter& filter);
/// Full digests that begin with these hexadecimal digits (at least 4), at most `limit`.
std::vector<Digest> find_artifacts(Store& store, const std::string& prefix, int limit);
std::optional<ArtifactDetail> show_artifact(Store& store, const Digest& digest, int limit);
/// Runs in which this result stands for its step, newest first: that which made it, and reuses.
std::vector<RunNumber> runs_with(Store& store, const ResultRow& result, int limit);
/// What was delivered at a path, as SOURCE/SPAN or as PIPELINE/SOURCE/SPAN, newest first.
std::vector<Digest> delivered_as(Store& store, const std::string& text, int limit);

OutboxCounts count_outbox(Store& store);
/// Deliveries that are not done, oldest first.
std::vector<Delivery> list_outbox(Store& store, int limit);

}  // namespace pipelined
