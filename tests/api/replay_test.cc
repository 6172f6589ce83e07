// The events of a run, given to another engine, bring it to the same states.
#include <catch2/catch.hpp>

#include "daemon/api/recounting.h"
#include "dag/dry_ledger.h"
#include "tests/api/fake_backend.h"
#include "tests/support/engine_world.h"
#include "tests/support/random_pipeline.h"
#include "tests/support/replay.h"

using namespace pipelined;
using namespace pipelined::test;

namespace {

/// Records in memory, which answers, and in a store, from which the events are put together.
class TwoLedgers : public DryLedger {
 public:
  TwoLedgers(MemoryLedger& memory, Store& store)
      : DryLedger(memory), memory_(memory), store_(store) {}
  void put(const PipelineRow& row) override { both(row); }
  void put(const ArrivalRow& row) override { both(row); }
  void put(const SpanRow& row) override { both(row); }
  void put(const RunRow& row) override { both(row); }
  void put(const StepRow& row) override { both(row); }
  void put(const AttemptRow& row) override { both(row); }
  void put(const ResultRow& row) override {
    both(row);
    for (const Binding& output : row.outputs) memory_.lost.erase(output.artifact.digest);
  }
  void put(const AcceptanceRow& row) override { both(row); }
  void put(const ResolutionRow& row) override { both(row); }
  void put(const AlertRow& row) override { both(row); }
  void put(const DecisionRow& row) override { both(row); }
  void put(const HoldRow& row) override { both(row); }
  void put(const SlotRow& row) override { both(row); }
  void mark_fired(const std::vector<std::int64_t>& arrivals, RunNumber run) override {
    memory_.mark_fired(arrivals, run), store_.mark_fired(arrivals, run);
  }
 private:
  template <class Row>
  void both(const Row& row) {
    memory_.put(row), store_.put(row);
  }
  MemoryLedger& memory_;
  Store& store_;
};

/// The backend as far as events are put together from it.
class RecordsBackend : public FakeBackend {
 public:
  RecordsBackend(boost::asio::io_context& asio, Store& store, const EngineWorld& world)
      : FakeBackend(asio), records_(store), world_(world) {}
  Store& store() override { return records_; }
  std::shared_ptr<const Pipeline> pipeline_version(const Digest& version) override {
    for (const auto& pipeline : world_.pipelines) {
      if (pipeline->version == version) return pipeline;
    }
    return nullptr;
  }

 private:
  Store& records_;
  const EngineWorld& world_;
};

std::unique_ptr<Store> open_store(const TemporaryFolder& folder) {
  StoreOptions options;
  options.path = folder.path() + "/records.db", options.ballast_bytes = 0;
  auto store = Store::open(options);
  REQUIRE(store);
  return *std::move(store);
}

std::string text_of(const std::map<std::pair<std::string, std::string>, std::string>& states) {
  std::string text;
  for (const auto& [name, state] : states) {
    text += step_path(name.first, name.second) + " " + state + "\n";
  }
  return text;
}

/// People answer half of the halts.
void answer_halts(EngineWorld& world, RunNumber run, std::mt19937& random) {
  const auto steps = world.ledger.steps;
  for (const auto& [key, row] : steps) {
    if (row.run != run || row.state != StepState::halted || random() % 2 == 0) continue;
    if (world.state(run, row.step, row.element) != StepState::halted) continue;
    if (random() % 2 == 0) {
      world.turn(event::AcceptRequested{0, run, row.step, row.element, "mia", "fine"});
    } else {
      world.turn(event::RejectRequested{0, run, row.step, row.element, "mia", "wrong"});
    }
    world.now.wall_ms += 50, world.now.steady_ms += 50;
    world.run_all();
  }
}

}  // namespace

TEST_CASE("replay: random runs come to the same states in another engine", "[api][replay]") {
  TemporaryFolder folder;
  boost::asio::io_context loop;
  int replayed = 0, steps = 0, halted = 0;
  for (unsigned seed = 1; seed <= 40; ++seed) {
    TemporaryFolder records;
    const auto store = open_store(records);
    EngineWorld world;
    TwoLedgers ledgers(world.ledger, *store);
    world.engine = std::make_unique<Engine>(ledgers, 42);
    RandomPipeline pipeline(seed);
    std::mt19937 random(seed);
    REQUIRE(store->begin());
    world.turn(event::CapacityChanged{{4, 0, 0}});
    world.apply(pipeline.text());
    for (int round = 0; round < 4; ++round) {
      pipeline.change(world);
      const RunOptions options = pipeline.options();
      pipeline.choose_verdicts(world.verdicts);
      world.wait(1000);
      const RunNumber run = world.run(pipeline.name, options);
      while (!world.started.empty()) {  // each attempt takes a little
        world.now.wall_ms += 20, world.now.steady_ms += 20;
        const auto verdict = world.verdicts.find(
            step_path(world.started.front().step, world.started.front().element));
        world.end(0, verdict == world.verdicts.end() ? Outcome::ok : verdict->second);
      }
      answer_halts(world, run, random);
      world.wait(1000);
    }
    REQUIRE(store->commit());
    RecordsBackend backend(loop, *store, world);
    for (RunNumber run = 1; run <= 4; ++run) {
      CAPTURE(seed, run, pipeline.text());
      const auto events = api::replay_of(backend, *find_run_view(*store, run));
      REQUIRE(events);
      const auto told = protocol::from_json<protocol::RunEvents>(protocol::to_json(*events));
      REQUIRE(told);
      const Replay replay(*told);
      CHECK(text_of(replay.states()) == text_of(Replay::recorded(*told)));
      CHECK(replay.run_state() == told->state);
      ++replayed;
      steps += static_cast<int>(told->steps.size());
      for (const auto& step : told->steps) halted += step.state == "halted" ? 1 : 0;
    }
  }
  CHECK(replayed == 160);
  CHECK(steps > 800);
  CHECK(halted > 5);
}
