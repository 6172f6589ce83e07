// data.sql: several outputs, places of errors, what must not be reached from a query.
#include <arrow/api.h>

#include <catch2/catch.hpp>

#include "plugins/common/sql_place.h"
#include "tests/plugins/data/validation_case.h"

namespace {

using namespace pipelined;
using testing::FakeContext;
using Json = nlohmann::json;

wire::Ended query(FakeContext& context, const std::string& sql,
                  const Json& queries = Json::object()) {
  context.input_file("t", "files/1", "t.csv", "a,b\n1,x\n2,\n3,z\n");
  context.output("examples", "examples/1");
  for (const auto& [port, text] : queries.items()) context.output(port, "examples/1");
  context.params(Json({{"query", sql}, {"queries", queries}}).dump());
  return context.run(run_data_sql);
}

std::int64_t rows_at(FakeContext& context, const std::string& port) {
  auto reader = ExamplesReader::open({context.output_path(port).string()});
  REQUIRE(reader);
  return reader->row_count();
}

}  // namespace

TEST_CASE("data.sql: errors point at their line and column", "[data][sql]") {
  struct Row {
    const char *sql, *error;
  };
  const Row row = GENERATE(
      Row{"SELECT a,\n  nothere FROM t",
          "query line 2, column 3: Binder Error: Referenced column \"nothere\" not found"},
      Row{"SELECT a,\n  nothere FROM t", "\n  nothere FROM t\n  ^"},
      Row{"SELECT a,\n  now() AS n FROM t", "query line 2, column 3: now() is refused"},
      Row{"SELECT a\nFROM t\nWHERE ORDER BY a", "query line 3, column 7: Parser Error: "},
      Row{"SELECT a\nFROM t\nWHERE ORDER BY a", "\nWHERE ORDER BY a\n      ^"},
      Row{"SELECT 'é' AS é, bb FROM t", "query line 1, column 18: "},
      Row{"SELECT 'é' AS é, bb FROM t", "\nSELECT 'é' AS é, bb FROM t\n                 ^"},
      Row{"SELECT '東京' AS x, bb FROM t", "query line 1, column 19: "},
      Row{"\tSELECT a FROM nowhere", "query line 1, column 16: Catalog Error: "},
      Row{"SELECT a,\n CAST(b AS INTEGER) AS n FROM t", "query line 2, column 2: Conversion Error: "});
  FakeContext context;
  const auto ended = query(context, row.sql);
  CHECK(ended.outcome == Outcome::invalid);
  CHECK_THAT(ended.error, Catch::Contains(row.error));
}

TEST_CASE("data.sql: a place in a long line is that of the whole line", "[data][sql]") {
  std::string sql = "SELECT ";
  for (int i = 0; i < 60; ++i) sql += "a AS column_" + std::to_string(i) + ", ";
  const std::string column = std::to_string(sql.size() + 1);
  sql += "nothere AS x, ";
  for (int i = 60; i < 90; ++i) sql += "a AS column_" + std::to_string(i) + ", ";
  FakeContext context;
  CHECK_THAT(query(context, sql + "a FROM t").error,
             Catch::StartsWith("query line 1, column " + column + ": Binder Error: "));
}

TEST_CASE("data.sql: a message without a place stays as it is", "[data][sql]") {
  CHECK(placed_message("it broke", "SELECT 1") == "query: it broke");
  CHECK(placed_message("E: x\n\nLINE 2: b\n", "a\nb") == "query: E: x\n\nLINE 2: b\n");
  CHECK(placed_message("E: x\n\nLINE 9: b\n        ^", "a\nb") ==
        "query: E: x\n\nLINE 9: b\n        ^");
  CHECK(placed_message("E: x\n\nLINE 2: bc\n         ^", "a\nbc") ==
        "query line 2, column 2: E: x\nbc\n ^");
  CHECK(placed_message("E: x\n\nLINE 1: ...cd...\n            ^", "abcdef") ==
        "query line 1, column 4: E: x\nabcdef\n   ^");
}

TEST_CASE("data.sql: several queries make several outputs", "[data][sql]") {
  FakeContext context;
  const auto ended = query(context, "SELECT * FROM t",
                           {{"some", "SELECT a FROM t WHERE b IS NOT NULL"},
                            {"none", "SELECT a FROM t WHERE a > 7"}});
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(rows_at(context, "examples") == 3);
  CHECK(rows_at(context, "some") == 2);
  CHECK(rows_at(context, "none") == 0);
  FakeContext wrong;
  CHECK_THAT(query(wrong, "SELECT * FROM t", {{"some", "SELECT q FROM t"}}).error,
             Catch::StartsWith("queries.some: query line 1, column 8: Binder Error: "));
  FakeContext refused;
  CHECK_THAT(query(refused, "SELECT * FROM t", {{"some", "SELECT now() AS n"}}).error,
             Catch::StartsWith("queries.some: query line 1, column 8: now() is refused"));
  FakeContext taken;
  CHECK_THAT(query(taken, "SELECT * FROM t", {{"examples", "SELECT 1 AS a"}}).error,
             Catch::StartsWith("queries.examples: the output examples is what query gives"));
}

TEST_CASE("data.sql: neither files nor the network can be reached", "[data][sql]") {
  const std::string sql = GENERATE(
      "SELECT * FROM read_text('/etc/passwd')", "SELECT * FROM read_blob('/etc/*')",
      "SELECT * FROM read_parquet('https://example.org/x.parquet')",
      "SELECT * FROM 'https://example.org/x.csv'", "SELECT * FROM 's3://bucket/x.parquet'",
      "SELECT * FROM \"/etc/passwd\"", "SELECT * FROM read_json('/etc/passwd')",
      "SELECT * FROM sniff_csv('/etc/passwd')", "SELECT * FROM parquet_metadata('/tmp/x')",
      "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
      "LOAD httpfs", "SET enable_external_access = true", "EXPORT DATABASE '/tmp/x'",
      "CREATE TABLE x AS SELECT 1", "PRAGMA database_list", "SELECT getenv('HOME') AS x",
      "WITH x AS (SELECT * FROM read_csv_auto('/etc/passwd')) SELECT * FROM x",
      "SELECT (SELECT count(*) FROM glob('/etc/*')) AS n", "CALL duckdb_settings()",
      "SELECT * FROM which_secret('s3://x', 's3')", "SELECT * FROM 'http' || '://x/y.csv'");
  FakeContext context;
  const auto ended = query(context, sql);
  INFO(sql << " -> " << ended.error);
  CHECK(ended.outcome == Outcome::invalid);
  CHECK_FALSE(ended.error.empty());
}
