// Schemas proposed and changed: the rules, the text around a change, and patches.
#include <catch2/catch.hpp>

#include "plugins/data/schema_changes.h"
#include "plugins/data/schema_words.h"

using namespace pipelined;

namespace {

FeatureFacts column(const std::string& name, const std::string& type, std::int64_t count) {
  FeatureFacts facts;
  facts.name = name;
  facts.type = type;
  facts.count = count;
  return facts;
}

TableFacts table_of(const FeatureFacts& feature) {
  TableFacts facts;
  facts.rows = feature.rows();
  facts.features = {feature};
  return facts;
}

std::string change_of(const std::string& schema, const FeatureFacts& feature) {
  const auto parsed = parse_schema(schema, "s.toml");
  REQUIRE(parsed);
  std::string text;
  for (const SchemaChange& change : schema_changes(*parsed, table_of(feature))) {
    text += change.id + ": " + change.before + " -> " + change.after + ";";
  }
  return text;
}

}  // namespace

TEST_CASE("schema: what is proposed can be read and says why", "[schema]") {
  FeatureFacts odd = column("a b\"", "string", 100);
  odd.complete = true;
  odd.values = {{"x\\", 99}, {"\n", 1}};
  const std::string text = inferred_schema(table_of(odd));
  const auto schema = parse_schema(text, "s");
  INFO(text);
  REQUIRE(schema);
  CHECK(schema->problems.empty());
  CHECK(schema->features.at("a b\"").domain->size() == 2);
  CHECK(schema->features.at("a b\"").presence == 1.0);
}

TEST_CASE("schema: identifiers get no domain, words that are numbers are said to be", "[schema]") {
  FeatureFacts ids = column("id", "string", 200);
  ids.complete = true;
  ids.unique = 200;
  for (int i = 0; i < 200; ++i) ids.values["k" + std::to_string(i)] = 1;
  CHECK(feature_entry(ids, false).find("domain") == std::string::npos);
  CHECK(feature_entry(ids, false).find("unique   = true") != std::string::npos);
  FeatureFacts codes = column("code", "string", 2);
  codes.complete = true;
  codes.values = {{"007", 1}, {"-12", 1}};
  CHECK(feature_entry(codes, false).find("like     = \"int\"") != std::string::npos);
  FeatureFacts flag = column("flag", "int", 10);
  flag.complete = true;
  flag.min = 0;
  flag.max = 1;
  CHECK(feature_entry(flag, false).find("like     = \"bool\"") != std::string::npos);
}

TEST_CASE("schema: presence is the lower end of Wilson's interval", "[schema]") {
  FeatureFacts facts = column("a", "int", 90);
  facts.missing = 10;
  CHECK(likely_presence(facts) == Approx(0.82));  // 0.8256 by statsmodels' proportion_confint
}

TEST_CASE("schema: what does not fit becomes a change", "[schema]") {
  FeatureFacts number = column("n", "int", 10);
  number.min = -2;
  number.max = 70;
  CHECK(change_of("[feature.n]\nmin = 0\nmax = 60\n", number) ==
        "feature.n.min: 0 -> -2;feature.n.max: 60 -> 70;");
  CHECK(change_of("[feature.n]\nmin = -2\nmax = 70\ntype = 'float'\n", number).empty());
  CHECK(change_of("[feature.n]\ntype = 'string'\n", number) ==
        "feature.n.type: \"string\" -> \"int\";");
  CHECK(change_of("[feature.n]\n[feature.gone]\n", number) == "feature.gone.presence:  -> 0;");
  CHECK(change_of("[feature.n]\nmin = 0\nstage = 'alpha'\n", number).empty());
  CHECK(change_of("[dataset]\nmax_rows = 5\n[feature.n]\n", number) == "dataset.max_rows: 5 -> 10;");
}

TEST_CASE("schema: a change keeps the rest of the text", "[schema]") {
  const std::string text = "# é\n[feature.\"ü x\"] # ü\nmin = 1 # ours\n\n[feature.b]\n";
  const auto changed = amended_schema(text, "s.toml", {{"feature.\"ü x\".min", "1", "0", ""},
                                                       {"feature.b.presence", "", "0", ""}});
  REQUIRE(changed);
  CHECK(*changed == "# é\n[feature.\"ü x\"] # ü\nmin = 0 # ours\n\n[feature.b]\npresence = 0\n");
  const auto inline_table =
      amended_schema("feature = { a = { min = 1 } }\n", "s.toml", {{"feature.a.max", "", "2", ""}});
  REQUIRE_FALSE(inline_table);
  CHECK(inline_table.error().message.find("change it by hand") != std::string::npos);
}

TEST_CASE("schema: a patch has the lines around what changed", "[schema]") {
  CHECK(line_patch("a\nb\n", "a\nb\n", "f") == "");
  CHECK(line_patch("1\n2\n3\n4\n5\n6\n", "1\n2\n3\n4\nx\n6\n", "f") ==
        "--- f\n+++ f\n@@ -2,5 +2,5 @@\n 2\n 3\n 4\n-5\n+x\n 6\n");
  const std::string far = line_patch("a\n1\n2\n3\n4\n5\n6\n7\n8\nb\n",
                                     "x\n1\n2\n3\n4\n5\n6\n7\n8\ny\n", "f");
  CHECK(far == "--- f\n+++ f\n@@ -1,4 +1,4 @@\n-a\n+x\n 1\n 2\n 3\n"
               "@@ -7,4 +7,4 @@\n 6\n 7\n 8\n-b\n+y\n");
}
