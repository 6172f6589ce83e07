// A folder for one test, full rows to put, and the fields of a row as one comparable value.
//
// Knows nothing of what a test wants to show.  One thread.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <string>
#include <tuple>

#include "daemon/store/store.h"
#include "dag/records.h"

namespace pipelined {

/// A temporary folder that goes away with the test.
class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "pipelined-XXXXXX").string();
    CHECK(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  std::string file(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// The usual options: one sink, no ballast.
inline StoreOptions options_in(const TestFolder& folder) {
  StoreOptions options;
  options.path = folder.file("state.db");
  options.sinks = {{"hook", "webhook", "http://receiver/alerts"}};
  options.product_version = "test";
  options.ballast_bytes = 0;
  return options;
}

/// Opens the store of a folder.
inline std::unique_ptr<Store> open_in(const TestFolder& folder) {
  auto store = Store::open(options_in(folder));
  if (!store) std::fprintf(stderr, "%s\n", store.error().message.c_str());
  CHECK(store.has_value());
  return *std::move(store);
}

/// Puts all rows in one turn.
template <class... Rows>
Result<void> put_all(Store& store, const Rows&... rows) {
  TRY_VOID(store.begin());
  (store.put(rows), ...);
  return store.commit();
}

inline ArtifactRef artifact(const std::string& name, const std::string& type = "examples/1") {
  return {sha256(name), type, 100};
}

inline RunRow run_row(RunNumber number, const std::string& pipeline = "flights") {
  RunRow run;
  run.number = number;
  run.pipeline = pipeline;
  run.version = sha256("version");
  run.state = RunState::running;
  run.reason = {"arrival", "arrival flights 2013-10", {{"flights", "", "2013-10"}}};
  run.horizon = 11;
  run.created_seq = number * 1000;
  run.who = "arrival";
  run.created_at = 1700000000000 + number;
  return run;
}

inline StepRow step_row(RunNumber run, const std::string& step, const std::string& element,
                        StepState state, std::int64_t seq) {
  StepRow row;
  row.run = run;
  row.step = step;
  row.element = element;
  row.state = state;
  row.seq = seq;
  row.reason = {"same_inputs", "same inputs as run 1", {}};
  return row;
}

inline ResultRow result_row(std::int64_t id, const std::string& step, const std::string& element,
                            const std::string& key, std::int64_t seq) {
  ResultRow row;
  row.id = id;
  row.key = sha256(key);
  row.key_text = "operator " + step + " 1\n";
  row.pipeline = "flights";
  row.run = 1;
  row.step = step;
  row.element = element;
  row.attempt = "01J" + std::to_string(id);
  row.ended_at = 1700000000000 + id;
  row.seq = seq;
  return row;
}

inline auto fields(const PipelineRow& r) {
  return std::tie(r.name, r.version, r.applied_at, r.folder, r.current, r.paused, r.seq);
}
inline auto fields(const ArrivalRow& r) {
  return std::tie(r.number, r.pipeline, r.source, r.span, r.version, r.artifact, r.path, r.at,
                  r.run, r.seq);
}
inline auto fields(const SpanRow& r) {
  return std::tie(r.pipeline, r.source, r.span, r.version, r.arrival, r.artifact, r.state, r.why,
                  r.who, r.definition, r.run, r.succeeded_run, r.at, r.seq);
}
inline auto fields(const RunRow& r) {
  return std::tie(r.number, r.pipeline, r.version, r.state, r.reason, r.end_reason, r.options,
                  r.horizon, r.created_seq, r.spans, r.who, r.created_at, r.started_at, r.ended_at);
}
inline auto fields(const StepRow& r) {
  return std::tie(r.run, r.step, r.element, r.state, r.key, r.result, r.tries, r.faults, r.attempts,
                  r.next_try_at, r.reason, r.started_at, r.ended_at, r.at, r.seq);
}
inline auto fields(const AttemptRow& r) {
  return std::tie(r.id, r.run, r.step, r.element, r.number, r.fence, r.running, r.outcome,
                  r.machine_fault, r.error, r.queued_at, r.started_at, r.ended_at, r.cpu_ms,
                  r.memory_peak_bytes, r.scratch_bytes, r.failure_class);
}
inline auto fields(const ResultRow& r) {
  return std::tie(r.id, r.key, r.key_text, r.halt, r.pipeline, r.run, r.step, r.element, r.attempt,
                  r.inputs, r.outputs, r.metrics, r.notes, r.verdict, r.started_at, r.ended_at,
                  r.seq);
}
inline auto fields(const AcceptanceRow& r) {
  return std::tie(r.key, r.rejected, r.who, r.why, r.run, r.step, r.element, r.at, r.seq);
}
inline auto fields(const ResolutionRow& r) {
  return std::tie(r.scope, r.run, r.answer, r.origin, r.seq);
}
inline auto fields(const AlertRow& r) {
  return std::tie(r.id, r.pipeline, r.subject, r.severity, r.sentence, r.run, r.step, r.element,
                  r.evidence, r.at, r.seq);
}
inline auto fields(const DecisionRow& r) {
  return std::tie(r.kind, r.pipeline, r.subject, r.who, r.why, r.run, r.at, r.seq);
}

}  // namespace pipelined
