// Keys that the grammar knows and nothing acts on yet are refused, not taken silently.
#include "tests/support/engine_world.h"

using namespace pipelined;

TEST_CASE("check: a limit that nothing keeps is refused", "[dag][check]") {
  const auto problems = [](const std::string& more) {
    const std::string text = "name = \"x\"\n[step.a]\noperator = \"one\"\n" + more;
    const ParsedPipeline parsed = parse_pipeline(text, "pipeline.toml");
    REQUIRE(parsed.spec);
    std::string all;
    for (const Diagnostic& d : check(*parsed.spec, fake_operators(), {}, "pipeline.toml")) {
      if (!d.warning) all += d.message + "\n";
    }
    return all;
  };
  CHECK(problems("").empty());
  CHECK(problems("timeout = { execution = \"1m\" }\nresources = { cpus = 1 }\n").empty());
  CHECK(problems("pool = { name = \"gpu\", slots = 2 }\n").empty());
  CHECK(problems("timeout = { queue = \"1m\", progress = \"1m\" }\n").empty());
  CHECK(problems("resources = { scratch = \"1GiB\", gpus = 1 }\n").empty());
  CHECK(problems("group = \"heavy\"\n").find("unknown group 'heavy'") != std::string::npos);
  CHECK(problems("group = \"heavy\"\n[group.heavy]\nmax_parallel = 2\n").empty());
  CHECK(problems("[run]\ndeadline = \"1h\"\n").empty());
}
