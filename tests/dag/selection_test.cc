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
group = "prepare"
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
  CHECK_THAT(step.error().message, Catch::Contains("at character 1: 'trian' names no step"));
  CHECK_THAT(step.error().message, Catch::Contains("did you mean 'train'?"));
  const auto tag = select_steps(spec(), "tag:nightli");
  REQUIRE_FALSE(tag);
  CHECK_THAT(tag.error().message, Catch::Contains("did you mean 'nightly'?"));
}

TEST_CASE("selection: so many levels up and down", "[selection]") {
  CHECK(selected("1+train") == Names{"split", "train"});
  CHECK(selected("2+train+1") == Names{"validate", "split", "train", "evaluate"});
  CHECK(selected("train+1") == Names{"train", "evaluate"});
  CHECK(selected("0+train") == Names{"train"});
  CHECK(selected("+train+1").size() == 5);
}

TEST_CASE("selection: steps, tags and groups by their method", "[selection]") {
  CHECK(selected("step:e*") == Names{"evaluate"});
  CHECK(selected("group:prepare") == Names{"split"});
  CHECK(selected("1+group:pre*+1") == Names{"validate", "split", "train"});
  CHECK(selected("step:train") == Names{"train"});
}

TEST_CASE("selection: and, or, not and parentheses", "[selection]") {
  CHECK(selected("tag:model and tag:nightly") == Names{"evaluate"});
  CHECK(selected("train or plot") == Names{"train", "plot"});
  CHECK(selected("tag:model and not train") == Names{"evaluate"});
  CHECK(selected("not (tag:model or tag:data)") == Names{"ingest", "report", "plot"});
  CHECK(selected("+train and not (tag:data and not split)") == Names{"ingest", "split", "train"});
  CHECK(selected("not train and not plot").size() == 5);
  CHECK(selected("train or tag:data and tag:nightly") == Names{"validate", "train"});  // and first
  CHECK(selected("(train or tag:data) and tag:nightly") == Names{"validate"});
  CHECK(selected("!(train plot)").size() == 5);
}

TEST_CASE("selection: an error says at which character what is wrong", "[selection]") {
  const std::pair<const char*, const char*> wrong[] = {
      {"(train", "at character 7: ')' is missing"},
      {"train)", "at character 6: ')' closes nothing"},
      {"train and", "at character 10: a step is missing at the end"},
      {"train or or plot", "at character 10: a step is missing"},
      {"and train", "at character 1: a step is missing before 'and'"},
      {"train ()", "at character 8: a step is missing"},
      {"train colour:red", "at character 7: 'colour:' is none of step:, tag: and group:"},
      {"train+x", "at character 1: a number or nothing follows '+', not 'x'"},
      {"99999999999+train", "at character 1: '99999999999' is no number of levels"},
      {"tag:", "at character 1: a name is missing"},
      {"group:prepair", "did you mean 'prepare'?"},
      {"not", "at character 4: a step is missing at the end"}};
  for (const auto& [expression, expected] : wrong) {
    INFO(expression);
    const auto names = select_steps(spec(), expression);
    REQUIRE_FALSE(names);
    CHECK_THAT(names.error().message, Catch::Contains(expected));
  }
  const std::string deep = std::string(5000, '(') + "train" + std::string(5000, ')');
  CHECK_THAT(select_steps(spec(), deep).error().message, Catch::Contains("nested too deeply"));
}
