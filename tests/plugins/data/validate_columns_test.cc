// data.validate on columns that were passed over once: dates and times, texts that are no UTF-8.
#include "tests/plugins/data/validation_case.h"
#include "tests/plugins/examples_maker.h"

using namespace pipelined;
using namespace pipelined::data_tests;
using testing::ExamplesMaker;
using testing::FakeContext;

namespace {

std::string days(int first, int count) {
  std::string csv = "day,n\n";
  for (int i = 0; i < count; ++i) {
    const int day = first + i % 10;
    csv += "2013-01-" + std::string(day < 10 ? "0" : "") + std::to_string(day) + ",1\n";
  }
  return csv;
}

/// Examples of one column of texts, at the ports that data.validate reads.
void put_texts(Validation& validation, const ExamplesMaker::Column<std::string>& texts) {
  FakeContext own;
  const auto folder = ExamplesMaker().words("s", texts).write(validation.context.folder() / "rows");
  own.input("examples", "examples/1", folder.string()).output("statistics", "statistics/1");
  REQUIRE(own.run(run_data_statistics).outcome == Outcome::ok);
  validation.context.input_file("statistics", "statistics/1", "statistics.json",
                                own.output_text("statistics", "statistics.json"));
  validation.context.input("examples", "examples/1", folder.string());
}

}  // namespace

TEST_CASE("data.validate: dates are measured always, and judged where they are named",
          "[data][validate]") {
  struct Row {
    const char *params, *schema, *expected;
  };
  const Row row = GENERATE(
      Row{"{}", "", ""}, Row{R"({"drift":{"*":0.01}})", "", ""},
      Row{R"({"drift":{"day":0.49}})", "", "drift day"}, Row{R"({"drift":{"day":0.7}})", "", ""},
      Row{R"({"drift":{"day":{"ks":0.49}}})", "", "drift day"},
      Row{R"({"drift":{"day":{"ks":0.51}}})", "", ""},
      Row{R"({"drift":{"day":{"l_infinity":0.1}}})", "", "not_comparable day"},
      Row{"{}", "[feature.n]\n[feature.day]\ndrift={jensen_shannon=0.49}", "drift day"});
  INFO(row.params << row.schema);
  Validation validation;
  validation.table(days(6, 2000));
  statistics(validation.context, "previous", days(1, 2000));
  if (*row.schema) validation.schema(row.schema);
  validation.context.params(row.params);
  validation.run();
  std::string found;
  for (const std::string& name : validation.names()) found += name;
  CHECK(found == row.expected);
  const Json anomalies = validation.anomalies();
  std::map<std::string, Json> of;
  for (const Json& comparison : anomalies["comparisons"]) {
    if (comparison["feature"] == "day") of[comparison["measure"].get<std::string>()] = comparison;
  }
  // Five of ten days on each side are the other's too: the shares of the others are a tenth each.
  CHECK(of.at("jensen_shannon")["value"].get<double>() == Approx(0.5));
  CHECK(of.at("ks")["value"].get<double>() == Approx(0.5));
  CHECK_FALSE(of.contains("l_infinity"));
  CHECK(of.at("ks")["sentence"].get<std::string>().find(
            "day moved from 2013-01-01 … 2013-01-10 to 2013-01-06 … 2013-01-15 (ks 0.500") == 0);
}

TEST_CASE("data.validate: a feature that was not compared is listed with the reason",
          "[data][validate]") {
  Validation validation;
  validation.table("a,b,c\n1,x,2\n2,y,3\n");
  statistics(validation.context, "previous", "a,b\n1,\n2,\n");
  REQUIRE(validation.run().outcome == Outcome::ok);
  const Json found = validation.anomalies()["not_compared"];
  CHECK(found == Json({{{"feature", "b"}, {"side", "previous"}, {"why", "one side has no values"}},
                       {{"feature", "c"}, {"side", "previous"}, {"why", "that side has no such column"}}}));
  CHECK(validation.context.output_text("report", "report.html").find("not compared") !=
        std::string::npos);
}

TEST_CASE("data.validate: texts that are no UTF-8 halt, with or without a schema",
          "[data][validate]") {
  Validation validation;
  put_texts(validation, {"a", "\xff\xfe", "ü", {}});
  if (GENERATE(false, true)) validation.schema("[feature.s]\ntype = 'string'\n");
  const auto ended = validation.run();
  CHECK(ended.outcome == Outcome::halt);
  CHECK(ended.error == "s is not UTF-8 in 1 row (25.0 %); declare the encoding where it is ingested");
  const Json anomaly = validation.anomalies()["anomalies"][0];
  CHECK(anomaly["anomaly"] == "invalid_utf8");
  CHECK(anomaly["measured"] == 1.0);
  CHECK(anomaly["limit"] == 0.0);
  CHECK(anomaly["rows"] == 1);
}

TEST_CASE("data.validate: broken UTF-8 can be a warning, and sound text is a check that passed",
          "[data][validate]") {
  Validation validation;
  const bool broken = GENERATE(false, true);
  put_texts(validation, {"a", broken ? "\xc3" : "ü"});
  validation.context.params(R"({"severity":{"invalid_utf8":"warning"}})");
  CHECK(validation.run().outcome == Outcome::ok);
  CHECK(validation.names() == (broken ? std::vector<std::string>{"invalid_utf8 s"}
                                      : std::vector<std::string>{}));
  const Json checks = validation.anomalies()["checks"];
  const auto check = std::find_if(checks.begin(), checks.end(),
                                  [](const Json& one) { return one["anomaly"] == "invalid_utf8"; });
  REQUIRE(check != checks.end());
  CHECK((*check)["fired"] == broken);
}

TEST_CASE("data.validate: a column that is not judged yet may be no UTF-8", "[data][validate]") {
  Validation validation;
  put_texts(validation, {"\xff"});
  validation.schema("[feature.s]\nstage = 'planned'\n");
  CHECK(validation.run().outcome == Outcome::ok);
  CHECK(validation.names().empty());
}
