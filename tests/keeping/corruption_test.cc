// A thousand artifacts damaged in six ways: every one is found, by a look at all and by a first read.
#include <catch2/catch.hpp>

#include <random>

#include "tests/keeping/keeping_world.h"

using namespace pipelined;

namespace {

constexpr std::size_t count = 1000;

std::string text_of_object(std::size_t i) { return "artifact number " + std::to_string(i); }

/// A thousand artifacts, each made by a run of its own, stored as one attempt's outputs.
std::vector<ArtifactRef> make_artifacts(KeepingWorld& world) {
  AttemptPlan plan;
  plan.start.attempt = "01K";
  plan.folder = world.artifacts->attempt_folder("01K");
  std::vector<OutputSpec> outputs;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string port = "p" + std::to_string(i);
    write_text(plan.folder + "/out/" + port, text_of_object(i));
    OutputSpec output;
    output.port = port, output.type = "examples/1";
    outputs.push_back(output);
  }
  std::optional<Result<ArtifactPort::Promoted>> promoted;
  world.artifacts->promote(plan, outputs, [&](auto result) { promoted = std::move(result); });
  world.loop.run_until([&] { return promoted.has_value(); });
  REQUIRE(*promoted);
  REQUIRE((*promoted)->outputs.size() == count);
  std::vector<ArtifactRef> made;
  REQUIRE(world.store->begin());
  for (const Binding& output : (*promoted)->outputs) {
    const auto number = static_cast<RunNumber>(made.size()) + 1;
    RunRow run = run_row(number);
    run.state = RunState::succeeded, run.ended_at = 1000, run.created_seq = world.next_seq();
    ResultRow result = result_row(number, "make", "", std::to_string(number), world.next_seq());
    result.run = number, result.outputs = {{"out", 0, output.artifact}};
    StepRow step = step_row(number, "make", "", StepState::succeeded, world.next_seq());
    step.key = result.key, step.result = number;
    world.store->put(run), world.store->put(result), world.store->put(step);
    made.push_back(output.artifact);
  }
  REQUIRE(world.store->commit());
  return made;
}

/// Writes other bytes and leaves name and mode as they were.
void overwrite(const std::string& path, const std::string& bytes) {
  REQUIRE(::chmod(path.c_str(), 0644) == 0);
  write_text(path, bytes);
  REQUIRE(::chmod(path.c_str(), 0444) == 0);
}

}  // namespace

TEST_CASE("corruption: 1,000 of 1,000 damaged artifacts are found, with their runs",
          "[keeping][corruption]") {
  KeepingWorld world;
  const std::vector<ArtifactRef> made = make_artifacts(world);
  CHECK(violated(world.look(true)).empty());
  std::mt19937 random(20260131);
  std::set<RunNumber> damaged;   // runs whose bytes are wrong
  std::int64_t left = 0;         // objects that are there and wrong in bytes or mode
  for (std::size_t i = 0; i < count; ++i) {
    const std::string text = text_of_object(i), path = world.object_of(text);
    std::string bytes = text;
    const std::size_t kind = i % 6 == 3 && i + 6 >= count ? 0 : i % 6;
    if (kind == 0) {
      bytes[random() % bytes.size()] ^= static_cast<char>(1 << random() % 8);
      overwrite(path, bytes);
    } else if (kind == 1) {
      overwrite(path, bytes.substr(0, random() % bytes.size()));
    } else if (kind == 2) {
      overwrite(path, std::string(bytes.size(), '\0'));
    } else if (kind == 3) {
      overwrite(path, text_of_object(i + 6));  // the bytes of another object
    } else if (kind == 4) {
      REQUIRE(::unlink(path.c_str()) == 0);
    } else {
      REQUIRE(::chmod(path.c_str(), 0666) == 0);
    }
    if (kind != 4) ++left;
    if (kind != 5) damaged.insert(static_cast<RunNumber>(i) + 1);
  }
  const Report report = world.look(true);
  CHECK(violated(report) == "I2 I3");
  CHECK(row_of(report, "I2").runs == damaged);
  CHECK(row_of(report, "I2").found == static_cast<std::int64_t>(damaged.size()));
  CHECK(row_of(report, "I3").found == left);
  CHECK(static_cast<std::size_t>(left) + count / 6 + (count % 6 > 4 ? 1 : 0) == count);

  // Whoever reads one first finds it too, and nothing wrong is handed out.
  std::size_t refused = 0, answered = 0;
  for (const ArtifactRef& artifact : made) {
    world.artifacts->verify(artifact.digest, [&](Result<Verdict> verdict) {
      ++answered;
      if (verdict && !verdict->whole) ++refused;
    });
  }
  world.loop.run_until([&] { return answered == count; });
  CHECK(refused == damaged.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto text = world.artifacts->read_file(made[i].digest, "");
    CHECK(text.has_value() == (damaged.count(static_cast<RunNumber>(i) + 1) == 0));
  }
}
