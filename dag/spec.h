// What a pipeline file says, as plain data.
//
// Filled by spec_toml from the text; read by check, by pipeline (which resolves names against
// operators and bundle files) and by nobody else.  Durations are milliseconds, sizes bytes.
// Every item remembers where it stood, for messages.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dag/value.h"

namespace pipelined {

/// A place in a text file, from 1; line 0: nowhere in particular.
struct SourcePosition {
  int line = 0, column = 0;
  bool operator==(const SourcePosition&) const = default;
};

/// One thing wrong with a pipeline file, for a person.
struct Diagnostic {
  std::string file;
  SourcePosition at;
  std::string message;
  bool warning = false;
};

/// Which spans: "all", "new", "last 9", "2013-01..2013-09".
struct SpanSelection {
  enum class Kind { all, only_new, last, range } kind = Kind::all;
  int count = 0;             ///< of last
  std::string first, last;   ///< of range, both included
};

/// A gate at which a person decides.
struct ReviewSpec {
  bool given = false;                    ///< the file says something of it
  bool required = false;
  bool automatic = false;                ///< "auto": what the step itself says decides, no person
  std::vector<std::string> who;          ///< names, or "group:NAME"; empty: whoever may decide
  std::int64_t expires_ms = 0;           ///< then it counts as rejected; 0: never
  std::int64_t remind_ms = 0;            ///< an alert each time; 0: none
  bool not_starter = false;              ///< nor the one who started the run
};

/// When a new span of a source is due.
struct ExpectSpec {
  std::string schedule;                  ///< empty: nothing is expected
  std::string timezone = "UTC";
  std::int64_t within_ms = 0;            ///< so much later is in time
  SourcePosition at;
};

/// What a source of kind "query" asks, and how often.
struct QuerySpec {
  std::string database;                  ///< sqlite (the file is `path`) or postgresql
  std::string secret;                    ///< of postgresql: its value is the connection string
  ValueTable params;                     ///< `query`, text or { file = … }, and `types`
  std::string watermark;                 ///< column; empty: the whole answer each time
  std::int64_t every_ms = 300'000;
  std::int64_t lag_ms = 0;               ///< so long a row may take from its value to its commit
  std::int64_t timeout_ms = 600'000;
};

struct SourceSpec {
  std::string name, kind = "files", path;  ///< path: relative to the pipeline file, with {YYYY} …
  QuerySpec query;
  std::string snapshot = "copy";
  std::string marker;                    ///< pattern of a file that says that a span is complete
  bool manifest = false;                 ///< and that lists the span's files
  std::int64_t settle_ms = 2000;
  ReviewSpec review;                     ///< of every arrival, before it counts
  ExpectSpec expect;
  SourcePosition at;
};

/// What starts runs; one of the kinds, whichever is not empty.
struct TriggerSpec {
  std::string name;                  ///< may be empty
  std::vector<std::string> arrival;  ///< source names
  bool all_of = false;               ///< wait for one new arrival of each, not of any
  std::int64_t coalesce_ms = 5000;   ///< quiet period; capped at ten times itself
  std::string schedule;              ///< as dag/cron.h reads it
  std::string timezone = "UTC";
  std::int64_t jitter_ms = 0;
  std::int64_t catch_up = 1;         ///< missed slots that are run later: none 0, latest 1, all(N) N
  std::string webhook;               ///< its name in the route
  std::string after;                 ///< "pipeline.step" or "pipeline.step.output"
  std::string alert;                 ///< "pipeline" or "pipeline.step", of which alerts
  ValueTable params;                 ///< other values for parameters of the pipeline
  SourcePosition at;
  /// What tells it apart in records: its name, else what fires it.
  std::string id() const;
};

/// What a parameter of the pipeline may be, beyond the kind of its default.
struct ParamRule {
  std::vector<Value> choices;        ///< empty: anything
  std::optional<double> least, most;
  SourcePosition at;
};

/// Where an input comes from.
struct InputSpec {
  enum class Kind {
    step,    ///< "join" or "validate.examples" or { of = "validate.examples", spans = … }
    each,    ///< "each": the element of the source itself
    source,  ///< { source = "weather" }: the newest version
    file,    ///< { file = "schema.toml" } of the bundle
    span,    ///< { of = "statistics", span = -1 }
    newest,  ///< { newest = "validate.examples" }
    latest,  ///< { latest = "train" }
    model,   ///< { model = "late@champion" }: a registered version
    results, ///< { results = "trial" }: of the elements that this step has generated so far
  } kind = Kind::step;
  std::string port;          ///< the input port that it feeds
  std::string step, output;  ///< of step, span, newest, latest; output empty: the only one (rule 1)
  std::string source, file;
  std::string model, version;  ///< of model; the version an alias or a number
  SpanSelection spans;       ///< of step
  int offset = 0;            ///< of span: -1, -2, …
  bool optional = false;
  SourcePosition at;
};

/// An output that the step itself declares (`out.copy = "files/1"`).
struct OutputSpec {
  std::string port, type;
  bool evidence = false, optional = false;
  SourcePosition at;
};

struct ForeachSpec {
  std::string of;            ///< a step name, or a source name when `is_source`
  bool is_source = false;
  SpanSelection spans;       ///< of a source
  SourcePosition at;
};

struct RetrySpec {
  std::int64_t max = 0;                  ///< extra tries
  std::int64_t backoff_ms = 1000;        ///< of the first, doubled each time, full jitter
  std::int64_t backoff_max_ms = 300000;
  std::int64_t max_time_ms = 0;          ///< from the first try's start to the last one's; 0: any
};

/// What an attempt may use; limits, not wishes.  0: no limit stated.
struct ResourceSpec {
  double cpus = 0;
  std::int64_t memory_bytes = 0, scratch_bytes = 0, gpus = 0;
  double memory_grow = 1;                ///< factor from one try to the next
  std::int64_t memory_max_bytes = 0;     ///< it grows no further; 0: no bound
};

/// Steps that share a limit and a priority.
struct GroupSpec {
  std::string name, description;
  std::int64_t max_parallel = 0;         ///< of all its steps in a run; 0: as many as fit
  std::int64_t priority = 0;             ///< added to that of its steps
  SourcePosition at;
};

inline constexpr std::int64_t generated_most = 100'000;  ///< elements of one step

/// A step that names elements while it runs: `foreach` of it makes one element each.
struct GeneratesSpec {
  std::int64_t max = 0;                  ///< so many at most, over all rounds
  std::int64_t failures = 0;             ///< so many may fail without failing the run
  std::int64_t time_ms = 0;              ///< no round begins later than this; 0: no limit
  ValueTable values;                     ///< what `${each.x}` is where an element does not say
  SourcePosition at;
};

struct StepSpec {
  std::string name, operator_id, description;
  std::vector<InputSpec> inputs;         ///< sorted by port
  std::vector<OutputSpec> outputs;       ///< sorted by port
  ValueTable params;                     ///< `${x}` and { file = … } not yet replaced
  std::vector<std::string> after, tags;
  std::vector<std::string> secrets;      ///< names of the configuration; values are never here
  std::vector<std::string> requests;     ///< kinds of requests that it may make
  std::optional<ForeachSpec> foreach;
  std::optional<GeneratesSpec> generates;
  std::int64_t max_parallel = 0;         ///< 0: as many as fit
  std::string when;                      ///< condition text; empty: always
  std::string run_on = "success";        ///< success failure always
  RetrySpec retry;
  std::int64_t timeout_ms = 0;           ///< execution; 0: none
  std::int64_t timeout_queue_ms = 0, timeout_progress_ms = 0;
  ResourceSpec resources;
  bool resources_given = false;
  std::string pool, group, executor = "local";
  std::int64_t pool_slots = 1;
  std::int64_t priority = 0;
  ReviewSpec review;
  bool cache = true;
  std::int64_t seed = 0;
  std::string salt;
  SourcePosition at;
  /// Where each parameter stood, by dotted name, for messages.
  std::vector<std::pair<std::string, SourcePosition>> param_positions;
  /// Where each key of the step stood ("operator", "when"), for messages.
  std::vector<std::pair<std::string, SourcePosition>> key_positions;
};

struct RunPolicySpec {
  std::int64_t max_active = 1;
  std::string overlap = "queue";         ///< queue skip cancel_previous coalesce
  std::int64_t deadline_ms = 0, priority = 0;
  double deadline_usual = 0;             ///< so many times the usual duration; 0: `deadline_ms`
  std::int64_t pause_after_failures = 0; ///< runs that failed in a row; 0: never
};

struct PipelineSpec {
  std::string name, description, owner;
  ValueTable params;
  std::map<std::string, ParamRule, std::less<>> param_rules;  ///< of those that have one
  std::vector<SourceSpec> sources;       ///< in file order
  std::vector<TriggerSpec> triggers;
  std::vector<GroupSpec> groups;         ///< in file order
  std::vector<StepSpec> steps;           ///< in file order
  RunPolicySpec run;
  /// Where `name` and each of [params] stood ("name", "params.depth"), for messages.
  std::vector<std::pair<std::string, SourcePosition>> key_positions;

  const SourceSpec* source(std::string_view source_name) const {
    for (const SourceSpec& s : sources) {
      if (s.name == source_name) return &s;
    }
    return nullptr;
  }
  const GroupSpec* group(std::string_view group_name) const {
    for (const GroupSpec& g : groups) {
      if (g.name == group_name) return &g;
    }
    return nullptr;
  }
  const StepSpec* step(std::string_view step_name) const {
    for (const StepSpec& s : steps) {
      if (s.name == step_name) return &s;
    }
    return nullptr;
  }
};

}  // namespace pipelined
