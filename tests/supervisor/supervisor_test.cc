#include "daemon/exec/supervisor.h"

#include <catch2/catch.hpp>

#include "tests/supervisor/fakes.h"
#include "tests/supervisor/scripted_engine.h"

namespace pipelined {
namespace testing {
Script* script = nullptr;
}

struct Engine::State {
  State() {
    ++testing::script->engines_made;
    ++testing::script->engines_alive;
  }
  ~State() {
    if (testing::script) --testing::script->engines_alive;
  }
};
Engine::Engine(Ledger&, std::uint64_t) : state_(std::make_unique<State>()) {}
Engine::~Engine() = default;
void Engine::recover(const Recovered& found,
                     const std::vector<std::shared_ptr<const Pipeline>>& pipelines, Instant,
                     std::vector<Effect>& effects) {
  testing::script->pipelines.push_back(pipelines.size());
  if (testing::script->on_recover) testing::script->on_recover(found, effects);
}
void Engine::apply(const Event& event, Instant, std::vector<Effect>& effects) {
  testing::script->applied.push_back(event);
  if (testing::script->on_apply) testing::script->on_apply(event, effects);
}
std::optional<std::int64_t> Engine::next_timer() const { return testing::script->timer; }
std::size_t Engine::live_attempts() const { return 0; }
void Engine::plant(PlantedBug) {}
void Engine::use_zones(ZoneSource&) {}

namespace {

using testing::FakeArtifacts;
using testing::FakeClock;
using testing::FakeExecutor;
using testing::FakeLedger;
using testing::Script;

const Error full{ErrorCode::exhausted, "the disk of the state folder is full"};

/// A run request makes the engine start one attempt named by the pipeline, and answers.
struct Fixture {
  Fixture() {
    testing::script = &script;
    script.on_apply = [this](const Event& event, std::vector<Effect>& effects) {
      if (const auto* asked = std::get_if<event::RunRequested>(&event)) {
        effects.push_back(start_of(asked->pipeline));
        effects.push_back(effect::Reply{asked->request, {}, 7, "run 7"});
      }
      if (const auto* cancel = std::get_if<event::CancelRequested>(&event)) {
        effects.push_back(effect::KillAttempt{cancel->who, 500, cancel->why});
      }
    };
  }
  ~Fixture() { testing::script = nullptr; }

  static effect::StartAttempt start_of(const std::string& name) {
    effect::StartAttempt start;
    start.attempt = name;
    start.fence = "fence-" + name;
    start.outputs = {{"model", "model/1", false, false, {}}, {"log", "report/1", true, true, {}}};
    return start;
  }
  static AttemptReport report_of(const std::string& name, Outcome outcome = Outcome::ok) {
    AttemptReport report;
    report.attempt = name;
    report.fence = "fence-" + name;
    report.outcome = outcome;
    report.outputs = {"model", "examples"};
    return report;
  }
  Supervisor::Callbacks callbacks() {
    Supervisor::Callbacks calls;
    calls.reply = [this](const effect::Reply& reply) { replies.push_back(reply); };
    calls.wake = [this](std::optional<std::int64_t> at) { wake = at; };
    calls.post_turn = [this] { ++turns_asked; };
    calls.entropy = [this] { return ++entropy; };
    calls.load_pipeline = [this](const std::string& name, const Digest&)
        -> Result<std::shared_ptr<const Pipeline>> {
      if (name == lost_pipeline) return Error{ErrorCode::not_found, "its bundle is gone"};
      return std::shared_ptr<const Pipeline>(std::make_shared<Pipeline>());
    };
    calls.sources_changed = [this] { ++sources_changed; };
    calls.trouble = [this](const std::optional<Error>& error) { troubles.push_back(error); };
    return calls;
  }
  void run(const std::string& name, RequestId request = 1) {
    supervisor.post(event::RunRequested{request, name, {}, "ann"});
    supervisor.turn();
  }
  /// Brings an attempt to where its worker runs.
  void run_until_started(const std::string& name) {
    run(name);
    artifacts.finish_prepare();
  }

  Script script;
  FakeClock clock;
  FakeLedger ledger;
  FakeArtifacts artifacts;
  FakeExecutor executor;
  std::vector<effect::Reply> replies;
  std::vector<std::optional<Error>> troubles;
  std::optional<std::int64_t> wake;
  std::string lost_pipeline;
  int turns_asked = 0, sources_changed = 0;
  std::uint64_t entropy = 0;
  Supervisor supervisor{clock, ledger, artifacts, executor, callbacks()};
};

}  // namespace

TEST_CASE_METHOD(Fixture, "supervisor: a turn takes all waiting events into one commit",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  const int committed = ledger.committed;
  for (int i = 0; i < 50; ++i) {
    supervisor.post(event::RunRequested{i + 1, "run" + std::to_string(i), {}, "ann"});
  }
  CHECK(turns_asked == 1);
  CHECK(replies.empty());
  supervisor.turn();
  CHECK(ledger.committed == committed + 1);
  CHECK(replies.size() == 50);
  CHECK(artifacts.preparing.size() == 50);
  CHECK(supervisor.live() == 50);
}

TEST_CASE_METHOD(Fixture, "supervisor: an attempt is prepared, run, promoted, told and discarded",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  REQUIRE(executor.started.size() == 1);
  CHECK(executor.started[0].folder == "/attempts/a");

  executor.on_ended(report_of("a"));
  REQUIRE(artifacts.promoting.size() == 1);
  REQUIRE(artifacts.promoting[0].outputs.size() == 1);  // what it did not name is not looked for
  CHECK(artifacts.promoting[0].outputs[0].port == "model");
  artifacts.finish_promote();
  CHECK(artifacts.discarded.empty());  // not before the end is recorded

  supervisor.turn();
  const auto ended = script.of<event::AttemptEnded>();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].outcome == Outcome::ok);
  REQUIRE(ended[0].outputs.size() == 1);
  CHECK(ended[0].outputs[0].artifact.digest == sha256("amodel"));
  CHECK(ended[0].passed == std::vector<std::string>{"examples"});
  CHECK(artifacts.discarded == std::vector<std::string>{"a"});
  CHECK(supervisor.live() == 0);
}

TEST_CASE_METHOD(Fixture, "supervisor: a halt delivers its outputs, a failure none",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  run_until_started("b");
  executor.on_ended(report_of("a", Outcome::halt));
  executor.on_ended(report_of("b", Outcome::failed));
  CHECK(artifacts.promoting.size() == 1);
  artifacts.finish_promote();
  supervisor.turn();
  const auto ended = script.of<event::AttemptEnded>();
  REQUIRE(ended.size() == 2);
  CHECK(ended[0].attempt == "b");
  CHECK(ended[0].outputs.empty());
  CHECK(ended[1].outcome == Outcome::halt);
  CHECK(ended[1].outputs.size() == 1);
}

TEST_CASE_METHOD(Fixture, "supervisor: a report with another fence is ignored", "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  AttemptReport stale = report_of("a");
  stale.fence = "fence-of-yesterday";
  executor.on_ended(stale);
  executor.on_ended(report_of("never-started"));
  supervisor.turn();
  CHECK(artifacts.promoting.empty());
  CHECK(script.of<event::AttemptEnded>().empty());
  CHECK(supervisor.counters().reports_ignored == 2);
  CHECK(supervisor.live() == 1);
}

TEST_CASE_METHOD(Fixture, "supervisor: a second report changes nothing", "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  executor.on_ended(report_of("a"));
  SECTION("while the outputs are promoted") {
    executor.on_ended(report_of("a", Outcome::failed));
    CHECK(artifacts.promoting.size() == 1);
    artifacts.finish_promote();
  }
  SECTION("while the end waits in the queue") {
    artifacts.finish_promote();
    executor.on_ended(report_of("a", Outcome::failed));
  }
  SECTION("after the end was recorded") {
    artifacts.finish_promote();
    supervisor.turn();
    executor.on_ended(report_of("a", Outcome::failed));
  }
  supervisor.turn();
  const auto ended = script.of<event::AttemptEnded>();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].outcome == Outcome::ok);
  CHECK(supervisor.counters().reports_ignored == 1);
}

TEST_CASE_METHOD(Fixture, "supervisor: a lost input fails the attempt and names the artifact",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run("a");
  artifacts.finish_prepare(Error{ErrorCode::corrupt, "artifact 7be1 has another digest"});
  supervisor.turn();
  const auto ended = script.of<event::AttemptEnded>();
  REQUIRE(ended.size() == 1);
  CHECK(ended[0].outcome == Outcome::failed);
  CHECK_FALSE(ended[0].retryable);
  CHECK(ended[0].error.find("7be1") != std::string::npos);
  CHECK(executor.started.empty());
  CHECK(artifacts.discarded == std::vector<std::string>{"a"});
}

TEST_CASE_METHOD(Fixture, "supervisor: other troubles of preparing are faults of the machine",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run("a");
  artifacts.finish_prepare(Error{ErrorCode::io, "mkdir failed"});
  supervisor.turn();
  REQUIRE(script.of<event::AttemptLost>().size() == 1);
  CHECK(script.of<event::AttemptLost>()[0].why.find("mkdir failed") != std::string::npos);
}

TEST_CASE_METHOD(Fixture, "supervisor: what the executor calls lost is lost", "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  AttemptReport report = report_of("a");
  report.lost = true;
  report.error = "its host was killed";
  executor.on_ended(report);
  supervisor.turn();
  CHECK(artifacts.promoting.empty());
  REQUIRE(script.of<event::AttemptLost>().size() == 1);
  CHECK(artifacts.discarded == std::vector<std::string>{"a"});
}

TEST_CASE_METHOD(Fixture, "supervisor: outputs wait while the disk is full", "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  executor.on_ended(report_of("a"));
  ledger.probe_error = full;
  artifacts.finish_promote(full);
  supervisor.turn();
  CHECK(script.of<event::OutputsHeld>().size() == 1);
  CHECK(script.of<event::AttemptEnded>().empty());
  CHECK(supervisor.held() == 1);
  REQUIRE(wake == clock.steady_ms + Supervisor::probe_interval_ms);

  clock.steady_ms = *wake;
  supervisor.turn();  // still full
  CHECK(artifacts.promoting.empty());
  REQUIRE(wake == clock.steady_ms + Supervisor::probe_interval_ms);

  ledger.probe_error.reset();
  clock.steady_ms = *wake;
  supervisor.turn();
  REQUIRE(artifacts.promoting.size() == 1);
  SECTION("and go on by themselves when there is space") {
    artifacts.finish_promote();
    supervisor.turn();
    REQUIRE(script.of<event::AttemptEnded>().size() == 1);
    CHECK(script.of<event::AttemptEnded>()[0].outcome == Outcome::ok);
    CHECK(supervisor.held() == 0);
    CHECK_FALSE(wake.has_value());
  }
  SECTION("and wait again without a second word when the store is still full") {
    artifacts.finish_promote(full);
    supervisor.turn();
    CHECK(script.of<event::OutputsHeld>().size() == 1);
    CHECK(supervisor.held() == 1);
    CHECK(wake.has_value());
  }
}

TEST_CASE_METHOD(Fixture, "supervisor: a folder that finds no space is made later",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run("a");
  artifacts.finish_prepare(full);
  supervisor.turn();
  CHECK(supervisor.held() == 1);
  clock.steady_ms = *wake;
  supervisor.turn();
  artifacts.finish_prepare();
  CHECK(executor.started.size() == 1);
}

TEST_CASE_METHOD(Fixture, "supervisor: a kill reaches an attempt wherever it is", "[supervisor]") {
  REQUIRE(supervisor.start({}));
  const auto cancel = [this](const std::string& attempt) {
    supervisor.post(event::CancelRequested{0, 7, attempt, "cancelled by ann"});
    supervisor.turn();
  };
  const auto cancelled = [this] {
    const auto ended = script.of<event::AttemptEnded>();
    return ended.size() == 1 && ended[0].outcome == Outcome::cancelled &&
           ended[0].error == "cancelled by ann";
  };
  SECTION("running: the executor is asked") {
    run_until_started("a");
    cancel("a");
    REQUIRE(executor.killed.size() == 1);
    CHECK(executor.killed[0].grace_ms == 500);
    executor.on_ended(report_of("a", Outcome::cancelled));
    supervisor.turn();
    CHECK(script.of<event::AttemptEnded>().size() == 1);
  }
  SECTION("preparing: it never starts") {
    run("a");
    cancel("a");
    artifacts.finish_prepare();
    supervisor.turn();
    CHECK(executor.started.empty());
    CHECK(cancelled());
  }
  SECTION("without a folder: it ends at once") {
    run("a");
    artifacts.finish_prepare(full);
    cancel("a");
    supervisor.turn();
    CHECK(cancelled());
  }
  SECTION("held: it ends at once") {
    run_until_started("a");
    executor.on_ended(report_of("a"));
    artifacts.finish_promote(full);
    cancel("a");
    supervisor.turn();
    CHECK(cancelled());
  }
  SECTION("promoting: what is done is done") {
    run_until_started("a");
    executor.on_ended(report_of("a"));
    cancel("a");
    artifacts.finish_promote();
    supervisor.turn();
    CHECK(script.of<event::AttemptEnded>()[0].outcome == Outcome::ok);
  }
  SECTION("promoting into a full disk: it does not wait") {
    run_until_started("a");
    executor.on_ended(report_of("a"));
    cancel("a");
    artifacts.finish_promote(full);
    supervisor.turn();
    CHECK(cancelled());
  }
  SECTION("unknown: nothing happens") {
    cancel("nobody");
    CHECK(executor.killed.empty());
  }
  CHECK(supervisor.live() == 0);
}

TEST_CASE_METHOD(Fixture, "supervisor: a killed attempt whose executor keeps silent is lost",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  supervisor.post(event::CancelRequested{0, 7, "a", "time is up"});
  supervisor.turn();
  REQUIRE(wake == clock.steady_ms + 500 + Supervisor::silence_after_kill_ms);
  clock.steady_ms = *wake - 1;
  supervisor.turn();
  CHECK(script.of<event::AttemptLost>().empty());
  clock.steady_ms += 1;
  supervisor.turn();
  CHECK(script.of<event::AttemptLost>().size() == 1);
  CHECK(supervisor.live() == 0);
}

TEST_CASE_METHOD(Fixture, "supervisor: a failed commit lets no effect out and builds a new engine",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("old");
  replies.clear();
  ledger.commit_errors.push_back({ErrorCode::io, "disk I/O error"});
  supervisor.post(event::RunRequested{5, "new", {}, "ann"});
  supervisor.post(event::Arrived{"p", "s", "2013-10", {}, "x.csv"});
  supervisor.turn();

  CHECK(artifacts.preparing.empty());  // "new" was never started
  CHECK(script.engines_alive == 0);
  CHECK(supervisor.engine() == nullptr);
  REQUIRE(executor.killed.size() == 1);
  CHECK(executor.killed[0].attempt == "old");
  REQUIRE(troubles.size() == 1);
  REQUIRE(troubles[0].has_value());
  CHECK(troubles[0]->code == ErrorCode::io);

  script.applied.clear();
  clock.steady_ms = *wake;
  supervisor.turn();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].request == 5);
  REQUIRE(replies[0].error.has_value());
  CHECK(replies[0].error->code == ErrorCode::io);
  CHECK(script.engines_made == 2);
  CHECK(script.of<event::Arrived>().size() == 1);       // a fact is not lost with its batch
  CHECK(script.of<event::RunRequested>().empty());      // a request is not carried out later
  CHECK_FALSE(troubles.back().has_value());

  executor.on_ended(report_of("old"));  // of the old engine's time
  supervisor.turn();
  CHECK(artifacts.promoting.empty());
  CHECK(script.of<event::AttemptEnded>().empty());
  CHECK(artifacts.discarded == std::vector<std::string>{"old"});
  CHECK_FALSE(supervisor.draining());
}

TEST_CASE_METHOD(Fixture, "supervisor: ends that could not be recorded are not told twice",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  executor.on_ended(report_of("a"));
  artifacts.finish_promote();
  ledger.commit_errors.push_back(full);
  supervisor.turn();
  CHECK(artifacts.discarded == std::vector<std::string>{"a"});
  script.applied.clear();
  clock.steady_ms = *wake;
  supervisor.turn();
  CHECK(script.engines_made == 2);
  CHECK(script.of<event::AttemptEnded>().empty());
}

TEST_CASE_METHOD(Fixture, "supervisor: on a full disk it only reads until a probe succeeds",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  ledger.commit_errors.push_back(full);
  ledger.probe_error = full;
  run("a", 1);
  supervisor.turn();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].error->code == ErrorCode::exhausted);

  run("b", 2);  // refused at once, without trying the ledger
  const int begun = ledger.begun;
  REQUIRE(replies.size() == 2);
  CHECK(replies[1].error->code == ErrorCode::exhausted);
  CHECK(ledger.begun == begun);
  CHECK(supervisor.read_only().has_value());

  REQUIRE(wake == clock.steady_ms + Supervisor::probe_interval_ms);
  clock.steady_ms = *wake;
  supervisor.turn();
  CHECK(supervisor.engine() == nullptr);

  ledger.probe_error.reset();
  SECTION("and goes on by itself") {
    clock.steady_ms = *wake;
    supervisor.turn();
    CHECK(supervisor.engine() != nullptr);
    CHECK_FALSE(supervisor.read_only().has_value());
    run("c", 3);
    CHECK_FALSE(replies.back().error.has_value());
  }
  SECTION("and waits on when the recovery does not fit either") {
    ledger.commit_errors.push_back(full);
    clock.steady_ms = *wake;
    supervisor.turn();
    CHECK(supervisor.engine() == nullptr);
    REQUIRE(wake == clock.steady_ms + Supervisor::probe_interval_ms);
    clock.steady_ms = *wake;
    supervisor.turn();
    CHECK(supervisor.engine() != nullptr);
  }
}

TEST_CASE_METHOD(Fixture, "supervisor: a fact that the ledger refuses is not tried for ever",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  ledger.commit_errors.push_back({ErrorCode::internal, "constraint failed"});
  supervisor.post(event::Arrived{"p", "s", "bad", {}, "x.csv"});
  supervisor.turn();
  script.applied.clear();
  clock.steady_ms = *wake;
  supervisor.turn();
  CHECK(script.engines_made == 2);
  CHECK(script.of<event::Arrived>().empty());
}

TEST_CASE_METHOD(Fixture, "supervisor: a start on a full disk waits instead of failing",
                 "[supervisor]") {
  ledger.commit_errors.push_back(full);
  REQUIRE(supervisor.start({}));
  CHECK(supervisor.engine() == nullptr);
  clock.steady_ms = *wake;
  supervisor.turn();
  CHECK(supervisor.engine() != nullptr);
}

TEST_CASE_METHOD(Fixture, "supervisor: a start that cannot be recorded otherwise is an error",
                 "[supervisor]") {
  ledger.commit_errors.push_back({ErrorCode::corrupt, "database disk image is malformed"});
  const auto started = supervisor.start({});
  REQUIRE_FALSE(started);
  CHECK(started.error().code == ErrorCode::corrupt);
}

TEST_CASE_METHOD(Fixture, "supervisor: recovery reads every version that is needed, once",
                 "[supervisor]") {
  PipelineRow current;
  current.name = "flights";
  current.version = sha256("v2");
  RunRow old_run;
  old_run.pipeline = "flights";
  old_run.version = sha256("v1");
  ledger.recovered.pipelines = {current};
  ledger.recovered.runs = {old_run, old_run};
  SECTION("all there") {
    REQUIRE(supervisor.start({}));
    CHECK(script.pipelines == std::vector<std::size_t>{2});
  }
  SECTION("an unreadable one is reported and keeps nobody else from going on") {
    lost_pipeline = "flights";
    REQUIRE(supervisor.start({}));
    supervisor.turn();
    CHECK(script.of<event::TroubleFound>().size() == 2);
  }
}

TEST_CASE_METHOD(Fixture, "supervisor: a version that can be read again makes a new engine in a quiet moment",
                 "[supervisor]") {
  PipelineRow current;
  current.name = "flights";
  current.version = sha256("v1");
  ledger.recovered.pipelines = {current};
  lost_pipeline = "flights";
  REQUIRE(supervisor.start({}));
  CHECK_FALSE(supervisor.knows("flights"));
  CHECK(supervisor.knows("other"));
  supervisor.turn();
  const std::int64_t first = clock.steady_ms + Supervisor::lost_interval_ms;
  CHECK(wake == first);
  clock.steady_ms = first;
  supervisor.turn();  // still lost
  CHECK(script.engines_made == 1);
  CHECK(wake == first + Supervisor::lost_interval_ms);
  lost_pipeline.clear();
  SECTION("nothing runs") {
    clock.steady_ms = first + Supervisor::lost_interval_ms;
    supervisor.turn();
    CHECK(script.engines_made == 2);
    CHECK(script.pipelines.back() == 1);
    CHECK(supervisor.knows("flights"));
    CHECK(sources_changed == 2);  // it was lost, it is back
  }
  SECTION("what runs is let be, but not for ever") {
    run_until_started("other");
    clock.steady_ms = first + 100'000;
    supervisor.turn();
    CHECK(script.engines_made == 1);
    clock.steady_ms = first + Supervisor::lost_patience_ms + Supervisor::lost_interval_max_ms;
    supervisor.turn();
    CHECK(script.engines_made == 2);
    CHECK(executor.killed.size() == 1);
  }
}

TEST_CASE_METHOD(Fixture, "supervisor: a lost pipeline that is applied anew comes with its past",
                 "[supervisor]") {
  PipelineRow current;
  current.name = "flights";
  current.version = sha256("v1");
  ledger.recovered.pipelines = {current};
  lost_pipeline = "flights";
  REQUIRE(supervisor.start({}));
  supervisor.turn();
  auto pipeline = std::make_shared<Pipeline>();
  pipeline->spec.name = "flights";
  lost_pipeline.clear();
  supervisor.post(event::PipelineApplied{pipeline, 1, "/folder"});
  supervisor.post(event::Arrived{"flights", "in", "1", {}, "/folder/1"});
  supervisor.turn();
  CHECK(script.engines_made == 2);
  CHECK(script.of<event::PipelineApplied>().size() == 1);
  // The delivery is for the engine that knows what was delivered before.
  CHECK(script.of<event::Arrived>().empty());
  CHECK(supervisor.queued() == 1);
  supervisor.turn();
  CHECK(script.of<event::Arrived>().size() == 1);
}

TEST_CASE_METHOD(Fixture, "supervisor: attempts that recovery wishes for are started",
                 "[supervisor]") {
  script.on_recover = [](const Recovered&, std::vector<Effect>& effects) {
    effects.push_back(Fixture::start_of("again"));
  };
  REQUIRE(supervisor.start({}));
  artifacts.finish_prepare();
  REQUIRE(executor.started.size() == 1);
  CHECK(executor.started[0].start.attempt == "again");
}

TEST_CASE_METHOD(Fixture, "supervisor: the engine's timer is applied when it is due",
                 "[supervisor]") {
  script.timer = 5000;
  REQUIRE(supervisor.start({}));
  CHECK(wake == 5000);
  clock.steady_ms = 4999;
  supervisor.turn();
  CHECK(script.of<event::TimeReached>().empty());
  clock.steady_ms = 5000;
  supervisor.turn();
  CHECK(script.of<event::TimeReached>().size() == 1);
}

TEST_CASE_METHOD(Fixture, "supervisor: a clean stop starts nothing and kills what runs",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  run_until_started("a");
  supervisor.post(event::RunRequested{2, "b", {}, "ann"});
  supervisor.stop();
  CHECK(replies.size() == 2);            // what was asked before is recorded and answered
  CHECK(artifacts.preparing.empty());    // but not begun
  REQUIRE(executor.killed.size() == 1);
  CHECK(supervisor.draining());
  executor.on_ended(report_of("a", Outcome::cancelled));
  CHECK_FALSE(supervisor.draining());
  CHECK(script.of<event::AttemptEnded>().empty());  // its row stays marked running

  CHECK_FALSE(supervisor.post(event::RunRequested{3, "c", {}, "ann"}));
  supervisor.turn();
  REQUIRE(replies.size() == 3);
  CHECK(replies[2].error->code == ErrorCode::unavailable);
}

TEST_CASE_METHOD(Fixture, "supervisor: a full queue refuses, in words to those who ask",
                 "[supervisor]") {
  REQUIRE(supervisor.start({}));
  for (std::size_t i = 0; i < Supervisor::queue_length_max; ++i) {
    REQUIRE(supervisor.post(event::TroubleFound{}));
  }
  CHECK_FALSE(supervisor.post(event::TroubleFound{}));
  CHECK_FALSE(supervisor.post(event::RunRequested{9, "a", {}, "ann"}));
  CHECK(supervisor.post(event::AttemptLost{"a", "always fits"}));
  CHECK(supervisor.counters().refused_events == 2);
  supervisor.turn();
  REQUIRE(replies.size() == 1);
  CHECK(replies[0].error->code == ErrorCode::exhausted);
}

TEST_CASE("supervisor: callbacks that come after its end do nothing", "[supervisor]") {
  FakeArtifacts artifacts;
  FakeExecutor executor;
  {
    Fixture fixture;
    REQUIRE(fixture.supervisor.start({}));
    fixture.run_until_started("a");
    fixture.run("b");
    artifacts.preparing = std::move(fixture.artifacts.preparing);
    executor.on_ended = fixture.executor.on_ended;
  }
  artifacts.finish_prepare();
  executor.on_ended(Fixture::report_of("a"));
  SUCCEED();
}

}  // namespace pipelined
