// One file for several environments.
#include <catch2/catch.hpp>

#include "dag/spec_toml.h"

using namespace pipelined;

namespace {

constexpr const char* text = R"(
name = "flights"
[params]
depth = 6
rounds = 100
[source.s]
path = "in/{YYYY}.csv"
[step.train]
operator = "train.trees"
params.max_depth = "${depth}"
retry = { max = 1, backoff = "2s" }
tags = ["a", "b"]

[environment.prod]
name = "flights-prod"
params.depth = 8
source.s.path = "/data/{YYYY}.csv"
step.train.retry.max = 5
step.train.tags = ["prod"]

[environment.broken]
step.train.retry.max = "many"
)";

}  // namespace

TEST_CASE("environment: without one the file is as it stands", "[dag][spec]") {
  const ParsedPipeline parsed = parse_pipeline(text, "p.toml");
  REQUIRE(parsed.spec);
  CHECK(parsed.spec->name == "flights");
  CHECK(parsed.spec->steps.at(0).retry.max == 1);
}

TEST_CASE("environment: tables are merged and everything else is replaced", "[dag][spec]") {
  const ParsedPipeline parsed = parse_pipeline(text, "p.toml", {}, "prod");
  REQUIRE(parsed.spec);
  CHECK(parsed.spec->name == "flights-prod");
  CHECK(*parsed.spec->params.at("depth").as_int() == 8);
  CHECK(*parsed.spec->params.at("rounds").as_int() == 100);
  CHECK(parsed.spec->sources.at(0).path == "/data/{YYYY}.csv");
  const StepSpec& train = parsed.spec->steps.at(0);
  CHECK(train.retry.max == 5);
  CHECK(train.retry.backoff_ms == 2000);
  CHECK(train.tags == std::vector<std::string>{"prod"});
}

TEST_CASE("environment: what is wrong in one is told with its place", "[dag][spec]") {
  const ParsedPipeline broken = parse_pipeline(text, "p.toml", {}, "broken");
  CHECK_FALSE(broken.spec);
  REQUIRE(broken.problems.size() == 1);
  CHECK(broken.problems[0].at.line == 22);
  const ParsedPipeline unknown = parse_pipeline(text, "p.toml", {}, "staging");
  REQUIRE(unknown.problems.size() == 1);
  CHECK(unknown.problems[0].message ==
        "the file has no [environment.staging]; it has broken, prod");
  const ParsedPipeline no_table = parse_pipeline("environment = 3\nname = \"x\"\n", "p.toml");
  CHECK(no_table.problems.at(0).message.find("must be tables") != std::string::npos);
}
