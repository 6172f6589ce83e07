// A state folder and a store folder with a little history, as a daemon leaves them.
//
// Every run has one step that reads a delivery and makes one artifact; texts are made from the run's
// number, so that each has its own bytes.  One thread: the test's.
#pragma once

#include <sys/stat.h>

#include <string>
#include <vector>

#include "daemon/keeping/fsck.h"
#include "daemon/keeping/keeper.h"
#include "tests/artifacts/artifacts_world.h"
#include "tests/store/store_world.h"

namespace pipelined {

class KeepingWorld {
 public:
  KeepingWorld() { open(); }

  void open() {
    auto options = options_in(state);
    store = *Store::open(options);
    ArtifactsOptions artifact_options;
    artifact_options.folder = store_folder();
    artifact_options.post = [this](std::function<void()> work) { loop.post(std::move(work)); };
    artifact_options.find_manifest = [this](const Digest& digest) {
      return store->find_manifest(digest);
    };
    artifacts = *Artifacts::open(artifact_options);
    store->set_objects(artifacts.get());
  }
  void close() {
    keeper.reset();
    if (store) store->set_objects(nullptr);
    artifacts.reset();
    store.reset();
  }
  ~KeepingWorld() { close(); }

  std::string store_folder() const { return state.file("store"); }

  /// Stores a text; it is recorded with the next commit.
  ArtifactRef put(const std::string& text, const std::string& type = "examples/1") {
    std::optional<Result<Manifest>> made;
    artifacts->put_text(type, "text", text, [&made](Result<Manifest> m) { made = std::move(m); });
    loop.run_until([&made] { return made.has_value(); });
    CHECK(made->has_value());
    return {(*made)->digest(), type, (*made)->size()};
  }

  /// A run that succeeded, with one delivery, one step, one result.
  RunNumber add_run(TimeMs at, const std::string& pipeline = "flights") {
    const RunNumber number = ++runs;
    const std::string text = "run " + std::to_string(number);
    const ArtifactRef input = put(text + " in", "files/1"), output = put(text + " out");
    RunRow run = run_row(number, pipeline);
    run.version = put("bundle of " + pipeline, "bundle/1").digest;
    run.state = RunState::succeeded;
    run.created_at = run.started_at = run.ended_at = at;
    run.created_seq = next_seq();
    ArrivalRow arrival{number, pipeline, "flights", std::to_string(number), 1, input, "/in", at,
                       number, next_seq()};
    SpanRow span;
    span.pipeline = pipeline, span.source = "flights", span.span = std::to_string(number);
    span.version = 1, span.arrival = number, span.artifact = input;
    span.state = SpanState::accepted, span.run = span.succeeded_run = number, span.at = at;
    span.seq = next_seq();
    ResultRow result = result_row(number, "ingest", std::to_string(number), text, next_seq());
    result.pipeline = pipeline, result.run = number, result.ended_at = at;
    result.attempt = attempt_of(number);
    result.inputs = {{"in", 0, input}}, result.outputs = {{"out", 0, output}};
    StepRow step = step_row(number, "ingest", std::to_string(number), StepState::succeeded,
                            next_seq());
    step.key = result.key, step.result = number, step.attempts = 1;
    step.started_at = step.ended_at = at;
    AttemptRow attempt;
    attempt.id = attempt_of(number);
    attempt.run = number, attempt.step = "ingest", attempt.element = std::to_string(number);
    attempt.number = 1, attempt.fence = sha256(text).hex().substr(0, 32);
    attempt.running = false, attempt.outcome = Outcome::ok;
    attempt.started_at = attempt.ended_at = at;
    CHECK(put_all(*store, run, arrival, span, result, step, attempt).has_value());
    return number;
  }

  static std::string attempt_of(RunNumber number) {
    std::string text = std::to_string(number);
    return "01J" + std::string(23 - text.size(), '0') + text;
  }
  ArtifactRef output_of(RunNumber number) { return store->find_result_by_id(number)->outputs[0].artifact; }
  /// Where the bytes of a stored text lie.
  std::string object_of(const std::string& text) const {
    const std::string hex = sha256(text).hex();
    return store_folder() + "/objects/" + hex.substr(0, 2) + "/" + hex.substr(2);
  }
  std::int64_t next_seq() { return ++seq; }

  /// All invariants, of the file itself.
  Report look(bool deep = false) {
    FsckOptions options;
    options.store = store_folder();
    options.deep = deep;
    options.live = LiveFacts{::getpid(), {}};
    return fsck(store->database(), options);
  }
  Keeper& make_keeper() {
    Keeper::Parts parts{*store, *artifacts, state.path(), store_folder(), nullptr, nullptr, nullptr, {}, 24, {}, nullptr};
    parts.scrubbing.days = scrub_days;
    parts.corrupt_found = [this](const Digest&, const std::string& sentence) {
      told.push_back(sentence);
    };
    parts.now = [this] { return now; };
    parts.post = [this](std::function<void()> work) { loop.post(std::move(work)); };
    parts.live = [] { return LiveFacts{::getpid(), {}}; };
    keeper = std::make_unique<Keeper>(std::move(parts));
    return *keeper;
  }
  /// Starts a job and waits for its end.
  Job work(JobOrder order) {
    if (!keeper) make_keeper();
    const auto number = keeper->start(std::move(order));
    if (!number) std::fprintf(stderr, "%s\n", number.error().message.c_str());
    CHECK(number.has_value());
    loop.run_until([&] { return keeper->find_job(*number)->ended(); });
    return *keeper->find_job(*number);
  }

  TestFolder state;
  TestLoop loop;
  std::unique_ptr<Store> store;
  std::unique_ptr<Artifacts> artifacts;
  std::unique_ptr<Keeper> keeper;
  TimeMs now = 1'800'000'000'000;
  RunNumber runs = 0;
  std::int64_t scrub_days = 0;
  std::vector<std::string> told;   ///< of corrupt artifacts
  std::int64_t seq = 0;
};

/// A row of a report by its name.
inline ReportRow row_of(const Report& report, const std::string& name) {
  for (const ReportRow& row : report) {
    if (row.name == name) return row;
  }
  return {};
}

/// Names of the violated rows, blanks between.
inline std::string violated(const Report& report) {
  std::string names;
  for (const ReportRow& row : report) {
    if (row.verdict == RowVerdict::violated) names += (names.empty() ? "" : " ") + row.name;
  }
  return names;
}

}  // namespace pipelined
