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

namespace {

using namespace pipelined;
using testing::FakeContext;
using Json = nlohmann::json;

/// Examples out of CSV text, in a folder of the context's.
std::string examples(FakeContext& context, const std::string& name, const std::string& csv) {
  const auto folder = context.folder() / name;
  std::filesystem::create_directories(folder);
  const std::string file = (context.folder() / (name + ".csv")).string();
  REQUIRE(write_text(file, csv));
  auto source = open_table({file}, {});
  REQUIRE(source);
  auto writer = ExamplesWriter::create(folder.string(), (*source)->schema());
  REQUIRE(writer);
  REQUIRE((*source)->read(1000, [&](auto batch) { return writer->write(std::move(batch)); },
                          [](const RejectedRow&) { return Result<void>(); }));
  REQUIRE(writer->close());
  return folder.string();
}

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

Json statistics(FakeContext& context, const std::string& name, const std::string& csv) {
  FakeContext own;
  own.params(R"({"label":"late"})");
  own.input("examples", "examples/1", examples(own, name, csv)).output("statistics", "statistics/1");
  const auto ended = own.run(run_data_statistics);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  const std::string text = own.output_text("statistics", "statistics.json");
  context.input_file(name, "statistics/1", "statistics.json", text);
  return Json::parse(text);
}

std::string labels(int late, int punctual) {
  std::string csv = "late,carrier\n";
  for (int i = 0; i < late; ++i) csv += "true,UA\n";
  for (int i = 0; i < punctual; ++i) csv += i % 2 ? "false,AA\n" : "false,UA\n";
  return csv;
}

struct Validation {
  FakeContext context;
  Validation() {
    context.output("anomalies", "anomalies/1").output("report", "report/1");
    context.output("remedy", "remedy/1");
  }
  wire::Ended run() { return context.run(run_data_validate); }
  Json anomalies() { return Json::parse(context.output_text("anomalies", "anomalies.json")); }
};

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

TEST_CASE("data.sql: errors say where", "[data][sql]") {
  FakeContext context;
  CHECK_THAT(query(context, "SELECT a,\n  nothere FROM t").error, Catch::Contains("LINE 2"));
  FakeContext other;
  CHECK_THAT(query(other, "SELECT a,\n  now() AS n FROM t").error,
             Catch::StartsWith("query line 2, column 3: now() is refused"));
  FakeContext text;
  CHECK(query(text, "SELECT 'now()' AS a, \"b\" -- random()\nFROM t").outcome == Outcome::ok);
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

TEST_CASE("data.validate: a label that moved halts with both values", "[data][validate]") {
  Validation validation;
  statistics(validation.context, "statistics", labels(21, 79));
  statistics(validation.context, "previous", labels(10, 90));
  const auto ended = validation.run();
  CHECK(ended.outcome == Outcome::halt);
  CHECK(ended.error ==
        "label late moved from 10.0 % to 21.0 % true (l_infinity 0.110 > 0.1)");
  const Json json = validation.anomalies();
  CHECK(json["verdict"] == "halt");
  bool carrier_measured = false;
  for (const Json& comparison : json["comparisons"]) {
    const bool carrier = comparison["feature"] == "carrier";
    carrier_measured = carrier_measured || carrier;
    if (carrier) CHECK(comparison["threshold"].is_null());
    if (carrier) CHECK(comparison["fired"] == false);
  }
  CHECK(carrier_measured);
  const Json remedy = Json::parse(validation.context.output_text("remedy", "remedy.json"));
  CHECK(remedy["class_weights"]["true"].get<double>() == Approx(10.0 / 21));
  CHECK(remedy["undersample"]["false"] == 1.0);
  CHECK_THAT(validation.context.output_text("report", "report.html"), Catch::Contains("halt"));
}

TEST_CASE("data.validate: nothing to compare with passes", "[data][validate]") {
  Validation validation;
  statistics(validation.context, "statistics", labels(50, 50));
  CHECK(validation.run().outcome == Outcome::ok);
  CHECK(validation.anomalies()["comparisons"].empty());
}

TEST_CASE("data.validate: the schema's rules fire by name", "[data][validate]") {
  Validation validation;
  statistics(validation.context, "statistics", "late,n,c,new\ntrue,0,AA,1\n,70,ZZ,1\n");
  validation.context.input_file("schema", "schema/1", "schema.toml",
                                "[feature.late]\ntype='bool'\npresence=1.0\n[feature.n]\n"
                                "type='float'\nmin=1\nmax=60\n[feature.c]\ndomain=['AA']\n"
                                "[feature.gone]\ntype='int'\n[feature.new]\ntype='string'\n");
  CHECK(validation.run().outcome == Outcome::halt);
  const Json found = validation.anomalies();
  std::vector<std::string> names;
  for (const Json& anomaly : found["anomalies"]) {
    names.push_back(anomaly["anomaly"].get<std::string>());
  }
  CHECK(names == std::vector<std::string>{"unexpected_value", "missing_column", "low_presence",
                                          "below_min", "above_max", "type_mismatch"});
  CHECK(found["examples"][0]["value"] == "ZZ");
}

TEST_CASE("data.validate: severity turns an error into a warning", "[data][validate]") {
  Validation validation;
  statistics(validation.context, "statistics", labels(50, 50));
  statistics(validation.context, "previous", labels(10, 90));
  validation.context.params(R"({"severity":{"drift":"warning"}})");
  CHECK(validation.run().outcome == Outcome::ok);
  CHECK(validation.anomalies()["anomalies"][0]["severity"] == "warning");
}

TEST_CASE("data.validate: wrong schemas and parameters are refused with their place",
          "[data][validate]") {
  Validation schema;
  statistics(schema.context, "statistics", labels(1, 1));
  schema.context.input_file("schema", "schema/1", "s.toml", "[feature.late]\ntype='bool'\nmini=1\n");
  CHECK(schema.run().error ==
        "s.toml line 3: 'feature.late.mini' is no key; type, presence, domain, min and max are");
  Validation measure;
  statistics(measure.context, "statistics", labels(1, 1));
  measure.context.params(R"({"drift":{"late":{"linf":0.1}}})");
  CHECK(measure.run().outcome == Outcome::invalid);
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
