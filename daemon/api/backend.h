// What the HTTP interface needs from the daemon behind it.
//
// The server (daemon/api/server.h) turns requests into calls of this interface and its answers into
// JSON; the application implements it over the supervisor, the store and the watchers, tests over a
// fake.  Nothing here knows HTTP, sockets or JSON.  All calls and all callbacks are on the loop
// thread; a callback comes at most once, never inside the call that asked for it, and may come after
// the connection that asked is gone.  References that a call returns hold until the next loop turn.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dag/digest.h"
#include "dag/engine.h"
#include "dag/explain.h"
#include "dag/pipeline.h"
#include "dag/records.h"
#include "dag/result.h"
#include "dag/spec.h"
#include "daemon/artifacts/artifacts.h"
#include "daemon/keeping/keeping.h"
#include "daemon/store/views.h"

namespace pipelined {

/// What the engine answered to a request, once it is durable.
struct RequestOutcome {
  RunNumber run = 0;      ///< the run that was made or touched; 0: none
  std::string sentence;
};

/// A pipeline with its files, as a client uploads it.
struct PipelineUpload {
  std::string folder;     ///< absolute; relative source paths start here
  std::string file;       ///< what the pipeline file is called where it lies, for diagnostics
  BundleFiles files;      ///< a bundle (dag/bundle.h): `pipeline.toml` and the files that it names
  std::string who;
};

/// What became of an upload.  With an error among the diagnostics nothing was changed.
struct ApplyOutcome {
  std::vector<Diagnostic> diagnostics;
  std::string pipeline;
  Digest version;         ///< zero when refused
  bool changed = false;   ///< false: that version was in force already
};

/// Operators that plugins declare, and the plugins that could not be read.
struct OperatorListing {
  const OperatorSet* operators = nullptr;
  std::vector<std::string> problems;
};

/// A source as its watcher sees it.
struct SourceState {
  std::string pipeline, source, kind;
  std::string folder, pattern;             ///< absolute folder, name pattern in it
  std::string trouble;                     ///< a sentence; empty: all is well
  std::vector<std::string> settling;       ///< paths that have not settled yet
  std::int64_t arrivals = 0;               ///< recorded ones
  std::string newest_span;
  TimeMs newest_at = 0;
};

/// One thing that this machine gives or does not give.
struct DoctorLine {
  std::string name;       ///< "landlock"
  std::string level;      ///< ok, warning or missing
  std::string value;      ///< "ABI 4"
  std::string advice;     ///< what to do about it; empty: nothing
};

/// Figures for /metrics and `status`; names of counters are Prometheus names without prefix.
struct DaemonFigures {
  std::string version;                     ///< of the daemon
  TimeMs started_at = 0;
  bool ready = false;                      ///< recovered, and the store takes writes
  std::string read_only;                   ///< why only reads are answered; empty: they are not
  std::map<RunState, std::int64_t> open_runs;
  std::int64_t live_attempts = 0, outbox_waiting = 0;
  std::vector<std::pair<std::string, double>> counters;   ///< "turns_total", "watch_overflows_total"
  std::vector<std::pair<std::string, double>> gauges;
};

/// Something that a listener may want to know at once.
struct BackendEvent {
  enum class Kind { run, alert, pipeline, source } kind = Kind::run;
  std::string pipeline;
  RunNumber run = 0;      ///< of run and alert
  std::string state;      ///< of run: its state's word
  std::string sentence;   ///< of alert, pipeline, source
};

/// Who stands behind what is asked, for the audit log; made once a request that changes something.
struct RequestOrigin {
  std::string who, role, from;
  std::string action;       ///< "POST /api/v1/runs/{run}/accept"
  std::string subject;      ///< the path as it was asked for
  Digest body;              ///< of the body; zero: there was none
  bool recorded = false;    ///< it stands in the audit log already
};
using OriginPointer = std::shared_ptr<RequestOrigin>;

/// A wish for a token.
struct TokenWish {
  std::string name, role, who;
  std::int64_t expires_in_ms = 0;   ///< 0: never
};

/// What became of reading the configuration and the plugins again.
struct ReloadOutcome {
  std::vector<std::string> changed;        ///< keys that took effect
  std::vector<std::string> needs_restart;  ///< keys that differ and take effect at the next start
  std::vector<std::string> plugins;        ///< sentences about plugins that changed
  std::vector<std::string> problems;       ///< why nothing was taken; empty: it was
};

/// A step to be tried: nothing is put in force and nothing is recorded.
struct Trial {
  PipelineUpload upload;
  std::string step, element;
  double sample = 0;      ///< this share of the rows of tables; 0: all
  ValueTable params;
};

/// A file that a tried step wrote; `text` only of small plain ones.
struct TrialFile {
  std::string port, path;
  std::int64_t size = 0;
  std::string text;
};

/// What became of a trial.
struct TrialOutcome {
  std::vector<Diagnostic> diagnostics;  ///< of the pipeline; with an error nothing was tried
  std::string element;
  Outcome outcome = Outcome::ok;
  std::string error;
  RunNumber from_run = 0;  ///< the run whose recorded result is the same; 0: it was tried
  std::int64_t took_ms = 0, cpu_ms = 0, memory_peak_bytes = 0;
  std::vector<Binding> inputs;
  std::vector<TrialFile> outputs;
  std::vector<MetricFact> metrics;
  Value notes;
  std::string log;
};

class Backend {
 public:
  virtual ~Backend() = default;

  /// Until the next call everything that changes something is asked by this one; null: by nobody
  /// that the audit log needs to know.
  virtual void set_origin(OriginPointer origin) { (void)origin; }
  /// The request was answered so.  Records what was not recorded with its effect.
  virtual void end_request(const OriginPointer& origin, const std::string& outcome) {
    (void)origin, (void)outcome;
  }

  /// Makes a token; its text is shown this once.
  virtual Result<std::string> create_token(const TokenWish& wish);
  virtual Result<void> revoke_token(const std::string& name, const std::string& who);
  /// Reads configuration and plugins again.
  virtual Result<ReloadOutcome> reload();
  /// The value of a secret of the configuration; read anew each time.
  virtual Result<std::string> secret(const std::string& name);
  /// Sends a test message to a sink; `done` gets what the receiver said.
  virtual void test_sink(const std::string& name, std::function<void(Result<std::string>)> done);

  using Answer = std::function<void(Result<RequestOutcome>)>;
  /// Gives one of the *Requested events to the engine; the backend sets `request`.  `done` comes
  /// after the commit.
  virtual void submit(Event event, Answer done) = 0;

  /// Checks the upload, stores its bundle and puts it in force.  An error means that it could not be
  /// tried (full disk); mistakes in the files are diagnostics.
  virtual void apply_pipeline(PipelineUpload upload,
                              std::function<void(Result<ApplyOutcome>)> done) = 0;
  /// Everything wrong with the upload; changes nothing.
  virtual std::vector<Diagnostic> check(const PipelineUpload& upload) = 0;
  virtual Result<std::vector<PlannedStep>> plan(const std::string& pipeline,
                                                const RunOptions& options) = 0;

  /// Which steps that data reach are stale.
  virtual Result<std::vector<StepFreshness>> freshness(const std::string& pipeline) = 0;
  /// What a step of an open run waits for; nothing if it does not wait.
  virtual std::optional<Reason> why_waiting(RunNumber run, const StepName& step) = 0;
  /// What moving the run to the version in force would keep, do anew and drop.
  virtual Result<std::vector<PlannedStep>> plan_migration(RunNumber run) = 0;
  virtual Result<std::vector<PlannedSpan>> plan_backfill(const BackfillRow& wish) = 0;
  /// The results that the wish names and what hangs on them.
  virtual Result<std::vector<Dependent>> dependents(const event::InvalidateRequested& wish) = 0;

  /// The version in force, or that very version of an open or finished run; nothing if unknown.
  virtual std::shared_ptr<const Pipeline> pipeline(const std::string& name) = 0;
  virtual std::shared_ptr<const Pipeline> pipeline_version(const Digest& version) = 0;

  /// Everything that is recorded; the server only reads (daemon/store/views.h).
  virtual Store& store() = 0;

  /// One file of a stored artifact for streaming; the server closes the descriptor.  Clients compare
  /// the digest of what they got with the manifest.
  virtual Result<OpenedFile> open_file(const Digest& artifact, const std::string& path) = 0;
  /// Runs one SELECT over one or two artifacts, called `data` and `other` in it, in a worker; the answer is the worker's
  /// JSON text, unread.
  virtual void query_artifacts(const std::vector<Digest>& artifacts, const std::string& query,
                               std::int64_t rows,
                               std::function<void(Result<std::string>)> done) = 0;
  /// Tries a step on recorded inputs in a worker.
  virtual void try_step(Trial trial, std::function<void(Result<TrialOutcome>)> done) = 0;
  /// Where the log of an attempt is or will be; the file may be absent and may grow.
  virtual std::string log_path(const std::string& attempt) = 0;

  virtual OperatorListing operators() = 0;
  virtual std::vector<SourceState> sources() = 0;
  virtual std::vector<DoctorLine> doctor() = 0;
  virtual DaemonFigures figures() = 0;
  /// Long work on the store, and pins.
  virtual Keeping& keeping() = 0;

  using Listener = std::function<void(const BackendEvent&)>;
  /// Calls `listener` at every change until it is unsubscribed.
  virtual std::uint64_t subscribe(Listener listener) = 0;
  virtual void unsubscribe(std::uint64_t subscription) = 0;
};

}  // namespace pipelined
