// The questions of the engine: history, failures, lineage, what was lost.
#include <catch2/catch.hpp>

#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

/// Bytes that are all there but for named artifacts.
class FakeObjects : public ObjectView {
 public:
  const std::vector<Manifest>& unrecorded() const override { return manifests; }
  const Manifest* find_unrecorded(const Digest& artifact) const override {
    for (const Manifest& manifest : manifests) {
      if (manifest.digest() == artifact) return &manifest;
    }
    return nullptr;
  }
  void forget_unrecorded(std::size_t count) override {
    manifests.erase(manifests.begin(), manifests.begin() + static_cast<std::ptrdiff_t>(count));
  }
  bool is_whole(const Manifest& manifest) override { return manifest.digest() != lost; }

  std::vector<Manifest> manifests;
  Digest lost;
};

ResultRow made(std::int64_t id, const std::vector<std::string>& inputs,
               const std::vector<std::string>& outputs) {
  ResultRow row = result_row(id, "step" + std::to_string(id), "", "k" + std::to_string(id), id);
  for (const std::string& name : inputs) row.inputs.push_back({"in", 0, artifact(name)});
  for (const std::string& name : outputs) row.outputs.push_back({"out", 0, artifact(name)});
  return row;
}

std::vector<std::string> names_of(const std::vector<Digest>& digests,
                                  const std::vector<std::string>& known) {
  std::vector<std::string> names;
  for (const Digest& digest : digests) {
    for (const std::string& name : known) {
      if (sha256(name) == digest) names.push_back(name);
    }
  }
  return names;
}

}  // namespace

TEST_CASE("store: the newest result of a key before a moment is found", "[store][ledger]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, result_row(1, "train", "", "k", 10), result_row(2, "train", "", "k", 20),
                  result_row(3, "train", "", "other", 30)));
  CHECK(store->find_result(sha256("k"), 100)->id == 2);
  CHECK(store->find_result(sha256("k"), 20)->id == 1);
  CHECK_FALSE(store->find_result(sha256("k"), 10));
  CHECK_FALSE(store->find_result(sha256("never"), 100));
}

TEST_CASE("store: the nearest result prefers its element and ignores results without a key",
          "[store][ledger]") {
  const TestFolder folder;
  auto store = open_in(folder);
  ResultRow keyless = result_row(4, "ingest", "b", "x", 40);
  keyless.key.reset();
  REQUIRE(put_all(*store, result_row(1, "ingest", "a", "k1", 10),
                  result_row(2, "ingest", "b", "k2", 20), result_row(3, "ingest", "a", "k3", 30),
                  keyless));
  CHECK(store->nearest_result("flights", "ingest", "b")->id == 2);
  CHECK(store->nearest_result("flights", "ingest", "")->id == 3);
  CHECK_FALSE(store->nearest_result("flights", "ingest", "c"));
  CHECK_FALSE(store->nearest_result("other", "ingest", "a"));
}

TEST_CASE("store: finished steps come highest run first and only from full runs when asked",
          "[store][ledger]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(store->begin());
  for (RunNumber number = 1; number <= 6; ++number) {
    RunRow run = run_row(number);
    if (number == 4) run.options.params = {{"depth", 8}};
    if (number == 5) run.options.select = "train";
    store->put(run);
    const StepState state = number == 2   ? StepState::failed
                            : number == 3 ? StepState::cached
                                          : StepState::succeeded;
    store->put(step_row(number, "train", "", state, 100 - number));
    store->put(step_row(number, "train", "x", StepState::succeeded, 50));
  }
  REQUIRE(store->commit());
  const auto runs = [&](bool full, std::int64_t before, int offset, int limit) {
    std::vector<RunNumber> numbers;
    for (const StepRow& row :
         store->finished_steps("flights", "train", "", full, before, offset, limit)) {
      numbers.push_back(row.run);
    }
    return numbers;
  };
  CHECK(runs(false, 1000, 0, 10) == std::vector<RunNumber>{6, 5, 4, 3, 1});
  CHECK(runs(true, 1000, 0, 10) == std::vector<RunNumber>{6, 3, 1});
  CHECK(runs(true, 1000, 1, 1) == std::vector<RunNumber>{3});
  CHECK(runs(true, 97, 0, 10) == std::vector<RunNumber>{6});
  CHECK(runs(true, 94, 0, 10).empty());
  CHECK(store->finished_steps("other", "train", "", false, 1000, 0, 10).empty());

  SECTION("a step that is put again as running is no longer finished") {
    REQUIRE(put_all(*store, step_row(6, "train", "", StepState::running, 200)));
    CHECK(runs(true, 1000, 0, 10) == std::vector<RunNumber>{3, 1});
  }
}

//      raw ─▶ joined ─▶ left ──▶ model
//                  └──▶ right ──┘         `joined` is also passed through by a gate.
TEST_CASE("store: ancestors of a diamond are found once, nearest first", "[store][ledger]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, made(1, {"raw"}, {"joined"}), made(2, {"joined", "schema"}, {"joined"}),
                  made(3, {"joined"}, {"left"}), made(4, {"joined"}, {"right"}),
                  made(5, {"left", "right"}, {"model"})));
  const std::vector<std::string> known = {"raw", "schema", "joined", "left", "right", "model"};
  const auto names = names_of(store->ancestors(sha256("model"), 100), known);
  REQUIRE(names.size() == 5);
  CHECK(names[0] == "left");
  CHECK(names[1] == "right");
  CHECK(names[2] == "joined");
  CHECK(names_of(store->ancestors(sha256("model"), 2), known).size() == 2);
  CHECK(names_of(store->ancestors(sha256("joined"), 100), known) ==
        std::vector<std::string>{"raw", "schema"});
  CHECK(store->ancestors(sha256("raw"), 100).empty());
  CHECK(store->ancestors(sha256("nobody"), 100).empty());
}

// A remedy that says nothing has the same bytes month after month: what was read in January was not
// made from February's rows.
TEST_CASE("store: equal content that was made again later is no ancestor", "[store][ledger]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, made(1, {"january"}, {"none"}), made(2, {"none"}, {"model 1"}),
                  made(3, {"february"}, {"none"}), made(4, {"none"}, {"model 2"})));
  const std::vector<std::string> known = {"january", "february", "none"};
  CHECK(names_of(store->ancestors(sha256("model 1"), 100), known) ==
        std::vector<std::string>{"none", "january"});
  CHECK(names_of(store->ancestors(sha256("model 2"), 100), known) ==
        std::vector<std::string>{"none", "january", "february"});
}

TEST_CASE("store: two artifacts made from each other do not go round for ever",
          "[store][ledger]") {
  const TestFolder folder;
  auto store = open_in(folder);
  REQUIRE(put_all(*store, made(1, {"a"}, {"b"}), made(2, {"b"}, {"a"})));
  CHECK(store->ancestors(sha256("a"), 100) == std::vector<Digest>{sha256("b")});
}

TEST_CASE("store: manifests that became durable are recorded by the next commit",
          "[store][ledger]") {
  const TestFolder folder;
  FakeObjects objects;
  auto store = open_in(folder);
  store->set_objects(&objects);
  const Manifest manifest{"model/1", {{"a/\"b\"\n.json", sha256("x"), 1, true},
                                      {"trees.json", sha256("y"), 22, false}}};
  objects.manifests = {manifest};
  CHECK(*store->find_manifest(manifest.digest()) == manifest);
  ResultRow result = result_row(1, "train", "", "k", 1);
  result.outputs = {{"model", 0, {manifest.digest(), manifest.type, manifest.size()}}};

  SECTION("a rollback keeps them for the turn after") {
    REQUIRE(store->begin());
    store->rollback();
    CHECK(objects.manifests.size() == 1);
  }
  REQUIRE(put_all(*store, result));
  CHECK(objects.manifests.empty());
  CHECK(*store->find_manifest(manifest.digest()) == manifest);
  CHECK_FALSE(store->first_lost(result));
  objects.lost = manifest.digest();
  CHECK(store->first_lost(result) == manifest.digest());

  SECTION("an output whose manifest nobody knows is lost") {
    ResultRow other = result_row(2, "train", "", "k2", 2);
    other.outputs = {{"model", 0, artifact("unknown")}};
    REQUIRE(put_all(*store, other));
    CHECK(store->first_lost(other) == sha256("unknown"));
  }
  store->set_objects(nullptr);
}

TEST_CASE("store: recovery returns open runs, their steps and running attempts only",
          "[store][ledger]") {
  const TestFolder folder;
  const auto attempt = [](const std::string& id, RunNumber run, bool running) {
    AttemptRow row;
    row.id = id;
    row.run = run;
    row.step = "ingest";
    row.running = running;
    return row;
  };
  {
    auto store = open_in(folder);
    RunRow done = run_row(1), halted = run_row(2), open = run_row(3);
    done.state = RunState::succeeded;
    halted.state = RunState::halted;
    halted.spans = {{"flights", "2013-01", 1, true, ""}};
    REQUIRE(put_all(*store, done, halted, open,
                    step_row(1, "ingest", "", StepState::succeeded, 1),
                    step_row(2, "ingest", "", StepState::halted, 2),
                    step_row(3, "ingest", "", StepState::running, 3), attempt("a", 1, true),
                    attempt("b", 3, true), attempt("c", 3, false)));
  }
  auto store = open_in(folder);
  const auto found = store->recover();
  REQUIRE(found);
  REQUIRE(found->runs.size() == 2);
  CHECK(found->runs[0].number == 2);
  CHECK(found->runs[0].spans.size() == 1);
  REQUIRE(found->steps.size() == 2);
  CHECK(found->steps[1].state == StepState::running);
  REQUIRE(found->attempts.size() == 1);
  CHECK(found->attempts[0].id == "b");
  CHECK(found->last_run == 3);
  CHECK(found->last_seq == 3000);
}
