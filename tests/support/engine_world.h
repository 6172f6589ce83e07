// An engine with fakes around it: operators by description, a ledger in memory, a clock that is set.
//
// Attempts wait in `started` until a test ends them; `run_all` ends each at once with outputs that
// are a pure function of its key-relevant inputs, so that equal work makes equal artifacts.
#pragma once

#include <catch2/catch.hpp>

#include "dag/check.h"
#include "dag/engine.h"
#include "dag/run_state.h"
#include "dag/spec_toml.h"
#include "tests/support/memory_ledger.h"
#include "tests/support/zone_files.h"

namespace pipelined {

PortInfo port(std::string name, std::string type = "files/1", bool many = false,
              bool optional = false, bool evidence = false, std::string pass = "");
OperatorInfo fake_operator(std::string id, std::vector<PortInfo> inputs,
                           std::vector<PortInfo> outputs, std::vector<std::string> params = {});
/// Operators shaped like the standard ones, with nothing behind them.
OperatorSet fake_operators();

struct EngineWorld {
  MemoryLedger ledger;
  std::unique_ptr<Engine> engine = std::make_unique<Engine>(ledger, 42);
  Instant now{1'700'000'000'000, 0};
  std::vector<Effect> effects;                     ///< of the last turn
  std::vector<effect::StartAttempt> started;       ///< not ended yet, in order
  std::vector<effect::KillAttempt> killed;
  std::vector<effect::Reply> replies;
  std::vector<std::string> log;                    ///< "start train #1" …
  std::vector<std::shared_ptr<const Pipeline>> pipelines;
  std::map<std::string, Outcome> verdicts;         ///< by step path: what run_all answers
  OperatorSet operators = fake_operators();
  RequestId last_request = 0;
  Capacity capacity{4};                            ///< of an engine that is built again

  test::Zones zones;

  EngineWorld();
  ~EngineWorld();

  std::shared_ptr<const Pipeline> compiled(const std::string& text, const BundleFiles& files = {});
  void apply(const std::string& text, const BundleFiles& files = {});

  void turn(const Event& event);
  void take_effects();

  static ArtifactRef artifact(const std::string& content, const std::string& type = "files/1");
  void arrive(const std::string& pipeline, const std::string& source, const std::string& span,
              const std::string& content);
  void wait(std::int64_t ms);
  RunNumber run(const std::string& pipeline, RunOptions options = {});

  /// What the fake operator makes of its inputs.
  static event::AttemptEnded answer(const effect::StartAttempt& start, Outcome outcome);
  void end(std::size_t i, Outcome outcome, bool retryable = false);
  /// Ends every attempt as `verdicts` says (else ok) until none is left.
  void run_all();

  /// The daemon dies and starts again; attempts of the old life are gone.
  void restart();

  RunState run_state(RunNumber number) const;
  StepRow step(RunNumber number, const std::string& step, const std::string& element = "") const;
  StepState state(RunNumber number, const std::string& name, const std::string& element = "") const;
  SpanState span_state(const std::string& pipeline, const std::string& source,
                       const std::string& span, std::int64_t version = 1) const;
  std::vector<std::string> take_log() { return std::exchange(log, {}); }
};

}  // namespace pipelined
