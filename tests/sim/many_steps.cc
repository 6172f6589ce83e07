#include "tests/sim/many_steps.h"

#include <chrono>
#include <cstdio>
#include <deque>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "dag/run_state.h"
#include "dag/spec_toml.h"
#include "daemon/exec/supervisor.h"
#include "tests/sim/pipelines.h"
#include "tests/support/memory_ledger.h"

namespace pipelined::sim {
namespace {

constexpr std::int64_t spans = 1000, chain = 10;

std::string long_pipeline() {
  std::string text = "name = \"long\"\n[params]\np = 0\n[source.s]\npath = \"in/{SPAN}.csv\"\n";
  std::string from = "source.s";
  for (std::int64_t i = 0; i < chain; ++i) {
    const std::string name = "step_" + std::to_string(i);
    text += "[step." + name + "]\nforeach = \"" + from + "\"\noperator = \"single\"\nin.in = \"" +
            (i == 0 ? "each" : from) + "\"\nparams.p = \"${p}\"\n";
    from = name;
  }
  return text + "[step.all]\noperator = \"many\"\nin.in = \"" + from + "\"\n";
}

/// A ledger that keeps the newest run only, as retention does for a daemon.
class ForgetfulLedger : public MemoryLedger {
 public:
  void forget_before(RunNumber run) {
    std::erase_if(runs, [run](const auto& entry) { return entry.first < run; });
    std::erase_if(steps, [run](const auto& entry) { return entry.second.run < run; });
    std::erase_if(attempts, [run](const auto& entry) { return entry.second.run < run; });
    std::erase_if(results, [run](const auto& entry) { return entry.second.run < run; });
    std::erase_if(results_by_key, [this](const auto& entry) { return !results.contains(entry.second); });
    std::erase_if(resolutions, [run](const auto& entry) { return entry.first.second < run; });
  }
};

/// Everything works, at once, in the order in which it was asked for.
class Machine : public Clock, public Executor, public ArtifactPort {
 public:
  Instant now() override { return {1'600'000'000'000 + steady_ms_, ++steady_ms_}; }
  void start(AttemptPlan plan) override {
    soon_.emplace_back([this, plan = std::move(plan)] {
      AttemptReport report;
      report.attempt = plan.start.attempt;
      report.fence = plan.start.fence;
      report.outcome = Outcome::ok;
      for (const OutputSpec& output : plan.start.outputs) report.outputs.push_back(output.port);
      on_ended(std::move(report));
    });
  }
  void kill(const std::string&, std::int64_t, const std::string&) override {}
  void prepare(const effect::StartAttempt& start,
               std::function<void(Result<AttemptPlan>)> done) override {
    soon_.emplace_back([start, done = std::move(done)] { done(AttemptPlan{start, {}, {}}); });
  }
  void promote(const AttemptPlan& plan, const std::vector<OutputSpec>& outputs,
               std::function<void(Result<Promoted>)> done) override {
    Promoted promoted;
    for (const OutputSpec& output : outputs) {
      const std::string text = plan.start.step + plan.start.element + canonical(Value(plan.start.params));
      promoted.outputs.push_back({output.port, 0, {sha256(text), output.type, 1}});
    }
    soon_.emplace_back([promoted = std::move(promoted), done = std::move(done)] { done(promoted); });
  }
  void discard(const std::string&, bool) override {}

  /// Does what waits; false: nothing did.
  bool work() {
    if (soon_.empty()) return false;
    for (auto& task : std::exchange(soon_, {})) task();
    return true;
  }

 private:
  std::int64_t steady_ms_ = 0;
  std::deque<std::function<void()>> soon_;
};

std::int64_t peak_memory_mib() {
  std::ifstream file("/proc/self/status");
  std::string word;
  while (file >> word) {
    std::int64_t kib = 0;
    if (word == "VmHWM:" && file >> kib) return kib / 1024;
  }
  return 0;
}

struct Long {
  Machine machine;
  ForgetfulLedger ledger;
  std::shared_ptr<const Pipeline> pipeline;
  std::unique_ptr<Supervisor> supervisor;
  std::int64_t turns = 0;

  Long() {
    const std::string text = long_pipeline();
    const ParsedPipeline parsed = parse_pipeline(text, "pipeline.toml");
    CHECK(parsed.spec.has_value());
    auto compiled = compile(*parsed.spec, operators(), {}, sha256(text));
    CHECK(compiled.has_value());
    pipeline = *compiled;
    Supervisor::Callbacks callbacks;
    callbacks.load_pipeline = [this](const std::string&, const Digest&) {
      return Result<std::shared_ptr<const Pipeline>>(pipeline);
    };
    callbacks.entropy = [] { return std::uint64_t{1}; };
    supervisor = std::make_unique<Supervisor>(machine, ledger, machine, machine, std::move(callbacks));
    CHECK(supervisor->start({64, 0, 0}).has_value());
    supervisor->post(event::PipelineApplied{pipeline, 0, "/data"});
    for (std::int64_t i = 0; i < spans; ++i) {
      const std::string span = std::to_string(1000 + i);
      supervisor->post(event::Arrived{"long", "s", span, {sha256(span), "files/1", 1}, span});
    }
    rest();
  }
  void rest() {
    do {
      supervisor->turn();
      ++turns;
    } while (machine.work() || supervisor->queued() > 0 || goes_on());
  }
  /// Whether the engine has more to decide at once: large runs are decided in portions.
  bool goes_on() {
    const Engine* engine = supervisor->engine();
    const auto timer = engine != nullptr ? engine->next_timer() : std::nullopt;
    return timer && *timer <= machine.now().steady_ms;
  }
};

}  // namespace

int run_many_steps(std::int64_t steps) {
  const auto begin = std::chrono::steady_clock::now();
  Long world;
  std::int64_t done = 0, after_first = 0, run_count = 0;
  while (done < steps) {
    RunOptions options;
    options.params["p"] = Value(++run_count);
    world.supervisor->post(event::RunRequested{0, "long", options, "sim"});
    world.rest();
    const RunRow& last = world.ledger.runs.rbegin()->second;
    if (last.state != RunState::succeeded) {
      std::printf("run %lld is %s\n", static_cast<long long>(last.number), name_of(last.state));
      return 1;
    }
    done += std::ssize(world.ledger.steps_of(last.number));
    world.ledger.forget_before(last.number);
    if (run_count == 3) after_first = peak_memory_mib();
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  std::printf("%lld steps in %lld runs to the end in %.1f s (%.0f a second), %lld turns; "
              "peak memory %lld MiB, %lld MiB after the third run\n",
              static_cast<long long>(done), static_cast<long long>(run_count), seconds,
              static_cast<double>(done) / seconds, static_cast<long long>(world.turns),
              static_cast<long long>(peak_memory_mib()), static_cast<long long>(after_first));
  const bool bounded = run_count < 6 || peak_memory_mib() <= after_first * 3 / 2 + 16;
  if (!bounded) std::printf("memory grows with the number of steps that are over\n");
  return bounded ? 0 : 1;
}

}  // namespace pipelined::sim
