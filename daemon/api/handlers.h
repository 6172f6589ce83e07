// The handlers behind the routes, one function each, grouped in handlers_*.cc by what they concern.
//
// Each reads its request, asks the backend and answers once.  They keep nothing between requests and
// take no decision about runs: those are the engine's.  Loop thread only.
#pragma once

#include "daemon/api/backend.h"
#include "daemon/api/exchange.h"

namespace pipelined::api {

/// \name The daemon itself
/// @{
void get_health(Backend& backend, const Request& request, const Respond& respond);
void get_ready(Backend& backend, const Request& request, const Respond& respond);
void get_metrics(Backend& backend, const Request& request, const Respond& respond);
void get_openapi(Backend& backend, const Request& request, const Respond& respond);
void get_status(Backend& backend, const Request& request, const Respond& respond);
void get_doctor(Backend& backend, const Request& request, const Respond& respond);
void get_operators(Backend& backend, const Request& request, const Respond& respond);
void get_sources(Backend& backend, const Request& request, const Respond& respond);
void get_alerts(Backend& backend, const Request& request, const Respond& respond);
void get_events(Backend& backend, const Request& request, const Respond& respond);
/// @}

/// \name Who may do what
/// @{
void get_tokens(Backend& backend, const Request& request, const Respond& respond);
void post_token(Backend& backend, const Request& request, const Respond& respond);
void post_token_revoke(Backend& backend, const Request& request, const Respond& respond);
void get_audit(Backend& backend, const Request& request, const Respond& respond);
void get_audit_check(Backend& backend, const Request& request, const Respond& respond);
void post_reload(Backend& backend, const Request& request, const Respond& respond);
void post_sink_test(Backend& backend, const Request& request, const Respond& respond);
/// @}

/// \name Pipelines and spans
/// @{
void get_pipelines(Backend& backend, const Request& request, const Respond& respond);
void get_pipeline(Backend& backend, const Request& request, const Respond& respond);
void get_versions(Backend& backend, const Request& request, const Respond& respond);
void get_version(Backend& backend, const Request& request, const Respond& respond);
void get_version_diff(Backend& backend, const Request& request, const Respond& respond);
void get_freshness(Backend& backend, const Request& request, const Respond& respond);
void post_check(Backend& backend, const Request& request, const Respond& respond);
void post_apply(Backend& backend, const Request& request, const Respond& respond);
void get_use(Backend& backend, const Request& request, const Respond& respond);
void post_plan(Backend& backend, const Request& request, const Respond& respond);
void post_run(Backend& backend, const Request& request, const Respond& respond);
void post_hook(Backend& backend, const Request& request, const Respond& respond);
void post_pause(Backend& backend, const Request& request, const Respond& respond);
void post_unpause(Backend& backend, const Request& request, const Respond& respond);
void get_holds(Backend& backend, const Request& request, const Respond& respond);
void post_hold(Backend& backend, const Request& request, const Respond& respond);
void post_release(Backend& backend, const Request& request, const Respond& respond);
void post_span_approve(Backend& backend, const Request& request, const Respond& respond);
void post_span_reject(Backend& backend, const Request& request, const Respond& respond);
void get_spans(Backend& backend, const Request& request, const Respond& respond);
void post_span_drop(Backend& backend, const Request& request, const Respond& respond);
void post_span_restore(Backend& backend, const Request& request, const Respond& respond);
/// @}

/// \name Runs
/// @{
void get_runs(Backend& backend, const Request& request, const Respond& respond);
void get_run(Backend& backend, const Request& request, const Respond& respond);
void get_run_wait(Backend& backend, const Request& request, const Respond& respond);
void get_explanation(Backend& backend, const Request& request, const Respond& respond);
void get_run_diff(Backend& backend, const Request& request, const Respond& respond);
void get_run_history(Backend& backend, const Request& request, const Respond& respond);
void get_run_replay(Backend& backend, const Request& request, const Respond& respond);
void get_log(Backend& backend, const Request& request, const Respond& respond);
void get_reviews(Backend& backend, const Request& request, const Respond& respond);
void post_accept(Backend& backend, const Request& request, const Respond& respond);
void post_approve(Backend& backend, const Request& request, const Respond& respond);
void post_reject(Backend& backend, const Request& request, const Respond& respond);
void post_cancel(Backend& backend, const Request& request, const Respond& respond);
void post_retry(Backend& backend, const Request& request, const Respond& respond);
void post_resume(Backend& backend, const Request& request, const Respond& respond);
void post_migrate(Backend& backend, const Request& request, const Respond& respond);
void post_migrate_plan(Backend& backend, const Request& request, const Respond& respond);
/// @}

/// \name What is done again, and what must not be used
/// @{
void get_backfills(Backend& backend, const Request& request, const Respond& respond);
void post_backfill(Backend& backend, const Request& request, const Respond& respond);
void post_backfill_plan(Backend& backend, const Request& request, const Respond& respond);
void post_backfill_cancel(Backend& backend, const Request& request, const Respond& respond);
void post_invalidate(Backend& backend, const Request& request, const Respond& respond);
void post_invalidate_plan(Backend& backend, const Request& request, const Respond& respond);
/// @}

/// \name Artifacts
/// @{
void get_artifacts(Backend& backend, const Request& request, const Respond& respond);
void get_artifact(Backend& backend, const Request& request, const Respond& respond);
void get_artifact_file(Backend& backend, const Request& request, const Respond& respond);
void get_lineage(Backend& backend, const Request& request, const Respond& respond);
void get_lineage_of(Backend& backend, const Request& request, const Respond& respond);
void post_query(Backend& backend, const Request& request, const Respond& respond);
void post_try(Backend& backend, const Request& request, const Respond& respond);
void get_run_step(Backend& backend, const Request& request, const Respond& respond);
/// @}

/// \name The model registry
/// @{
void get_models(Backend& backend, const Request& request, const Respond& respond);
void get_model(Backend& backend, const Request& request, const Respond& respond);
void get_model_version(Backend& backend, const Request& request, const Respond& respond);
void get_model_history(Backend& backend, const Request& request, const Respond& respond);
void post_model_alias(Backend& backend, const Request& request, const Respond& respond);
void post_model_mark(Backend& backend, const Request& request, const Respond& respond);
/// @}

/// \name Keeping the store
/// @{
void post_fsck(Backend& backend, const Request& request, const Respond& respond);
void post_backup(Backend& backend, const Request& request, const Respond& respond);
void post_scrub(Backend& backend, const Request& request, const Respond& respond);
void post_gc(Backend& backend, const Request& request, const Respond& respond);
void get_job(Backend& backend, const Request& request, const Respond& respond);
void get_job_wait(Backend& backend, const Request& request, const Respond& respond);
void get_pins(Backend& backend, const Request& request, const Respond& respond);
void post_pin(Backend& backend, const Request& request, const Respond& respond);
void post_unpin(Backend& backend, const Request& request, const Respond& respond);
/// @}

}  // namespace pipelined::api
