// Compiling: names resolved, places known, in time that grows with the text.
#include <chrono>

#include "tests/support/engine_world.h"

using namespace pipelined;

namespace {

StepSpec step_named(const std::string& name, const std::string& parent) {
  StepSpec step;
  step.name = name;
  step.operator_id = "one";
  if (parent.empty()) return step;
  InputSpec input;
  input.port = "in";
  input.step = parent;
  step.inputs.push_back(input);
  return step;
}

}  // namespace

TEST_CASE("pipeline: what stands below a collection is known through any number of steps",
          "[dag][pipeline]") {
  EngineWorld world;
  const auto pipeline = world.compiled(R"(
name = "x"
[source.s]
path = "{SPAN}.csv"
[step.read]
foreach = "source.s"
operator = "single"
in.in = "each"
[step.all]
operator = "many"
in.in = "read"
[step.model]
operator = "one"
in.in = "all"
[step.score]
foreach = "read"
operator = "single"
in.in = "read"
after = ["model"]
[step.tell]
foreach = "score"
operator = "single"
in.in = "score"
)");
  for (const auto& [name, below] : std::map<std::string, bool>{
           {"read", false}, {"all", false}, {"model", false}, {"score", true}, {"tell", true}}) {
    INFO(name);
    CHECK(pipeline->steps[pipeline->find(name)].below_collector == below);
  }
}

TEST_CASE("pipeline: a cycle that check did not see is an error", "[dag][pipeline]") {
  PipelineSpec spec;
  spec.name = "x";
  spec.steps = {step_named("a", "b"), step_named("b", "a")};
  const auto pipeline = compile(spec, fake_operators(), {}, sha256("x"));
  REQUIRE_FALSE(pipeline);
  CHECK(pipeline.error().message == "the steps of x form a cycle");
}

// A hundred times the steps may cost a few hundred times as long, never ten thousand times.
TEST_CASE("pipeline: compiling takes time in proportion to the steps", "[dag][pipeline]") {
  const auto seconds = [](int steps) {
    PipelineSpec spec;
    spec.name = "x";
    SourceSpec source;
    source.name = "s";
    source.path = "{SPAN}.csv";
    spec.sources.push_back(source);
    for (int i = 0; i < steps; ++i) {
      StepSpec step = step_named("s" + std::to_string(i), i == 0 ? "" : "s" + std::to_string(i - 1));
      step.foreach = ForeachSpec{"s", true, {}, {}};
      spec.steps.push_back(step);
    }
    const auto begin = std::chrono::steady_clock::now();
    const auto pipeline = compile(spec, fake_operators(), {}, sha256("x"));
    REQUIRE(pipeline);
    CHECK((*pipeline)->steps.front().depth_to_end == steps - 1);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const double few = seconds(200);
  const double many = seconds(20'000);
  INFO(few << " s, " << many << " s");
  CHECK(many < 2000 * few);
}
