// `pipectl schema …` on plain files, with real workers and without a daemon.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "tests/cli/plain_files.h"

using namespace pipelined;
using pipelined::test::PlainFiles;
using Catch::Matchers::Contains;

namespace {

std::string table(const std::string& more = {}) {
  std::string csv = "id,colour,late\n";
  for (int i = 0; i < 60; ++i) {
    csv += std::to_string(i) + (i % 2 ? ",red,true\n" : ",blue,false\n");
  }
  return csv + more;
}

}  // namespace

TEST_CASE("schema infer: data follows the schema that was proposed from it", "[cli]") {
  PlainFiles files;
  const std::string file = files.write("a.csv", table());
  REQUIRE(files.run({"schema", "infer", file, "--label", "late"}) == 0);
  CHECK_THAT(files.out, Contains("domain   = [\"blue\", \"red\"]  # 2 values in 60 rows"));
  const std::string schema = files.write("s.toml", files.out);
  REQUIRE(files.run({"schema", "check", file, "--schema", schema}) == 0);
  CHECK_THAT(files.err, Contains("0 anomalies: pass"));
  REQUIRE(files.run({"schema", "diff", file, "--schema", schema}) == 0);
  CHECK(files.out.empty());
  CHECK_THAT(files.err, Contains("the data follows the schema"));
  REQUIRE(files.run({"schema", "infer", file, "--json"}) == 0);
  CHECK(nlohmann::json::parse(files.out)["schema"].get<std::string>().starts_with("# Proposed"));
}

TEST_CASE("schema check: a halt ends with 3 and shows rows; an environment expects less", "[cli]") {
  PlainFiles files;
  const std::string schema = files.write(
      "s.toml", "[feature.id]\nmax = 59\n[feature.colour]\n[feature.late]\nnot_in = ['serving']\n");
  const std::string good = files.write("a.csv", table());
  const std::string bad = files.write("b.csv", table("99,red,true\n"));
  const std::string served = files.write("c.csv", "id,colour\n1,red\n");
  CHECK(files.run({"schema", "check", good, "--schema", schema}) == 0);
  CHECK(files.run({"schema", "check", bad, "--schema", schema}) == 3);
  CHECK_THAT(files.out, Contains("id goes up to 99, at most 59 is expected") &&
                            Contains("row 61: colour = red, id = 99, late = true"));
  CHECK(files.run({"schema", "check", bad, "--schema", schema, "--json"}) == 3);
  CHECK(nlohmann::json::parse(files.out)["verdict"] == "halt");
  CHECK(files.run({"schema", "check", served, "--schema", schema}) == 3);
  CHECK(files.run({"schema", "check", served, "--schema", schema, "--environment", "serving"}) == 0);
  CHECK(files.run({"schema", "check", good}) == 2);
}

TEST_CASE("schema amend: what was chosen is changed, and all else stays", "[cli]") {
  PlainFiles files;
  const std::string text =
      "# ours\n[feature.id]\nmax = 59 # checked with the shop\n\n[feature.colour]\ndomain = [\n"
      "  \"blue\",\n  \"red\"\n]\n[feature.late]\n";
  const std::string schema = files.write("s.toml", text);
  const std::string file = files.write("b.csv", table("99,green,true\n"));
  CHECK(files.run({"schema", "amend", file, "--schema", schema}) == 2);
  CHECK(files.run({"schema", "amend", file, "--schema", schema, "--apply", "feature.nothere"}) == 2);
  CHECK_THAT(files.err, Contains("there are feature.colour.domain, feature.id.max"));
  CHECK(files.read("s.toml") == text);
  REQUIRE(files.run({"schema", "amend", file, "--schema", schema, "--apply", "feature.id"}) == 0);
  CHECK_THAT(files.read("s.toml"), Contains("max = 99 # checked with the shop"));
  CHECK_THAT(files.read("s.toml"), Contains("  \"blue\",\n  \"red\"\n]"));
  REQUIRE(files.run({"schema", "amend", file, "--schema", schema, "--apply", "all"}) == 0);
  CHECK(files.read("s.toml") ==
        "# ours\n[feature.id]\nmax = 99 # checked with the shop\n\n[feature.colour]\n"
        "domain = [\"blue\", \"red\", \"green\"]\n[feature.late]\n");
  REQUIRE(files.run({"schema", "check", file, "--schema", schema}) == 0);
}
