#include "dag/selection.h"

#include <catch2/catch.hpp>

#include "dag/spec_toml.h"

using namespace pipelined;

namespace {

// ingest → validate → split → train → evaluate → report;  validate → plot
PipelineSpec spec() {
  const auto parsed = parse_pipeline(R"(name = "p"
[step.ingest]
operator = "a.b"
[step.validate]
operator = "a.b"
in.x = "ingest"
tags = ["data", "nightly"]
[step.split]
operator = "a.b"
in.x = "validate.examples"
tags = ["data"]
[step.train]
operator = "a.b"
in.x = "split.train"
tags = ["model"]
[step.evaluate]
operator = "a.b"
in.model = "train"
in.old = { latest = "train" }
tags = ["model", "nightly"]
[step.report]
operator = "a.b"
after = ["evaluate"]
[step.plot]
operator = "a.b"
in.x = { newest = "validate.examples" }
)",
                                     "p");
  REQUIRE(parsed.spec);
  return *parsed.spec;
}

using Names = std::vector<std::string>;

Names selected(const std::string& expression) {
  const auto names = select_steps(spec(), expression);
  INFO(expression);
  REQUIRE(names);
  return *names;
}

}  // namespace

TEST_CASE("selection: one step, what it needs, what needs it", "[selection]") {
  CHECK(selected("train") == Names{"train"});
  CHECK(selected("+split") == Names{"ingest", "validate", "split"});
  CHECK(selected("train+") == Names{"train", "evaluate", "report"});
  CHECK(selected("+train+") ==
        Names{"ingest", "validate", "split", "train", "evaluate", "report"});
  CHECK(selected("validate+").size() == 6);
}

TEST_CASE("selection: tags and patterns", "[selection]") {
  CHECK(selected("tag:data") == Names{"validate", "split"});
  CHECK(selected("tag:night*") == Names{"validate", "evaluate"});
  CHECK(selected("*t*n") == Names{"train"});
  CHECK(selected("+tag:data") == Names{"ingest", "validate", "split"});
}

TEST_CASE("selection: blanks unite, commas intersect, ! takes away", "[selection]") {
  CHECK(selected("train plot") == Names{"train", "plot"});
  CHECK(selected("plot  train") == Names{"train", "plot"});  // always in file order
  CHECK(selected("tag:model,tag:nightly") == Names{"evaluate"});
  CHECK(selected("+report,tag:data ingest") == Names{"ingest", "validate", "split"});
  CHECK(selected("validate+ !tag:model") == Names{"validate", "split", "report", "plot"});
  CHECK(selected("!report !plot").size() == 5);
  CHECK(selected("").size() == 7);
}

TEST_CASE("selection: a word that names nothing is an error with the nearest name", "[selection]") {
  const auto step = select_steps(spec(), "+trian");
  REQUIRE_FALSE(step);
  CHECK(step.error().code == ErrorCode::not_found);
  CHECK_THAT(step.error().message, Catch::Contains("'+trian' names no step"));
  CHECK_THAT(step.error().message, Catch::Contains("did you mean 'train'?"));
  const auto tag = select_steps(spec(), "tag:nightli");
  REQUIRE_FALSE(tag);
  CHECK_THAT(tag.error().message, Catch::Contains("did you mean 'nightly'?"));
}
