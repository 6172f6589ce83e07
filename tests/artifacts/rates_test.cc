// Rates of the artifacts on this machine; hidden, run with `artifacts_tests "[.bench]"`.
#include <catch2/catch.hpp>

#include <chrono>
#include <cstdio>
#include <functional>

#include "tests/artifacts/artifacts_world.h"

using namespace pipelined;

namespace {

double seconds_of(const std::function<void()>& work) {
  const auto before = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
}

}  // namespace

TEST_CASE("artifacts: rates of 10,000 attempts with 1 KiB each", "[.bench]") {
  constexpr int count = 10000, turn = 250;
  const TestFolder folder;
  ArtifactsWorld world(folder.file("store"));
  double preparing = 0, promoting = 0, discarding = 0;
  std::vector<Manifest> manifests;
  for (int first = 0; first < count; first += turn) {
    std::vector<AttemptPlan> plans(turn);
    int finished = 0;
    preparing += seconds_of([&] {
      for (int i = 0; i < turn; ++i) {
        effect::StartAttempt start;
        start.attempt = "A" + std::to_string(first + i);
        world.artifacts->prepare(start, [&, i](Result<AttemptPlan> plan) {
          plans[static_cast<std::size_t>(i)] = *plan;
          ++finished;
        });
      }
      world.loop.run_until([&] { return finished == turn; });
    });
    for (const AttemptPlan& plan : plans) {
      std::ofstream(plan.folder + "/out/x") << plan.folder << std::string(1000, 'x');
    }
    finished = 0;
    promoting += seconds_of([&] {
      for (const AttemptPlan& plan : plans) {
        world.artifacts->promote(plan, ArtifactsWorld::specs({"x"}),
                                 [&](Result<ArtifactPort::Promoted>) { ++finished; });
      }
      world.loop.run_until([&] { return finished == turn; });
    });
    discarding += seconds_of([&] {
      for (const AttemptPlan& plan : plans) world.artifacts->discard(plan.start.attempt, true);
      world.settle();
    });
    for (const Manifest& manifest : world.artifacts->unrecorded()) manifests.push_back(manifest);
    world.record();
  }
  const auto rate = [](const char* what, double seconds) {
    std::printf("%-28s %8.0f a second, %6.1f us each\n", what, count / seconds,
                seconds * 1e6 / count);
  };
  rate("prepare (no inputs)", preparing);
  rate("promote (turns of 250)", promoting);
  rate("discard", discarding);
  bool whole = true;
  rate("is_whole", seconds_of([&] {
         for (const Manifest& manifest : manifests) {
           whole = whole && world.artifacts->is_whole(manifest);
         }
       }));
  CHECK(whole);
  CHECK(manifests.size() == count);
}
