// The functions behind the verbs, one a file in this folder.
//
// Each reads its arguments from the session, asks the daemon, writes data to `out` and returns an
// exit code.  None keeps anything; each is named once in the table of verbs (cli/verb.cc).
#pragma once

#include "cli/session.h"

namespace pipelined::cli {

/// \name Pipelines
/// @{
int run_init(Session& session);
int run_check(Session& session);
int run_apply(Session& session);
int run_try(Session& session);
int run_plan(Session& session);
int run_suggest(Session& session);
int run_pipeline_versions(Session& session);
int run_pipeline_show(Session& session);
int run_pipeline_diff(Session& session);
int run_run(Session& session);
int run_pause(Session& session);
int run_hold(Session& session);
int run_release(Session& session);
int run_holds(Session& session);
int run_unpause(Session& session);
/// @}

/// \name Runs
/// @{
int run_status(Session& session);
int run_runs(Session& session);
int run_runs_diff(Session& session);
int run_history(Session& session);
int run_show(Session& session);
int run_explain(Session& session);
int run_logs(Session& session);
int run_cancel(Session& session);
int run_retry(Session& session);
int run_resume(Session& session);
int run_migrate(Session& session);
int run_watch(Session& session);
/// @}

/// \name Decisions, alerts and spans
/// @{
int run_reviews(Session& session);
int run_accept(Session& session);
int run_approve(Session& session);
int run_reject(Session& session);
int run_alerts(Session& session);
int run_span_list(Session& session);
int run_span_drop(Session& session);
int run_span_restore(Session& session);
/// @}

/// \name What is done again, and what must not be used
/// @{
int run_backfill(Session& session);
int run_backfill_list(Session& session);
int run_backfill_cancel(Session& session);
int run_invalidate(Session& session);
/// @}

/// \name Artifacts
/// @{
int run_artifacts(Session& session);
int run_artifact_show(Session& session);
int run_artifact_diff(Session& session);
int run_artifact_export(Session& session);
int run_artifact_head(Session& session);
int run_artifact_sql(Session& session);
int run_lineage(Session& session);
/// @}

/// \name Plain files, without a daemon
/// @{
int run_stats_show(Session& session);
int run_stats_compare(Session& session);
int run_stats_export(Session& session);
int run_schema_infer(Session& session);
int run_schema_check(Session& session);
int run_schema_diff(Session& session);
int run_schema_amend(Session& session);
/// @}

/// \name Who may do what
/// @{
int run_token_create(Session& session);
int run_token_list(Session& session);
int run_token_revoke(Session& session);
int run_audit(Session& session);
int run_reload(Session& session);
int run_alerts_test(Session& session);
/// @}

/// \name Keeping the store
/// @{
int run_fsck(Session& session);
int run_gc(Session& session);
int run_scrub(Session& session);
int run_backup(Session& session);
int run_pins(Session& session);
int run_artifact_pin(Session& session);
int run_artifact_unpin(Session& session);
int run_pin(Session& session);
int run_unpin(Session& session);
/// @}

/// \name The daemon and this program
/// @{
int run_sources(Session& session);
int run_operators(Session& session);
int run_operators_new(Session& session);
int run_doctor(Session& session);
int run_next(Session& session);
int run_version(Session& session);
int run_completions(Session& session);
/// @}

}  // namespace pipelined::cli
