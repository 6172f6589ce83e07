// Rates of the store on this machine; hidden, run with `store_tests "[.bench]"`.
//
// Prints figures and fails only where a figure is far from what the daemon relies on.
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <functional>

#include "daemon/store/views.h"
#include "tests/store/store_world.h"

using namespace pipelined;

namespace {

double seconds_of(const std::function<void()>& work) {
  const auto before = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
}

void report(const char* what, double seconds, int count) {
  std::printf("%-44s %8.2f us each, %8.1f ms for %d\n", what, seconds * 1e6 / count, seconds * 1e3,
              count);
}

std::int64_t resident_kib() {
  std::int64_t pages = 0, resident = 0;
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  const int read = std::fscanf(file, "%ld %ld", &pages, &resident);
  std::fclose(file);
  return read == 2 ? resident * 4 : 0;
}

/// Objects that are all there.
class WholeObjects : public ObjectView {
 public:
  const std::vector<Manifest>& unrecorded() const override { return manifests; }
  const Manifest* find_unrecorded(const Digest&) const override { return nullptr; }
  void forget_unrecorded(std::size_t count) override {
    manifests.erase(manifests.begin(), manifests.begin() + static_cast<std::ptrdiff_t>(count));
  }
  bool is_whole(const Manifest&) override { return true; }
  std::vector<Manifest> manifests;
};

ResultRow element_result(int i) {
  const std::string name = std::to_string(i);
  ResultRow result = result_row(i + 1, "work", "2013-" + name, "key" + name, 2000 + i);
  const Manifest manifest{"examples/1", {{"part-00000.parquet", sha256(name), 1024, false}}};
  result.inputs = {{"examples", 0, artifact("in" + name)}};
  result.outputs = {{"examples", 0, {manifest.digest(), "examples/1", 1024}}};
  result.key_text = std::string(300, 'k');
  return result;
}

}  // namespace

TEST_CASE("store: rates of a run of 10,000 elements", "[.bench]") {
  constexpr int count = 10000;
  const TestFolder folder;
  WholeObjects objects;
  auto store = open_in(folder);
  store->set_objects(&objects);
  for (int i = 0; i < count; ++i) {
    objects.manifests.push_back(
        {"examples/1", {{"part-00000.parquet", sha256(std::to_string(i)), 1024, false}}});
  }
  REQUIRE(put_all(*store, run_row(1), run_row(2)));
  std::vector<ResultRow> results;
  for (int i = 0; i < count; ++i) results.push_back(element_result(i));
  REQUIRE(store->begin());
  report("put(ResultRow), 1 input, 1 output", seconds_of([&] {
           for (const ResultRow& row : results) store->put(row);
         }), count);
  std::vector<StepRow> steps;
  for (int i = 0; i < count; ++i) {
    StepRow step = step_row(2, "work", results[static_cast<std::size_t>(i)].element,
                            StepState::cached, 20000 + i);
    step.key = results[static_cast<std::size_t>(i)].key;
    step.result = i + 1;
    steps.push_back(step);
  }
  report("commit", seconds_of([&] { REQUIRE(store->commit()); }), 1);
  store.reset();
  store = open_in(folder);
  store->set_objects(&objects);
  std::int64_t found = 0;
  report("find_result, right after a start", seconds_of([&] {
           for (const StepRow& step : steps) found += store->find_result(*step.key, 1 << 30)->id;
         }), count);
  report("first_lost without looking at the disk", seconds_of([&] {
           for (const ResultRow& row : results) found += store->first_lost(row) ? 1 : 0;
         }), count);
  REQUIRE(store->begin());
  const double put = seconds_of([&] {
    for (const StepRow& step : steps) store->put(step);
  });
  report("put(StepRow)", put, count);
  report("commit", seconds_of([&] { REQUIRE(store->commit()); }), 1);
  REQUIRE(store->begin());
  report("put(StepRow) again", seconds_of([&] {
           for (const StepRow& step : steps) store->put(step);
         }), count);
  report("commit", seconds_of([&] { REQUIRE(store->commit()); }), 1);
  report("small turns (one step row each)", seconds_of([&] {
           for (int i = 0; i < 200; ++i) {
             REQUIRE(put_all(*store, steps[static_cast<std::size_t>(i)]));
           }
         }), 200);
  CHECK(found > 0);
  CHECK(put / count < 100e-6);
  store->set_objects(nullptr);
}

TEST_CASE("store: 100,000 past runs", "[.bench]") {
  const TestFolder folder;
  {
    auto store = open_in(folder);
    std::int64_t seq = 0;
    for (RunNumber number = 1; number <= 100000; ++number) {
      if (number % 1000 == 1) REQUIRE(store->begin());
      RunRow run = run_row(number);
      run.state = RunState::succeeded;
      store->put(run);
      for (const char* step : {"ingest", "join", "statistics", "validate", "train"}) {
        store->put(step_row(number, step, "2013-10", StepState::cached, ++seq));
      }
      if (number % 1000 == 0) REQUIRE(store->commit());
    }
  }
  std::printf("state.db: %ju MB\n", std::filesystem::file_size(folder.file("state.db")) >> 20);
  std::unique_ptr<Store> store;
  report("open", seconds_of([&] { store = open_in(folder); }), 1);
  report("recover", seconds_of([&] { REQUIRE(store->recover()); }), 1);
  std::size_t listed = 0;
  const double list = seconds_of([&] { listed = list_runs(*store, {}).size(); });
  report("list_runs, 50", list, 1);
  report("list_runs of a pipeline and state, 50", seconds_of([&] {
           listed += list_runs(*store, {"flights", RunState::succeeded, 50000, 50}).size();
         }), 1);
  report("finished_steps, newest", seconds_of([&] {
           listed += store->finished_steps("flights", "train", "2013-10", true, 1 << 30, 0, 1).size();
         }), 1);
  CHECK(listed == 101);
  CHECK(list < 0.05);
  std::printf("resident memory: %ld KiB\n", resident_kib());
  CHECK(resident_kib() < 100 << 10);
}
