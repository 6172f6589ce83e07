// The data operators as functions: what they write and what they refuse.
#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/table.h>

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operators/testing/fake_context.h"
#include "plugins/common/examples.h"
#include "plugins/common/table_source.h"
#include "plugins/data/operators.h"
#include "tests/plugins/data/validation_case.h"

namespace {

using namespace pipelined;
using namespace pipelined::data_tests;
using testing::FakeContext;
using Json = nlohmann::json;

std::shared_ptr<arrow::Table> table(const std::string& folder) {
  auto reader = ExamplesReader::open({folder});
  REQUIRE(reader);
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  for (auto batch = reader->next(); *batch; batch = reader->next()) batches.push_back(*batch);
  return arrow::Table::FromRecordBatches(reader->schema(), batches).ValueOrDie();
}

wire::Ended query(FakeContext& context, const std::string& sql) {
  context.params(Json{{"query", sql}}.dump());
  context.input("t", "examples/1", examples(context, "t", "a,b\n1,x\n2,y\n3,\n"));
  context.output("examples", "examples/1");
  return context.run(run_data_sql);
}

}  // namespace

TEST_CASE("data.sql: a query over a named input", "[data][sql]") {
  FakeContext context;
  const auto ended = query(context, "SELECT sum(a) AS s, count(b) AS n, 0.5 AS h FROM t; -- end");
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  const auto result = table(context.output_path("examples").string());
  CHECK(result->schema()->ToString() == "s: int64\nn: int64\nh: double");
  CHECK(result->column(0)->GetScalar(0).ValueOrDie()->ToString() == "6");
  CHECK(result->column(1)->GetScalar(0).ValueOrDie()->ToString() == "2");
}

TEST_CASE("data.sql: what does not follow from the inputs is refused", "[data][sql]") {
  const std::string sql = GENERATE(
      "SELECT now() AS x FROM t", "SELECT random() AS x", "SELECT uuid() AS x",
      "SELECT current_date AS x", "SELECT \"random\" () AS x", "SELECT today() AS x",
      "SELECT * FROM t USING SAMPLE 1", "SELECT * FROM read_csv('/etc/passwd')",
      "SELECT * FROM '/etc/passwd.csv'", "SELECT * FROM glob('/*')",
      "SELECT * FROM duckdb_settings()", "SELECT * FROM duckdb_views", "ATTACH 'x.db'",
      "COPY t TO '/tmp/x.csv'", "SELECT 1 AS a; SELECT 2 AS a", "SET threads = 4", "",
      "SELECT current_setting('threads') AS x", "INSTALL httpfs", "DROP VIEW t",
      "SELECT * FROM information_schema.tables", "SELECT getvariable('x') AS x");
  FakeContext context;
  const auto ended = query(context, sql);
  INFO(sql << " -> " << ended.error);
  CHECK(ended.outcome == Outcome::invalid);
  CHECK_FALSE(ended.error.empty());
}

TEST_CASE("data.statistics: counts, extremes and quantiles of a small table", "[data][statistics]") {
  FakeContext context;
  const Json json = statistics(context, "x", "late,n,s,f\ntrue,1,a,0.5\nfalse,2,é,nan\n,4,a,-0.0\n");
  CHECK(json["rows"] == 3);
  CHECK(json["label"] == "late");
  const Json& late = json["features"][0];
  CHECK(late["missing"] == 1);
  CHECK(late["true"] == 1);
  const Json& n = json["features"][1];
  CHECK(n["median"] == 2.0);
  CHECK(n["max"] == 4);
  CHECK(n["quantiles"][4]["value"] == 2.0);
  const Json& s = json["features"][2];
  CHECK(s["unique"] == 2);
  CHECK(s["length_mean"] == 1.0);
  CHECK(s["top_values"][0] == Json({{"value", "a"}, {"count", 2}}));
  const Json& f = json["features"][3];
  CHECK(f["nan"] == 1);
  CHECK(f["zeros"] == 1);
  CHECK(f["mean"] == 0.25);
}

TEST_CASE("data.split: every row goes to one share, wherever it stands", "[data][split]") {
  std::string csv = "id,v\n";
  for (int i = 0; i < 1000; ++i) csv += std::to_string(i) + ",x\n";
  const auto split = [&](const std::string& shares, std::vector<std::string> ports) {
    auto context = std::make_unique<FakeContext>();
    context->params("{\"key\":[\"id\"],\"shares\":" + shares + "}");
    context->input("examples", "examples/1", examples(*context, "all", csv));
    for (const std::string& port : ports) context->output(port, "examples/1");
    const auto ended = context->run(run_data_split);
    INFO(ended.error);
    REQUIRE(ended.outcome == Outcome::ok);
    return context;
  };
  const auto two = split(R"({"train":8,"eval":2})", {"train", "eval"});
  const auto train = table(two->output_path("train").string());
  const auto eval = table(two->output_path("eval").string());
  CHECK(train->num_rows() + eval->num_rows() == 1000);
  CHECK(eval->num_rows() > 150);
  CHECK(eval->num_rows() < 250);
  const auto three = split(R"({"train":6,"train_tuning":2,"eval":2})", {"train_tuning", "eval"});
  CHECK(table(three->output_path("eval").string())->Equals(*eval));
}
