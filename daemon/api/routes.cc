#include "daemon/api/routes.h"

#include <algorithm>

#include "daemon/api/handlers.h"
#include "daemon/api/protocol.h"
#include "daemon/api/protocol_models.h"
#include "daemon/api/protocol_redo.h"
#include "daemon/api/protocol_versions.h"

namespace pipelined::api {
namespace {

constexpr QueryParameter of_pipeline = {"pipeline", "only of this pipeline"};
constexpr QueryParameter limit = {"limit", "at most so many, up to 1000"};
constexpr QueryParameter before = {"before", "only what is older than this number"};

/// The routes that tell about the daemon.
void add_machine(std::vector<Route>& table) {
  using namespace protocol;
  const auto add = [&table](Route route) { table.push_back(std::move(route)); };
  add({"GET", "/healthz", Role::anyone, get_health, "200 while the daemon answers."});
  add({"GET", "/readyz", Role::anyone, get_ready, "200 when work is taken, else 503 and why."});
  add({"GET", "/metrics", Role::viewer, get_metrics, "Figures as Prometheus text."});
  add({"GET", "/api/v1/openapi.json", Role::viewer, get_openapi, "This interface as OpenAPI 3.0."});
  add({"GET", "/api/v1/status", Role::viewer, get_status, "The daemon and its pipelines.", {},
       nullptr, json_schema<Status>});
  add({"GET", "/api/v1/doctor", Role::viewer, get_doctor, "What this machine gives and lacks.", {},
       nullptr, json_schema<DoctorReply>});
  add({"GET", "/api/v1/operators", Role::viewer, get_operators,
       "Operators with ports and parameters, and plugins that could not be read.", {}, nullptr,
       json_schema<OperatorList>});
  add({"GET", "/api/v1/sources", Role::viewer, get_sources, "Sources as their watchers see them.",
       {of_pipeline}, nullptr, json_schema<SourceList>});
  add({"GET", "/api/v1/alerts", Role::viewer, get_alerts, "Alerts, newest first.",
       {of_pipeline, limit, {"open", "true: only those that still stand"}}, nullptr,
       json_schema<AlertList>});
  add({"GET", "/api/v1/events", Role::viewer, get_events,
       "Server-sent events, one a change; the data of each is a Change.", {of_pipeline}});
}

/// The routes about who may do what, and the daemon's own configuration.
void add_access(std::vector<Route>& table) {
  using namespace protocol;
  const auto add = [&table](Route route) { table.push_back(std::move(route)); };
  add({"GET", "/api/v1/tokens", Role::admin, get_tokens, "All tokens, newest first; no texts.", {},
       nullptr, json_schema<TokenList>});
  add({"POST", "/api/v1/tokens", Role::admin, post_token,
       "Makes a token; its text is in the answer and nowhere else.", {}, json_schema<TokenRequest>,
       json_schema<protocol::Token>});
  add({"POST", "/api/v1/tokens/{token}/revoke", Role::admin, post_token_revoke,
       "The token is good no more.", {}, nullptr, json_schema<Done>});
  add({"GET", "/api/v1/audit", Role::admin, get_audit, "Who did what, newest first.",
       {{"who", "only by this one"}, limit, before}, nullptr, json_schema<AuditLog>});
  add({"GET", "/api/v1/audit/check", Role::admin, get_audit_check,
       "Follows the chain of the whole audit log.", {}, nullptr, json_schema<AuditVerdict>});
  add({"POST", "/api/v1/reload", Role::admin, post_reload,
       "Reads configuration and plugins again.", {}, nullptr, json_schema<ReloadReply>});
  add({"POST", "/api/v1/sinks/{sink}/test", Role::admin, post_sink_test,
       "Sends a test message to a sink and tells what it said.", {}, nullptr, json_schema<Done>});
}

void add_pipelines(std::vector<Route>& table) {
  using namespace protocol;
  const auto add = [&table](Route route) { table.push_back(std::move(route)); };
  constexpr std::size_t bundle_max = std::size_t{8} << 20;
  add({"GET", "/api/v1/pipelines", Role::viewer, get_pipelines, "All pipelines.", {}, nullptr,
       json_schema<PipelineList>});
  add({"POST", "/api/v1/pipelines", Role::operator_, post_apply,
       "Puts a pipeline with its files in force, or tells what is wrong with it.", {},
       json_schema<Upload>, json_schema<ApplyReply>, bundle_max});
  add({"POST", "/api/v1/try", Role::operator_, post_try,
       "Runs one step of a pipeline on recorded inputs; puts nothing in force and records nothing.",
       {}, json_schema<TryRequest>, json_schema<TryReply>, bundle_max});
  add({"POST", "/api/v1/check", Role::viewer, post_check,
       "Tells everything that is wrong with a pipeline; changes nothing.", {}, json_schema<Upload>,
       json_schema<CheckReply>, bundle_max});
  add({"GET", "/api/v1/pipelines/{pipeline}", Role::viewer, get_pipeline, "One pipeline.", {},
       nullptr, json_schema<PipelineInfo>});
  add({"GET", "/api/v1/pipelines/{pipeline}/versions", Role::viewer, get_versions,
       "Versions of the pipeline, newest first.", {limit}, nullptr,
       json_schema<PipelineVersionList>});
  add({"GET", "/api/v1/pipelines/{pipeline}/versions/{version}", Role::viewer, get_version,
       "A version with one of its files; the version is `current`, `previous` or first digits.",
       {{"file", "which file; the pipeline file if left out"}}, nullptr,
       json_schema<PipelineDefinition>});
  add({"GET", "/api/v1/pipelines/{pipeline}/versions/{version}/diff", Role::viewer,
       get_version_diff, "What differs between the version and another one.",
       {{"with", "the other version; `current` if left out"}}, nullptr,
       json_schema<PipelineDiff>});
  add({"GET", "/api/v1/pipelines/{pipeline}/freshness", Role::viewer, get_freshness,
       "Which outputs are stale against what has arrived, and since when.", {}, nullptr,
       json_schema<FreshnessReply>});
  add({"POST", "/api/v1/pipelines/{pipeline}/plan", Role::viewer, post_plan,
       "What a run would do now; starts nothing.", {}, json_schema<RunRequest>,
       json_schema<PlanReply>});
  add({"GET", "/api/v1/pipelines/{pipeline}/use", Role::viewer, get_use,
       "What the steps of the newest 50 runs used, and what they should ask for.", {}, nullptr,
       json_schema<UseList>});
  add({"POST", "/api/v1/pipelines/{pipeline}/runs", Role::operator_, post_run, "Starts a run.", {},
       json_schema<RunRequest>, json_schema<Done>});
  add({"POST", "/api/v1/hooks/{pipeline}/{hook}", Role::anyone, post_hook,
       "Fires a trigger; the call is signed with the secret of its webhook, or carries it.", {},
       json_schema<RunRequest>, json_schema<Done>, 64 << 10});
  add({"POST", "/api/v1/pipelines/{pipeline}/pause", Role::operator_, post_pause,
       "Arrivals start no runs until it is unpaused.", {}, json_schema<PauseWish>,
       json_schema<Done>});
  add({"POST", "/api/v1/pipelines/{pipeline}/unpause", Role::operator_, post_unpause,
       "Arrivals start runs again.", {}, nullptr, json_schema<Done>});
  add({"GET", "/api/v1/spans", Role::viewer, get_spans, "Spans and their states, newest first.",
       {of_pipeline, limit, {"offset", "leave out so many"}, {"source", "only of this source"},
        {"span", "only this span"}, {"versions", "true: older versions too"}},
       nullptr, json_schema<SpanList>});
  add({"POST", "/api/v1/spans/drop", Role::operator_, post_span_drop,
       "Runs go on without this span.", {}, json_schema<Decision>, json_schema<Done>});
  add({"POST", "/api/v1/spans/restore", Role::operator_, post_span_restore,
       "Takes a drop or a rejection of a span back.", {}, json_schema<Decision>,
       json_schema<Done>});
  add({"POST", "/api/v1/spans/approve", Role::reviewer, post_span_approve,
       "An arrival in review counts from now on.", {}, json_schema<Decision>, json_schema<Done>});
  add({"POST", "/api/v1/spans/reject", Role::reviewer, post_span_reject,
       "An arrival in review never counts.", {}, json_schema<Decision>, json_schema<Done>});
  add({"GET", "/api/v1/holds", Role::viewer, get_holds, "What is held, oldest first.",
       {of_pipeline}, nullptr, json_schema<HoldList>});
  add({"POST", "/api/v1/holds", Role::operator_, post_hold,
       "A pipeline, a run or a step starts nothing more until its time or a release.", {},
       json_schema<HoldWish>, json_schema<Done>});
  add({"POST", "/api/v1/holds/release", Role::operator_, post_release,
       "What was held goes on.", {}, json_schema<HoldWish>, json_schema<Done>});
}

void add_runs(std::vector<Route>& table) {
  using namespace protocol;
  const auto add = [&table](Route route) { table.push_back(std::move(route)); };
  constexpr QueryParameter step = {"step", "the name of a step"};
  constexpr QueryParameter element = {"element", "an element of that step"};
  add({"GET", "/api/v1/runs", Role::viewer, get_runs, "Runs, newest first.",
       {of_pipeline, limit, before, {"state", "only in this state"},
        {"metrics", "names or STEP.NAME, with commas between: these metrics of each run"},
        {"values", "true: all parameters of each run"}},
       nullptr, json_schema<RunList>});
  add({"GET", "/api/v1/runs/{run}", Role::viewer, get_run,
       "A run with its steps; the run is a number, or `last`.",
       {of_pipeline, {"limit", "at most so many steps; 500 if left out"},
        {"offset", "leaves out so many before them"},
        {"stuck", "true: only steps that failed, halted, are in review or were rejected"}},
       nullptr,
       json_schema<protocol::RunDetail>});
  add({"GET", "/api/v1/runs/{run}/wait", Role::viewer, get_run_wait,
       "Answers when the run has ended, is halted or in review, or the time is over.",
       {of_pipeline, {"final", "true: wait through halts and reviews"},
        {"timeout_ms", "at most so long, up to 60000"}},
       nullptr, json_schema<RunSummary>});
  add({"GET", "/api/v1/runs/{run}/explanation", Role::viewer, get_explanation,
       "Why the run, a step or an element is as it is.", {of_pipeline, step, element}, nullptr,
       json_schema<Explanation>});
  add({"GET", "/api/v1/runs/{run}/step", Role::viewer, get_run_step,
       "One step or element as it is recorded.", {of_pipeline, step, element}, nullptr,
       json_schema<protocol::Step>});
  add({"GET", "/api/v1/runs/{run}/diff", Role::viewer, get_run_diff,
       "What differs between the run and another one.",
       {of_pipeline, {"with", "the number of the other run"},
        {"all", "true: also what is alike"}}, nullptr, json_schema<RunDiff>});
  add({"GET", "/api/v1/runs/{run}/history", Role::viewer, get_run_history,
       "Every state of the run and its steps, a page of steps at a time.",
       {of_pipeline, {"after", "only steps behind this one, as `next` of the page before"}, limit},
       nullptr, json_schema<RunHistory>});
  add({"GET", "/api/v1/runs/{run}/replay", Role::viewer, get_run_replay,
       "The facts from which an engine comes to the same states.", {of_pipeline}, nullptr,
       json_schema<RunEvents>});
  add({"GET", "/api/v1/runs/{run}/log", Role::viewer, get_log, "What an attempt printed.",
       {of_pipeline, step, element, {"attempt", "its number; the newest if left out"},
        {"follow", "true: go on until the attempt has ended"}}});
  add({"POST", "/api/v1/runs/{run}/accept", Role::reviewer, post_accept,
       "A halt is overruled for exactly these data; the run goes on.", {}, json_schema<Decision>,
       json_schema<Done>});
  add({"POST", "/api/v1/runs/{run}/approve", Role::reviewer, post_approve, "A review says yes.", {},
       json_schema<Decision>, json_schema<Done>});
  add({"POST", "/api/v1/runs/{run}/reject", Role::reviewer, post_reject,
       "A halt is confirmed, or a review says no; the run ends rejected.", {},
       json_schema<Decision>, json_schema<Done>});
  add({"POST", "/api/v1/runs/{run}/cancel", Role::operator_, post_cancel, "Ends a run.", {},
       json_schema<Decision>, json_schema<Done>});
  add({"POST", "/api/v1/runs/{run}/retry", Role::operator_, post_retry,
       "Gives failed steps all their tries anew, or only those that are named.", {},
       json_schema<Decision>, json_schema<Done>});
  add({"POST", "/api/v1/runs/{run}/resume", Role::operator_, post_resume, "A cancelled run goes on.", {},
       json_schema<Decision>, json_schema<Done>});
  add({"POST", "/api/v1/runs/{run}/migrate", Role::operator_, post_migrate,
       "The run goes on with the version that is in force.", {}, json_schema<Decision>,
       json_schema<Done>});
  add({"POST", "/api/v1/runs/{run}/migrate/plan", Role::viewer, post_migrate_plan,
       "What moving the run would keep, do anew and drop; changes nothing.", {}, nullptr,
       json_schema<PlanReply>});
  add({"GET", "/api/v1/reviews", Role::viewer, get_reviews, "Everything that waits for a person.",
       {of_pipeline}, nullptr, json_schema<ReviewList>});
}

void add_redo(std::vector<Route>& table) {
  using namespace protocol;
  const auto add = [&table](Route route) { table.push_back(std::move(route)); };
  add({"GET", "/api/v1/backfills", Role::viewer, get_backfills, "Backfills, newest first.",
       {of_pipeline, limit}, nullptr, json_schema<BackfillList>});
  add({"POST", "/api/v1/backfills", Role::operator_, post_backfill,
       "Works spans through again, behind all fresh work.", {}, json_schema<BackfillRequest>,
       json_schema<Done>});
  add({"POST", "/api/v1/backfills/plan", Role::viewer, post_backfill_plan,
       "What a backfill would run, span by span, and why; starts nothing.", {},
       json_schema<BackfillRequest>, json_schema<BackfillPlan>});
  add({"POST", "/api/v1/backfills/{backfill}/cancel", Role::operator_, post_backfill_cancel,
       "Ends a backfill and its runs.", {}, json_schema<Decision>, json_schema<Done>});
  add({"POST", "/api/v1/invalidations", Role::operator_, post_invalidate,
       "Declares results bad: they are never used again.", {}, json_schema<InvalidateRequest>,
       json_schema<Done>});
  add({"POST", "/api/v1/invalidations/plan", Role::viewer, post_invalidate_plan,
       "The results that would be declared bad and all that hangs on them; changes nothing.", {},
       json_schema<InvalidateRequest>, json_schema<DependentList>});
}

void add_artifacts(std::vector<Route>& table) {
  using namespace protocol;
  const auto add = [&table](Route route) { table.push_back(std::move(route)); };
  const QueryParameter way = {"way", "up (the default): what it was made from; down: what was made from it"};
  add({"GET", "/api/v1/artifacts", Role::viewer, get_artifacts, "Artifacts, newest first.",
       {{"type", "only of this type"}, limit, before}, nullptr, json_schema<ArtifactList>});
  add({"GET", "/api/v1/artifacts/{digest}", Role::viewer, get_artifact,
       "An artifact's files and where it stood; a unique beginning of the digest is enough.", {},
       nullptr, json_schema<protocol::ArtifactDetail>});
  add({"GET", "/api/v1/artifacts/{digest}/file", Role::viewer, get_artifact_file,
       "The bytes of one file.", {{"path", "its path as the artifact lists it"}}});
  add({"POST", "/api/v1/artifacts/{digest}/query", Role::viewer, post_query,
       "One SELECT over the artifact, called `data` in it (and `other`); it runs in a worker.", {},
       json_schema<QueryRequest>, json_schema<TableReply>});
  add({"GET", "/api/v1/artifacts/{digest}/lineage", Role::viewer, get_lineage,
       "All that the artifact was made from, or that was made from it, nearest first.", {way},
       nullptr, json_schema<Lineage>});
  add({"GET", "/api/v1/lineage", Role::viewer, get_lineage_of,
       "The same for what was delivered as a span or file.",
       {{"of", "SOURCE/SPAN, PIPELINE/SOURCE/SPAN, the path of a file, or a digest"}, way}, nullptr,
       json_schema<Lineage>});
}

void add_models(std::vector<Route>& table) {
  using namespace protocol;
  const auto add = [&table](Route route) { table.push_back(std::move(route)); };
  add({"GET", "/api/v1/models", Role::viewer, get_models, "Registered models.", {}, nullptr,
       json_schema<ModelList>});
  add({"GET", "/api/v1/models/{model}", Role::viewer, get_model,
       "A model's versions, highest first, and its aliases.", {limit}, nullptr,
       json_schema<protocol::ModelDetail>});
  add({"GET", "/api/v1/models/{model}/versions/{version}", Role::viewer, get_model_version,
       "All that is recorded of a version: a number, an alias or `newest`.", {}, nullptr,
       json_schema<ModelVersionInfo>});
  add({"GET", "/api/v1/models/{model}/history", Role::viewer, get_model_history,
       "Who pointed what where and when, newest first.",
       {{"at", "only until this time; the aliases are as they were then"}}, nullptr,
       json_schema<ModelHistory>});
  add({"POST", "/api/v1/models/{model}/alias", Role::reviewer, post_model_alias,
       "Points an alias at a version, back to where it was, or nowhere.", {},
       json_schema<ModelAliasRequest>, json_schema<Done>});
  add({"POST", "/api/v1/models/{model}/marks", Role::operator_, post_model_mark,
       "Puts a tag or a note on a version.", {}, json_schema<ModelMarkRequest>,
       json_schema<Done>});
}

void add_keeping(std::vector<Route>& table) {
  using namespace protocol;
  const auto add = [&table](Route route) { table.push_back(std::move(route)); };
  add({"POST", "/api/v1/store/fsck", Role::operator_, post_fsck,
       "Starts a look at every invariant of records and bytes.", {}, json_schema<JobRequest>,
       json_schema<JobInfo>});
  add({"POST", "/api/v1/store/gc", Role::admin, post_gc,
       "Removes what is past its time and what nothing needs, or tells what that would be.", {},
       json_schema<JobRequest>, json_schema<JobInfo>});
  add({"POST", "/api/v1/store/scrub", Role::operator_, post_scrub,
       "Reads all stored bytes again, sets apart and marks what is wrong.", {},
       json_schema<JobRequest>, json_schema<JobInfo>});
  add({"POST", "/api/v1/store/backup", Role::admin, post_backup,
       "Copies records and objects into a new folder of the daemon's machine.", {},
       json_schema<JobRequest>, json_schema<JobInfo>});
  add({"GET", "/api/v1/store/jobs/{job}", Role::viewer, get_job, "Long work on the store.", {},
       nullptr, json_schema<JobInfo>});
  add({"GET", "/api/v1/store/jobs/{job}/wait", Role::viewer, get_job_wait,
       "Answers when the work has ended or the time is over.",
       {{"timeout_ms", "at most so long, up to 60000"}}, nullptr, json_schema<JobInfo>});
  add({"GET", "/api/v1/pins", Role::viewer, get_pins, "What collections leave alone.", {}, nullptr,
       json_schema<PinList>});
  add({"POST", "/api/v1/pins", Role::operator_, post_pin,
       "Keeps an artifact or a run whatever its age.", {}, json_schema<PinRequest>,
       json_schema<Done>});
  add({"POST", "/api/v1/pins/remove", Role::operator_, post_unpin, "Ends a pin.", {},
       json_schema<PinRequest>, json_schema<Done>});
}

/// "/a/{b}" as its parts.
std::vector<std::string_view> split(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::size_t end = std::min(path.find('/'), path.size());
    parts.push_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  return parts;
}

bool is_capture(std::string_view part) { return !part.empty() && part.front() == '{'; }

}  // namespace

std::vector<Route> make_routes() {
  std::vector<Route> table;
  add_machine(table);
  add_access(table);
  add_pipelines(table);
  add_runs(table);
  add_redo(table);
  add_artifacts(table);
  add_models(table);
  add_keeping(table);
  return table;
}

Match match(const std::vector<Route>& routes, std::string_view method,
            const std::vector<std::string>& parts) {
  Match best;
  for (const Route& route : routes) {
    const std::vector<std::string_view> pattern = split(route.path);
    if (pattern.size() != parts.size()) continue;
    std::map<std::string, std::string, std::less<>> captured;
    bool fits = true;
    for (std::size_t i = 0; i < parts.size() && fits; ++i) {
      if (is_capture(pattern[i])) {
        captured.emplace(pattern[i].substr(1, pattern[i].size() - 2), parts[i]);
      } else {
        fits = pattern[i] == parts[i];
      }
    }
    if (!fits) continue;
    best.methods.emplace_back(route.method);
    const bool plainer = best.route == nullptr || captured.size() < best.captured.size();
    if (route.method == method && plainer) {
      best.route = &route;
      best.captured = std::move(captured);
    }
  }
  return best;
}

}  // namespace pipelined::api
