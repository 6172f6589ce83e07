// Pipelines that a program wrote: a hundred thousand steps, counted in bytes rather than in seconds.
#include <malloc.h>

#include <catch2/catch.hpp>

#include "dag/check.h"
#include "dag/pipeline.h"
#include "dag/selection.h"
#include "dag/spec_toml.h"
#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

// Every step reads one of ten times fewer before it.
std::string text_of_steps(int count) {
  std::string text = "name = \"large\"\n[step.s0]\noperator = \"test.copy\"\n";
  for (int i = 1; i < count; ++i) {
    text += "[step.s" + std::to_string(i) + "]\noperator = \"test.copy\"\nin.from = \"s" +
            std::to_string((i - 1) / 10) + "\"\n";
  }
  return text;
}

OperatorSet copying() {
  OperatorInfo copy = fake_operator("test.copy", {port("from", "files/1", false)},
                                    {port("to", "files/1")}, {});
  copy.inputs.front().optional = true;
  copy.doc = std::string(5000, 'x');  // what an operator says of itself is not there once a step
  return {{copy.id, copy}};
}

std::shared_ptr<const Pipeline> compiled(int count) {
  const OperatorSet operators = copying();
  const std::string text = text_of_steps(count);
  ParsedPipeline parsed = parse_pipeline(text, "large.toml");
  REQUIRE(parsed.problems.empty());
  REQUIRE(check(*parsed.spec, operators, {{"pipeline.toml", text}}, "large.toml").empty());
  const auto pipeline = compile(*std::move(parsed.spec), operators, {}, sha256(text));
  REQUIRE(pipeline);
  return *pipeline;
}

}  // namespace

TEST_CASE("large pipeline: a hundred thousand steps are read, checked and put in order",
          "[dag][large]") {
  constexpr int count = 100'000;
  const auto pipeline = compiled(count);
  REQUIRE(pipeline->steps.size() == count);
  CHECK(pipeline->steps[pipeline->find("s99999")].parents ==
        std::vector<StepIndex>{pipeline->find("s9999")});
  CHECK(pipeline->steps[pipeline->find("s0")].depth_to_end == 5);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
// The heap of glibc; a sanitizer brings its own, with guards around every block.
std::size_t bytes_in_use() {
  const struct mallinfo2 all = ::mallinfo2();
  return all.uordblks + all.hblkhd;
}

TEST_CASE("large pipeline: a step takes 2,400 bytes, however many there are", "[dag][large]") {
  for (const int count : {2'000, 20'000}) {
    const std::size_t before = bytes_in_use();
    const auto pipeline = compiled(count);
    const std::size_t taken = bytes_in_use() - before;
    CAPTURE(count, taken);
    CHECK(taken / static_cast<std::size_t>(count) <= 2'500);
    CHECK(pipeline->steps.size() == static_cast<std::size_t>(count));
  }
}
#endif

TEST_CASE("large pipeline: steps stand once, and the file's order can be had again",
          "[dag][large]") {
  const std::string text = "name = \"two\"\n[step.last]\noperator = \"test.copy\"\nin.from = \"first\"\n"
                           "[step.first]\noperator = \"test.copy\"\n";
  const ParsedPipeline parsed = parse_pipeline(text, "two.toml");
  REQUIRE(parsed.spec);
  const auto pipeline = compile(*parsed.spec, copying(), {}, sha256(text));
  REQUIRE(pipeline);
  CHECK((*pipeline)->spec.steps.empty());
  CHECK((*pipeline)->steps.front().spec.name == "first");
  CHECK(&*(*pipeline)->steps[0].info == &*(*pipeline)->steps[1].info);
  const PipelineSpec whole = (*pipeline)->whole_spec();
  REQUIRE(whole.steps.size() == 2);
  CHECK(whole.steps[0].name == "last");
  CHECK(*select_steps(**pipeline, "") == std::vector<std::string>{"last", "first"});
  CHECK(*select_steps(**pipeline, "first+") == std::vector<std::string>{"last", "first"});
}
