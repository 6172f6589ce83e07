#include "cli/verb.h"

#include "cli/commands/commands.h"
#include "cli/commands/models.h"

namespace pipelined::cli {
namespace {

using Count = Positional::Count;

const Positional run_word = {Count::one, "RUN", "a run's number, or `last`"};
const Positional run_or_last = {Count::optional, "RUN", "a run's number; the newest if left out"};
const Positional step_word = {Count::one, "STEP", "a step, or STEP/ELEMENT"};
const Positional gate_word = {Count::one, "RUN", "a run's number, or `last`; of an arrival its pipeline"};
const Positional gated_word = {Count::one, "STEP", "a step, or STEP/ELEMENT; of an arrival SOURCE/SPAN"};
const Positional held_word = {Count::one, "WHAT", "a pipeline's name, a run's number, or `last`"};
const Positional held_step = {Count::optional, "STEP", "a step, or STEP/ELEMENT"};
const Positional pipeline_word = {Count::one, "PIPELINE", "a pipeline's name"};
const Positional digest_word = {Count::one, "DIGEST", "an artifact's digest, or its unique beginning"};
const Positional artifact_word = {Count::one, "ARTIFACT",
                                  "an artifact's digest or its beginning; a run before STEP.PORT"};
const Positional port_word = {Count::optional, "STEP.PORT",
                              "an output in that run, for example train.model"};
const Positional span_word = {Count::one, "SPAN", "SOURCE/SPAN, for example flights/2013-12"};
const Flag only_pipeline = {"pipeline", "NAME", "only of this pipeline"};
const Flag limit = {"limit", "N", "at most so many"};
const Flag why = {"why", "TEXT", "the reason, recorded beside your name"};
const Flag wait = {"wait", "final", "wait for the end; a halt or a review ends it too, unless final",
                   false, "rest"};
const Flag timeout = {"timeout", "DURATION", "with --wait: at most so long (30s, 5m, 1h)"};
const Flag param = {"param", "K=V", "another value for a parameter of the pipeline", true};
const Flag force = {"force", "STEP", "run this step even if its result is known", true};
const Flag env = {"env", "NAME", "with what [environment.NAME] puts in place of the rest"};
const Flag refresh = {"refresh", nullptr, "look up newest and earlier results anew"};
const Flag revalidate = {"revalidate", nullptr, "look up results of earlier spans anew"};
const Flag select_flag = {"select", "EXPR", "only these steps, for example +train or tag:nightly"};

std::vector<Verb> pipeline_verbs() {
  return {
      {"init", "Writes a small pipeline with scripts and data that runs at once.",
       {{Count::optional, "FOLDER", "where; the current folder if left out"}}, {}, run_init},
      {"check", "Tells everything that is wrong with a pipeline file.",
       {{Count::one, "FILE", "a pipeline file, or its folder"}}, {env}, run_check},
      {"apply", "Uploads a pipeline with the files that it names and puts it in force.",
       {{Count::one, "FILE", "a pipeline file, or its folder"}}, {env}, run_apply},
      {"try", "Runs one step of a pipeline file on recorded inputs; records nothing.",
       {{Count::one, "FILE", "a pipeline file, or its folder"}},
       {{"step", "STEP", "the step, or STEP/ELEMENT"},
        {"sample", "SHARE", "only this share of the rows of tables, for example 1%"}, param, env},
       run_try},
      {"plan", "Tells what a run would do now; starts nothing.", {pipeline_word},
        {select_flag, param, force, refresh, revalidate}, run_plan},
      {"suggest", "What steps should ask for, from what their attempts used.", {pipeline_word}, {},
       run_suggest},
      {"pipeline versions", "Versions of a pipeline, the newest first.", {pipeline_word}, {limit},
       run_pipeline_versions},
      {"pipeline show", "The definition of a pipeline as it is or was.",
       {{Count::one, "PIPELINE[@VERSION]", "a pipeline's name; the version in force if none is named"}},
       {{"file", "NAME", "another file of that version, and nothing else"}}, run_pipeline_show},
      {"pipeline diff", "What differs between two versions of a pipeline.",
       {pipeline_word, {Count::one, "A", "first digits of a version, `current` or `previous`"},
        {Count::optional, "B", "another one; the version in force if left out"}}, {},
       run_pipeline_diff},
      {"run", "Starts a run.", {pipeline_word},
       {select_flag, param, force, refresh, revalidate, wait, timeout}, run_run},
      {"pause", "Arrivals start no runs until `unpause`.", {pipeline_word},
       {{"hold-steps", nullptr, "no further step of its open runs either"}, why}, run_pause},
      {"unpause", "Arrivals start runs again.", {pipeline_word}, {}, run_unpause},
  };
}

std::vector<Verb> run_verbs() {
  return {
      {"status", "The daemon, its pipelines and what waits for a person.", {}, {}, run_status},
      {"runs", "Lists runs, newest first.", {},
       {only_pipeline, {"state", "STATE", "only in this state"}, limit,
        {"columns", "A,B", "these columns: run, pipeline, state, started, took, steps, who, version, "
         "why, params.NAME, metrics.NAME or metrics.STEP.NAME"},
        {"sort", "COLUMN", "by this column, least first"},
        {"desc", nullptr, "with --sort: greatest first"}}, run_runs},
      {"runs diff", "What differs between two runs.",
       {{Count::one, "A", "a run's number"}, {Count::one, "B", "another one"}},
       {{"all", nullptr, "also what is alike"}}, run_runs_diff},
      {"show", "A run with its steps, the first 500 unless told otherwise.", {run_or_last},
       {wait, timeout, {"all", nullptr, "every step, however many"},
        {"stuck", nullptr, "only those that failed, halted, are in review or were rejected"}},
       run_show},
      {"explain", "Why a run, a step or an element is as it is, and how to go on.",
       {run_or_last, {Count::optional, "STEP", "a step, or STEP/ELEMENT"}}, {}, run_explain},
      {"history", "Every state of a run and its steps, in the order of time.", {run_or_last},
       {{"events", nullptr, "as JSON from which an engine can replay the run"}}, run_history},
      {"logs", "What the newest attempt of a step printed.", {run_word, step_word},
       {{"follow", nullptr, "go on until the attempt has ended"},
        {"attempt", "N", "that attempt rather than the newest"}}, run_logs},
      {"cancel", "Ends a run.", {run_word}, {why}, run_cancel},
      {"retry", "Gives the failed steps of a run all their tries anew.",
       {run_word, {Count::many, "STEP", "only these, STEP or STEP/ELEMENT; a halted one runs again"}},
       {{"select", "EXPR", "only what is selected"}, why, wait, timeout}, run_retry},
      {"resume", "Goes on with a cancelled run.", {run_word}, {why, wait, timeout}, run_resume},
      {"migrate", "Shows what moving a run to the version in force would do, and does it.",
       {run_word}, {{"yes", nullptr, "do it, rather than show it"}, why, wait, timeout},
       run_migrate},
      {"watch", "Tells every change as it happens.", {}, {only_pipeline}, run_watch},
  };
}

std::vector<Verb> decision_verbs() {
  return {
      {"reviews", "Everything that waits for a person.", {}, {only_pipeline}, run_reviews},
      {"accept", "Overrules a halt for exactly these data; the run goes on.",
       {run_word, step_word},
       {why, {"without-remedy", nullptr, "what the step proposes against it is used by nobody"}, wait,
        timeout}, run_accept},
      {"approve", "Says yes to a review, of a step or of an arrival.", {gate_word, gated_word},
       {why, wait, timeout}, run_approve},
      {"reject", "Confirms a halt or says no to a review; the run ends rejected.",
       {gate_word, gated_word}, {why}, run_reject},
      {"hold", "Lets a pipeline, a run or a step start nothing more.", {held_word, held_step},
       {why, {"until", "TIME", "a duration such as 2h, or a time; else until `release`"}}, run_hold},
      {"release", "Lets go on what was held.", {held_word, held_step}, {why}, run_release},
      {"holds", "What is held, by whom and until when.", {}, {only_pipeline}, run_holds},
      {"alerts", "Lists alerts, newest first.", {},
       {only_pipeline, {"open", nullptr, "only those that still stand"}, limit}, run_alerts},
      {"alerts test", "Sends a test message to a sink and tells what it said.",
       {{Count::one, "SINK", "a sink's name in pipelined.toml"}}, {}, run_alerts_test},
      {"span list", "Lists spans and their states.", {},
       {only_pipeline, {"source", "NAME", "only of this source"},
        {"versions", nullptr, "older versions too"}}, run_span_list},
      {"span drop", "Goes on without a span.", {pipeline_word, span_word}, {why}, run_span_drop},
      {"span restore", "Takes the drop or rejection of a span back.", {pipeline_word, span_word},
       {why}, run_span_restore},
  };
}

std::vector<Verb> redo_verbs() {
  return {
      {"backfill", "Works spans through again, behind all fresh work.",
       {{Count::optional, "PIPELINE", "a pipeline's name"}},
       {{"spans", "SPANS", "2013-01..2013-06, 2013-01, \"last 3\", new or all"},
        {"reprocess", "WHICH", "of spans that are done: none (if left out), failed or all"},
        {"order", "ORDER", "oldest first (if left out) or newest"},
        {"max-active", "N", "so many runs at the same time, 1 if left out"},
        {"chunk", "N", "so many spans a run, 1 if left out"},
        {"source", "NAME", "whose spans, if the pipeline works on several sources"},
        {"dry-run", nullptr, "tell what would run and why; start nothing"},
        select_flag, param, force, why}, run_backfill},
      {"backfill list", "Lists backfills, newest first.", {}, {only_pipeline, limit},
       run_backfill_list},
      {"backfill cancel", "Ends a backfill and its runs.",
       {{Count::one, "ID", "a backfill's number"}}, {why}, run_backfill_cancel},
      {"invalidate", "Declares results bad: they are never used again.",
       {{Count::one, "WHAT", "a key, or a step: STEP or STEP/ELEMENT with --pipeline"}},
       {{"pipeline", "NAME", "the pipeline of the step"},
        {"below", nullptr, "also all that was made from them"},
        {"dry-run", nullptr, "list them and what hangs on them; change nothing"}, why},
       run_invalidate},
  };
}

std::vector<Verb> artifact_verbs() {
  return {
      {"artifacts", "Lists artifacts, newest first.", {},
       {{"type", "TYPE", "only of this type, for example model/1"}, limit}, run_artifacts},
      {"artifact show", "An artifact's files and where it stood.", {digest_word}, {},
       run_artifact_show},
      {"artifact export", "Writes an artifact's files into a new folder, every byte verified.",
       {digest_word, {Count::one, "FOLDER", "a folder that does not exist yet"}}, {},
       run_artifact_export},
      {"artifact head", "The first lines of an artifact's texts, or the first rows of a table.",
       {artifact_word, port_word},
       {{"file", "PATH", "only this file"}, {"lines", "N", "so many, 10 if left out"}},
       run_artifact_head},
      {"artifact sql", "One SELECT over an artifact, which the query calls data.",
       {artifact_word, port_word, {Count::optional, "QUERY", "the query, one word for the shell"}},
       {{"lines", "N", "at most so many rows, 100 if left out"}}, run_artifact_sql},
      {"artifact diff", "What differs between two tables: columns, rows, statistics.",
       {{Count::one, "ARTIFACT", "the first table's digest, or its unique beginning"},
        {Count::one, "OTHER", "the second's"}},
       {{"key", "COLUMNS", "columns that name a row, with commas; else rows are compared whole"},
        {"lines", "N", "at most so many rows that differ, 10 if left out"}}, run_artifact_diff},
      {"lineage", "All that something was made from, or that was made from it.",
       {{Count::one, "WHAT", "a digest, SOURCE/SPAN, PIPELINE/SOURCE/SPAN, or a delivered file's path"}},
       {{"down", nullptr, "what was made from it, instead of what it was made from"},
        {"type", "TYPE", "only artifacts of this type, for example model/1"}}, run_lineage},
  };
}

std::vector<Verb> file_verbs() {
  const Flag json = {"json", nullptr, "the same as --output json"};
  const Flag label = {"label", "COLUMN", "the column that is to be predicted"};
  const Flag schema = {"schema", "SCHEMA", "the schema's file"};
  const Positional table_word = {Count::one, "FILE", "a table, as for `stats show`"};
  const Flag weight = {"weight", "COLUMN", "a column that says how much each row counts"};
  const Flag slice = {"slice", "COLUMNS", "also for each value of this column, or of several with commas; may be repeated",
                      true};
  const Flag where = {"where", "NAME=CONDITION", "also for the rows where this SQL holds and where not; may be repeated",
                      true};
  const Flag html = {"html", "PAGE", "writes a page that needs nothing else into this file as well"};
  return {
      {"stats show", "Describes a table in a file; asks no daemon.",
       {{Count::one, "FILE", "CSV, TSV, JSON lines, Parquet or Arrow, a folder of them, a "
         "statistics.json, or a .pb of TFDV"}},
       {label, weight, slice, where, html, json}, run_stats_show},
      {"stats compare", "What differs between two tables in files; asks no daemon.",
       {{Count::one, "A", "the table before, as for `stats show`"},
        {Count::one, "B", "the table now"}}, {html, json}, run_stats_compare},
      {"stats export", "Writes statistics as the file that TFDV and Facets read; asks no daemon.",
       {{Count::one, "FILE", "a table, as for `stats show`"}, {Count::one, "OUT", "the file, FeatureStats.pb"}},
       {label, weight, slice, where}, run_stats_export},
      {"schema infer", "Proposes a schema for a table in a file; asks no daemon.", {table_word},
       {label, json}, run_schema_infer},
      {"schema check", "Judges a table in a file by a schema; ends with 3 if it would halt.",
       {table_word}, {schema, {"environment", "NAME", "only columns of this environment are expected"},
                      label, json}, run_schema_check},
      {"schema diff", "What a table in a file would change in a schema, as a patch.", {table_word},
       {schema, label, json}, run_schema_diff},
      {"schema amend", "Makes chosen changes of `schema diff` in the schema's file.", {table_word},
       {schema, {"apply", "NAME", "a change, feature.NAME for all of a column, or all", true}, label,
        json}, run_schema_amend},
  };
}

std::vector<Verb> model_verbs() {
  const Positional name = {Count::one, "NAME", "a model's name"};
  const Flag json = {"json", nullptr, "the same as --output json"};
  const Positional asked = {Count::one, "NAME", "a model's name, or a folder with a model.json"};
  const Positional version = {Count::one, "VERSION", "a number, an alias or `newest`"};
  const Positional or_newest = {Count::optional, "VERSION", "a number or an alias; else the newest"};
  const Positional alias = {Count::one, "ALIAS", "for example champion"};
  return {
      {"model list", "Registered models, or the versions of one, highest first.",
       {{Count::optional, "NAME", "a model's name"}}, {limit}, run_model_list},
      {"model show", "Everything that is recorded of a version.", {name, or_newest}, {},
       run_model_show},
      {"model history", "Who pointed what where and when, newest first.", {name},
       {{"at", "TIME", "as it stood then: 2026-10-03 or 2026-10-03T12:00:00Z"}},
       run_model_history},
      {"model alias", "Points an alias at a version; without one the alias goes.",
       {name, alias, {Count::optional, "VERSION", "a number such as 1.4.2"}}, {why},
       run_model_alias},
      {"model rollback", "Points an alias back to where it was before.",
       {name, {Count::optional, "ALIAS", "champion if left out"}}, {why}, run_model_rollback},
      {"model tag", "Puts a tag on a version; KEY= takes it away.",
       {name, version, {Count::one, "KEY=VALUE", "for example market=eu"}}, {why}, run_model_tag},
      {"model note", "Writes something about a version, for people.",
       {name, version, {Count::one, "TEXT", "what is to be said"}}, {}, run_model_note},
      {"model diff", "What differs between two versions: metrics, importance, signature, recipe, data.",
       {name, {Count::one, "A", "a number or an alias"}, {Count::one, "B", "another one"}}, {},
       run_model_diff},
      {"model card", "A version on one HTML page that needs nothing else.", {name, or_newest},
       {{"to", "FILE", "write it there rather than to the terminal"}}, run_model_card},
      {"model whatif", "What a model makes of a row, why, and what would flip its decision.",
       {asked, or_newest},
       {{"row", "ROW", "{\"humid\": 80, …}, a file with that, or the number of a row"},
        {"data", "FILE", "the table that the number is of; else the version's golden rows"},
        {"set", "K=V", "score it with this value too; K= takes the value away", true},
        {"threshold", "SCORE", "from which score on the decision is true"}, json},
       run_model_whatif},
      {"model verify", "Scores a version's golden rows again; ends with 3 if one scores otherwise.",
       {name, or_newest}, {json}, run_model_verify},
      {"model export", "Writes a model as a folder that MLflow loads and scores.",
       {asked, or_newest}, {{"to", "FOLDER", "a folder that is not there yet"}}, run_model_export},
  };
}

std::vector<Verb> access_verbs() {
  const Positional token_word = {Count::one, "NAME", "a token's name"};
  return {
      {"token create", "Makes a token for the daemon's port and shows it this once.", {},
       {{"name", "NAME", "what the token is called; stands beside decisions"},
        {"role", "ROLE", "viewer, operator, reviewer or admin"},
        {"expires", "DURATION", "good for so long (30d, 12h); for ever if left out"}},
       run_token_create},
      {"token list", "Lists tokens and whether they are still good.", {}, {}, run_token_list},
      {"token revoke", "Makes a token good no more, at once.", {token_word}, {}, run_token_revoke},
      {"audit", "Who did what from where, newest first.", {},
       {{"who", "NAME", "only by this one"}, limit,
        {"verify", nullptr, "follow the chain of the whole log instead"}}, run_audit},
      {"reload", "Reads configuration and plugins again.", {}, {}, run_reload},
  };
}

std::vector<Verb> keeping_verbs() {
  return {
      {"fsck", "Looks at every invariant of records and bytes; ends with 1 if one is violated.", {},
       {{"deep", nullptr, "read every byte"},
        {"secrets", "FILE", "a file of texts, one a line, that may stand nowhere"}},
       run_fsck},
      {"scrub", "Reads all stored bytes again and sets apart what is wrong.", {}, {}, run_scrub},
      {"gc", "Removes what is past its time and what nothing needs.", {},
       {{"dry-run", nullptr, "tell what would go, remove nothing"}}, run_gc},
      {"backup", "Copies records and objects into a new folder while the daemon works.",
       {{Count::one, "FOLDER", "new or empty, on the daemon's machine"}}, {}, run_backup},
      {"pins", "What is kept whatever its age.", {}, {}, run_pins},
      {"artifact pin", "Keeps an artifact whatever its age.", {digest_word}, {why},
       run_artifact_pin},
      {"artifact unpin", "Ends the pin of an artifact.", {digest_word}, {}, run_artifact_unpin},
      {"pin", "Keeps a run and all that it made, whatever its age.", {run_word}, {why},
       run_pin},
      {"unpin", "Ends the pin of a run.", {run_word}, {}, run_unpin},
  };
}

std::vector<Verb> machine_verbs() {
  return {
      {"sources", "Sources as their watchers see them.", {}, {only_pipeline}, run_sources},
      {"operators", "Operators, and plugins that could not be read.",
       {{Count::optional, "OPERATOR", "one with its ports and parameters"}}, {}, run_operators},
      {"operators new", "Writes a plugin that builds and runs, to be changed.",
       {{Count::one, "NAME", "the plugin's name"},
        {Count::optional, "FOLDER", "where; a folder of that name if left out"}}, {},
       run_operators_new},
      {"doctor", "What this machine gives and lacks.", {}, {}, run_doctor},
      {"next", "When a schedule is due next; asks no daemon.",
       {{Count::one, "EXPR", "a cron expression, @daily and the like, or @every 15m"}},
       {{"zone", "ZONE", "the time zone, for example Europe/Berlin; UTC if left out"},
        {"from", "TIME", "after this time; now if left out"},
        {"count", "N", "so many (-n), 5 if left out"}}, run_next},
      {"version", "The versions of pipectl and the daemon.", {}, {}, run_version},
      {"completions", "Prints a completion script.",
       {{Count::one, "SHELL", "bash, zsh or fish"}}, {}, run_completions},
  };
}

}  // namespace

const std::vector<Verb>& verbs() {
  static const std::vector<Verb> table = [] {
    std::vector<Verb> all;
    for (auto part : {pipeline_verbs, run_verbs, decision_verbs, redo_verbs, artifact_verbs, file_verbs,
                      model_verbs, keeping_verbs, access_verbs, machine_verbs}) {
      for (Verb& verb : part()) all.push_back(std::move(verb));
    }
    return all;
  }();
  return table;
}

std::vector<Flag> common_flags() {
  return {{"output", "FORMAT", "table, wide, json or yaml"},
          {"quiet", nullptr, "no remarks and no titles"},
          {"socket", "PATH", "the daemon's socket; else PIPELINED_SOCKET"},
          {"url", "URL", "the daemon's address instead; else PIPELINED_URL"},
          {"token-file", "FILE", "the token for it; else PIPELINED_TOKEN_FILE or PIPELINED_TOKEN"}};
}

std::string usage_of(const Verb& verb) {
  std::string usage = verb.name;
  for (const Positional& positional : verb.positionals) {
    const std::string name = positional.name;
    usage += positional.count == Count::one ? " " + name : " [" + name + "]";
    if (positional.count == Count::many) usage += "…";
  }
  for (const Flag& flag : verb.flags) {
    usage += " [--" + std::string(flag.name);
    if (flag.default_value != nullptr) {
      usage += "[=" + std::string(flag.value_name) + "]";
    } else if (flag.value_name != nullptr) {
      usage += " " + std::string(flag.value_name);
    }
    usage += flag.many ? "]…" : "]";
  }
  return usage;
}

std::string Arguments::text(std::string_view name, const std::string& fallback) const {
  const auto found = given.find(name);
  return found == given.end() || found->second.empty() ? fallback : found->second.back();
}

std::vector<std::string> Arguments::list(std::string_view name) const {
  const auto found = given.find(name);
  return found == given.end() ? std::vector<std::string>() : found->second;
}

}  // namespace pipelined::cli
