// Work on pieces side by side: order, errors, ends.
#include <atomic>
#include <catch2/catch.hpp>
#include <stdexcept>

#include "plugins/common/ordered_work.h"

namespace {

using namespace pipelined;

struct Outcome {
  Result<void> result;
  std::vector<int> taken;
  int produced = 0;
};

/// Numbers from 0 on, doubled; `bad` fails in the stage that is named.
Outcome run(int threads, int count, int bad = -1, const std::string& stage = "") {
  Outcome outcome;
  const auto fail = [&](const char* name, int number) { return number == bad && stage == name; };
  const Error error{ErrorCode::invalid, "bad " + std::to_string(bad)};
  outcome.result = ordered_work<int>(
      threads,
      [&](int& piece) -> Result<bool> {
        if (fail("produce", outcome.produced)) return error;
        piece = outcome.produced;
        return outcome.produced++ < count;
      },
      [&](int piece) -> Result<int> {
        if (fail("work", piece)) return error;
        if (fail("throw", piece)) throw std::runtime_error("thrown");
        return piece * 2;
      },
      [&](int doubled) -> Result<void> {
        if (fail("consume", doubled / 2)) return error;
        outcome.taken.push_back(doubled);
        return {};
      });
  return outcome;
}

}  // namespace

TEST_CASE("ordered work: results come in the order of the pieces", "[threads]") {
  const int threads = GENERATE(1, 2, 7);
  const Outcome outcome = run(threads, 500);
  REQUIRE(outcome.result);
  REQUIRE(outcome.taken.size() == 500);
  for (int i = 0; i < 500; ++i) CHECK(outcome.taken[static_cast<std::size_t>(i)] == 2 * i);
  CHECK(run(threads, 0).taken.empty());
}

TEST_CASE("ordered work: the first error in order ends it, and all before it is taken", "[threads]") {
  const int threads = GENERATE(1, 2, 7);
  const std::string stage = GENERATE("produce", "work", "consume");
  CAPTURE(threads, stage);
  const Outcome outcome = run(threads, 500, 40, stage);
  REQUIRE_FALSE(outcome.result);
  CHECK(outcome.result.error().message == "bad 40");
  CHECK(outcome.taken.size() == 40);
  CHECK(outcome.produced <= 41 + 3 * threads);
}

TEST_CASE("ordered work: an exception on a thread becomes an error", "[threads]") {
  const Outcome outcome = run(3, 50, 20, "throw");
  REQUIRE_FALSE(outcome.result);
  CHECK(outcome.result.error().message == "thrown");
  CHECK(outcome.taken.size() == 20);
}
