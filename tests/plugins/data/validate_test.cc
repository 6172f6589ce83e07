// data.validate: what it finds, what it writes, what it refuses.
#include "tests/plugins/data/validation_case.h"

namespace {

using namespace pipelined;
using namespace pipelined::data_tests;
using Names = std::vector<std::string>;

struct Row {
  const char *csv, *schema, *expected;
};

/// A table, its schema, and the anomalies that follow.
const Row judged_rows[] = {
    {"a\n1\n2\n", "[feature.a]\nmin=1\nmax=2", ""},
    {"a\n1\n2\n", "[feature.a]\nmin=2", "below_min a"},
    {"a\n1\n2\n", "[feature.a]\nmax=1", "above_max a"},
    {"a,b\n,1\n,2\n", "[feature.a]\npresence=0.5\n[feature.b]", "no_values a"},
    {"a,b\n1,1\n,2\n", "[feature.a]\npresence=0.5\n[feature.b]", ""},
    {"a,b\n1,1\n,2\n", "[feature.a]\npresence=0.6\n[feature.b]", "low_presence a"},
    {"a,b\n1,1\n,2\n", "[feature.a]\nmin_count=2\n[feature.b]", "low_count a"},
    {"a\nx\ny\ny\n", "[feature.a]\ndomain=['x','y']", ""},
    {"a\nx\ny\ny\nz\n", "[feature.a]\ndomain=['x','y']", "unexpected_value a"},
    {"a\nx\ny\ny\nz\n", "[feature.a]\ndomain=['x','y']\nin_domain=0.75", ""},
    {"a\nx\ny\nw\nz\n", "[feature.a]\ndomain=['x','y']\nin_domain=0.75",
     "unexpected_value a"},
    {"a\n1\n2\n3\n", "[feature.a]\ndomain=[1,2]", "unexpected_value a"},
    {"a\n1\n2\n", "[feature.a]\nmin_distinct=2\nmax_distinct=2", ""},
    {"a\n1\n2\n", "[feature.a]\nmin_distinct=3", "too_few_distinct a"},
    {"a\n1\n2\n", "[feature.a]\nmax_distinct=1", "too_many_distinct a"},
    {"a\n1\n2\n", "[feature.a]\nunique=true", ""},
    {"a\n1\n2\n1\n", "[feature.a]\nunique=true", "repeated_value a"},
    {"a\nA1\nB2\n", "[feature.a]\npattern='[A-Z][0-9]'", ""},
    {"a\nA1\nB22\n", "[feature.a]\npattern='[A-Z][0-9]'", "pattern_mismatch a"},
    {"a\nA1\nB2\n", "[feature.a]\npattern='['", "invalid_schema a"},
    {"a\nää\nbbb\n", "[feature.a]\nmin_length=2\nmax_length=3", ""},
    {"a\nää\nbbb\n", "[feature.a]\nmin_length=3", "too_short a"},
    {"a\nää\nbbb\n", "[feature.a]\nmax_length=2", "too_long a"},
    {"a\n0.5\nnan\n", "[feature.a]\nallow_nan=false", "nan_value a"},
    {"a\n0.5\ninf\n", "[feature.a]\nallow_infinite=false", "infinite_value a"},
    {"a\n0.5\ninf\n", "[feature.a]\nmax=1", "infinite_value a"},
    {"a\n0.5\ninf\n", "[feature.a]\nmax=1\nallow_infinite=true", ""},
    {"a\n0\n1\n", "[feature.a]\nlike='bool'", ""},
    {"a\n0\n2\n", "[feature.a]\nlike='bool'", "bool_too_big a"},
    {"a\n-1\n1\n", "[feature.a]\nlike='bool'", "bool_too_small a"},
    {"a\n0.0\n0.5\n", "[feature.a]\nlike='bool'", "bool_unexpected_float a"},
    {"a\nY\nN\n", "[feature.a]\nlike='bool'\ntrue_words=['Y']\nfalse_words=['N']", ""},
    {"a\nY\nQ\n", "[feature.a]\nlike='bool'\ntrue_words=['Y']\nfalse_words=['N']",
     "bool_unexpected_string a"},
    {"a\n2013-01-01\n2013-02-01\n", "[feature.a]\nmin=2013-01-01\nmax=2013-02-01", ""},
    {"a\n2013-01-01\n2013-02-01\n", "[feature.a]\nmin=2013-01-02", "below_min a"},
    {"a\n2013-01-01\n2013-02-01\n", "[feature.a]\nmax=2013-01-31", "above_max a"},
    {"a\n1\n2\n", "[feature.a]\ntype='string'", "type_mismatch a"},
    {"a\n1\n2\n", "[feature.a]\ntype='float'", ""},
    {"a\n1\n2\n", "[feature.a]\npattern='1'", "invalid_domain a"},
    {"a\n1.5\n2\n", "[feature.a]\ndomain=['1']", "invalid_domain a"},
    {"a\nx\n", "[feature.a]\nmin=1", "invalid_domain a"},
    {"a\n1\n", "[feature.a]\nmax_length=1", "invalid_domain a"},
    {"a\n1\n", "[feature.a]\nmin=2013-01-01", "invalid_domain a"},
    {"a\n1\n", "[feature.a]\n[feature.b]", "missing_column b"},
    {"a\n1\n", "[feature.a]\n[feature.b]\npresence=0", ""},
    {"a\n1\n", "[feature.a]\n[feature.b]\nstage='planned'", ""},
    {"a\n1\n", "[feature.a]\nmin=2\nstage='deprecated'", ""},
    {"a,b\n1,2\n", "[feature.a]", "new_column b"},
    {"a\n", "[feature.a]", "no_rows"},
    {"a\n1\n2\n", "[dataset]\nmin_rows=3\n[feature.a]", "too_few_rows"},
    {"a\n1\n2\n", "[dataset]\nmax_rows=1\n[feature.a]", "too_many_rows"},
    {"a,b\n1,1\n1,2\n", "[dataset]\nkey=['a','b']\n[feature.a]\n[feature.b]", ""},
    {"a,b\n1,1\n1,1\n", "[dataset]\nkey=['a','b']\n[feature.a]\n[feature.b]",
     "repeated_key"},
    {"a,b\n1,1\n1,2\n", "[feature.a]\n[feature.b]\n[rule.order]\nholds='a <= b'", ""},
    {"a,b\n1,1\n3,2\n", "[feature.a]\n[feature.b]\n[rule.order]\nholds='a <= b'",
     "rule_broken order"},
    {"a,b\n1,1\n3,2\n", "[feature.a]\n[feature.b]\n[rule.order]\nholds='a <= b'\nshare=0.5",
     ""},
    {"a\n1\n", "[feature.a]\n[rule.odd]\nholds='nothere > 1'", "invalid_schema odd"},
    {"a\n1\n", "[feature.a]\n[rule.odd]\nholds='random() > 2'", "invalid_schema odd"},
    {"a\n1\n", "[feature.a]\n[check.none]\nquery='SELECT * FROM data WHERE a > 1'", ""},
    {"a\n1\n", "[feature.a]\n[check.some]\nquery='SELECT * FROM data'", "check_failed some"},
    {"a\n1\n", "[feature.a]\n[check.m]\nquery='SELECT * FROM statistics WHERE mean > 0.5'",
     "check_failed m"},
    {"a\n1\n", "[feature.a]\n[check.m]\nquery='DROP VIEW data'", "invalid_schema m"},
    {"a\n1\n", "[feature.a]\nmin=2\nmax=1", "invalid_schema a, below_min a"},
    {"a\nx\n", "[feature.a]\ndomain=['x','x']", "invalid_schema a"},
    {"a\nx\n", "[feature.a]\npresence=1.5", "invalid_schema a, low_presence a"},
    {"a\nx\n", "[feature.a]\ntype='string'\nlike='bool'",
     "invalid_schema a"}};

std::string spaced(const Names& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

TEST_CASE("data.validate: a label that moved halts with both values", "[data][validate]") {
  Validation validation;
  validation.table(labels(21, 79));
  statistics(validation.context, "previous", labels(10, 90));
  const auto ended = validation.run();
  CHECK(ended.outcome == Outcome::halt);
  CHECK(ended.error ==
        "label late moved from 10.0 % to 21.0 % true (l_infinity 0.110 > 0.1, p 0.032)");
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
  CHECK(remedy["remedy"] == "none");
  CHECK(remedy["class_weights"].empty());
  CHECK(ended.notes.at("remedy") == Value("none"));
  CHECK_THAT(validation.context.output_text("report", "report.html"), Catch::Contains("halt"));
}

TEST_CASE("data.validate: the remedy that is asked for brings the label's shares back",
          "[data][validate]") {
  const std::string method = GENERATE("weights", "undersample");
  Validation validation;
  validation.context.params("{\"remedy\":\"" + method + "\"}");
  validation.table(labels(21, 79));
  statistics(validation.context, "previous", labels(10, 90));
  const auto ended = validation.run();
  REQUIRE(ended.outcome == Outcome::halt);
  CHECK(ended.notes.at("remedy") == Value(method));
  const Json remedy = Json::parse(validation.context.output_text("remedy", "remedy.json"));
  CHECK(remedy["remedy"] == method);
  CHECK(remedy["why"] == ended.error);
  if (method == "weights") {  // p before / p now: 0.10 / 0.21 and 0.90 / 0.79
    CHECK(remedy["class_weights"]["true"].get<double>() == Approx(10.0 / 21));
    CHECK(remedy["class_weights"]["false"].get<double>() == Approx(90.0 / 79));
    CHECK(remedy["undersample"].empty());
  } else {  // 21 k / (21 k + 79) = 0.1
    CHECK(remedy["undersample"]["true"].get<double>() == Approx(79.0 / 189));
    CHECK(remedy["undersample"]["false"] == 1.0);
    CHECK(remedy["class_weights"].empty());
  }
}

TEST_CASE("data.validate: no remedy where something else is wrong too, or nothing moved",
          "[data][validate]") {
  Validation validation;
  validation.context.params(R"({"remedy":"weights"})");
  SECTION("a column is gone") {
    validation.table(labels(21, 79));
    statistics(validation.context, "previous", labels(10, 90));
    validation.context.input_file("schema", "schema/1", "schema.toml",
                                  "[feature.gone]\ntype='int'\n");
    const auto ended = validation.run();
    CHECK(ended.outcome == Outcome::halt);
    CHECK(ended.notes.at("remedy") == Value("none"));
  }
  SECTION("the label stayed") {
    validation.table(labels(11, 89));
    statistics(validation.context, "previous", labels(10, 90));
    const auto ended = validation.run();
    CHECK(ended.outcome == Outcome::ok);
    CHECK(ended.notes.at("remedy") == Value("none"));
    CHECK(Json::parse(validation.context.output_text("remedy", "remedy.json"))["remedy"] == "none");
  }
}

TEST_CASE("data.validate: nothing to compare with passes", "[data][validate]") {
  Validation validation;
  validation.table(labels(50, 50));
  CHECK(validation.run().outcome == Outcome::ok);
  CHECK(validation.anomalies()["comparisons"].empty());
}

TEST_CASE("data.validate: the schema's rules fire by name", "[data][validate]") {
  Validation validation;
  validation.table("late,n,c,new\ntrue,0,AA,1\n,70,ZZ,1\n");
  validation.schema("[feature.late]\ntype='bool'\npresence=1.0\n[feature.n]\n"
                                "type='float'\nmin=1\nmax=60\n[feature.c]\ndomain=['AA']\n"
                                "[feature.gone]\ntype='int'\n[feature.new]\ntype='string'\n");
  CHECK(validation.run().outcome == Outcome::halt);
  const Json found = validation.anomalies();
  CHECK(validation.names() ==
        std::vector<std::string>{"missing_column gone", "low_presence late", "type_mismatch new",
                                 "below_min n", "above_max n", "unexpected_value c"});
  CHECK(found["examples"].back()["value"] == "ZZ");
}

TEST_CASE("data.validate: severity turns an error into a warning", "[data][validate]") {
  Validation validation;
  validation.table(labels(50, 50));
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
  CHECK_THAT(schema.run().error,
             Catch::StartsWith("s.toml line 3: feature.late.mini: no such key; there are "));
  Validation measure;
  statistics(measure.context, "statistics", labels(1, 1));
  measure.context.params(R"({"drift":{"late":{"linf":0.1}}})");
  CHECK(measure.run().outcome == Outcome::invalid);
}

TEST_CASE("data.validate: every anomaly of a column fires for what breaks it and for nothing else",
          "[data][validate]") {
  const auto at = GENERATE(Catch::Generators::range(std::size_t{0}, std::size(judged_rows)));
  const Row& row = judged_rows[at];
  Validation validation;
  validation.table(row.csv);
  validation.schema(row.schema);
  const auto ended = validation.run();
  INFO(row.csv << row.schema << "\n" << ended.error);
  REQUIRE((ended.outcome == Outcome::ok || ended.outcome == Outcome::halt));
  CHECK(spaced(validation.names()) == row.expected);
}

TEST_CASE("data.validate: texts that stand for numbers are judged as numbers", "[data][validate]") {
  testing::FakeContext context;
  const auto judged = [&](const std::string& values, const std::string& schema) {
    Validation validation;
    validation.table("a\nword\n" + values);  // a word makes the column text
    validation.schema("[feature.a]\ntype='string'\n" + schema);
    validation.run();
    return spaced(validation.names());
  };
  CHECK(judged("12\n-3\n", "like='int'") == "not_an_int a");
  CHECK(judged("99999999999999999999\n", "like='int'") == "not_an_int a");
  CHECK(judged("1.5\n", "like='float'") == "not_a_float a");
  Validation validation;
  validation.table("a\nword\n7\n");
  validation.schema("[feature.a]\nlike='float'\nmax=6\nseverity='warning'");
  CHECK(validation.run().outcome == Outcome::ok);
  CHECK(spaced(validation.names()) == "above_max a, not_a_float a");
}

TEST_CASE("data.validate: what is found carries its figure, its limit and the rows",
          "[data][validate]") {
  Validation validation;
  validation.table("a,b\n1,x\n7,y\n9,z\n");
  validation.schema("[feature.a]\nmax=5\npresence=1.0\n[feature.b]");
  CHECK(validation.run().error == "a goes up to 9, at most 5 is expected");
  const Json json = validation.anomalies();
  const Json& anomaly = json["anomalies"][0];
  CHECK(anomaly["measured"] == 9.0);
  CHECK(anomaly["limit"] == 5.0);
  CHECK(anomaly["rows"] == 2);
  CHECK(anomaly["examples"][0] == Json({{"row", 2}, {"values", {{"a", "7"}, {"b", "y"}}}}));
  CHECK(json["examples"][0] == Json({{"feature", "a"}, {"value", "7"}, {"count", 1}}));
  bool passed = false;
  for (const Json& check : json["checks"]) {
    if (check["anomaly"] != "low_presence") continue;
    passed = check["fired"] == false && check["measured"] == 1.0 && check["limit"] == 1.0;
  }
  CHECK(passed);
}

TEST_CASE("data.validate: an environment expects only its own columns", "[data][validate]") {
  const std::string schema =
      "[dataset]\nenvironments=['training','serving']\n[feature.a]\n"
      "[feature.late]\npresence=1.0\nnot_in=['serving']";
  const auto judged = [&](const std::string& csv, const std::string& environment) {
    Validation validation;
    validation.table(csv);
    validation.schema(schema);
    validation.context.params(Json{{"environment", environment}}.dump());
    const auto ended = validation.run();
    return ended.outcome == Outcome::invalid ? ended.error : spaced(validation.names());
  };
  CHECK(judged("a\n1\n", "training") == "missing_column late");
  CHECK(judged("a\n1\n", "serving") == "");
  CHECK(judged("a,late\n1,true\n", "serving") == "unexpected_in_environment late");
  CHECK(judged("a\n1\n", "srving") ==
        "environment: the schema knows no 'srving'; it has training, serving");
}

TEST_CASE("data.validate: rows against the span before", "[data][validate]") {
  const auto judged = [&](int before, int now) {
    Validation validation;
    validation.table(labels(now / 2, now - now / 2));
    statistics(validation.context, "previous", labels(before / 2, before - before / 2));
    validation.schema("[dataset]\nrows_to_previous={min=0.5,max=2}\n[feature.late]\n"
                      "[feature.carrier]");
    validation.run();
    return spaced(validation.names());
  };
  CHECK(judged(100, 50) == "");
  CHECK(judged(100, 48) == "rows_shrank");
  CHECK(judged(100, 200) == "");
  CHECK(judged(100, 202) == "rows_grew");
}

TEST_CASE("data.validate: a difference that chance explains warns and does not halt",
          "[data][validate]") {
  Validation few;
  few.table(labels(10, 10));
  statistics(few.context, "previous", labels(14, 6));
  CHECK(few.run().outcome == Outcome::ok);
  CHECK(spaced(few.names()) == "drift_uncertain late");
  CHECK(few.anomalies()["verdict"] == "warn");
  Validation enough;
  enough.table(labels(70, 30));
  statistics(enough.context, "previous", labels(50, 50));
  CHECK(enough.run().error ==
        "label late moved from 50.0 % to 70.0 % true (l_infinity 0.200 > 0.1, p 0.004)");
}

TEST_CASE("data.validate: each side is compared and named", "[data][validate]") {
  const std::string port = GENERATE("previous", "window", "baseline", "serving", "eval");
  Validation validation;
  validation.table(labels(700, 300));
  statistics(validation.context, port, labels(500, 500));
  const auto ended = validation.run();
  CHECK(ended.outcome == Outcome::halt);
  const bool skew = port == "serving" || port == "eval";
  CHECK(validation.anomalies()["anomalies"][0]["anomaly"] == (skew ? "skew" : "drift"));
  CHECK(validation.anomalies()["sides"] == Json::array({port}));
  CHECK_THAT(ended.error, Catch::StartsWith(
                              port == "eval"
                                  ? "label late has 50.0 % true in the evaluation share and 70.0 % here"
                                  : "label late moved from 50.0 % to 70.0 % true"));
}

TEST_CASE("data.validate: a comparator that cannot apply is an error", "[data][validate]") {
  struct Row {
    const char *params, *expected;
  };
  const Row row = GENERATE(
      Row{R"({"drift":{"carrier":{"ks":0.1}}})",
          "carrier: ks cannot be measured: its values have no order; l_infinity and "
          "jensen_shannon can be"},
      Row{R"({"drift":{"nothere":{"ks":0.1}}})",
          "nothere: a threshold stands for it, but the data has no such column"});
  Validation validation;
  validation.table(labels(50, 50));
  statistics(validation.context, "previous", labels(50, 50));
  validation.context.params(row.params);
  CHECK(validation.run().error == row.expected);
  CHECK(validation.anomalies()["anomalies"][0]["anomaly"] == "not_comparable");
  Validation without;
  without.table("late\ntrue\nfalse\n");
  statistics(without.context, "previous", "carrier\nUA\n");
  CHECK(without.run().error == "late: the previous statistics have no such column");
}

TEST_CASE("data.validate: thresholds of the schema, of all features, and by type",
          "[data][validate]") {
  const auto judged = [&](const std::string& params, const std::string& schema) {
    Validation validation;
    validation.table("late,c,n\n" + [] {
      std::string rows;
      for (int i = 0; i < 2000; ++i) rows += "true,x," + std::to_string(i + 500) + ".5\n";
      return rows;
    }());
    statistics(validation.context, "previous", "late,c,n\n" + [] {
      std::string rows;
      for (int i = 0; i < 2000; ++i) rows += "true,y," + std::to_string(i) + ".5\n";
      return rows;
    }());
    validation.schema("[feature.late]\n[feature.c]\n" + schema);
    validation.context.params(params);
    validation.run();
    return spaced(validation.names());
  };
  CHECK(judged("{}", "[feature.n]") == "");
  CHECK(judged("{}", "[feature.n]\ndrift={ks=0.2}") == "drift n");
  CHECK(judged("{}", "[feature.n]\ndrift={ks=0.3}") == "");
  CHECK(judged("{}", "[feature.n]\nskew={ks=0.2}") == "");
  CHECK(judged(R"({"drift":{"*":0.1}})", "[feature.n]") == "drift c, drift n");
  CHECK(judged(R"({"drift":{"n":{"ks_p":0.01}}})", "[feature.n]") == "drift n");
}

TEST_CASE("data.validate: trends over earlier spans", "[data][validate]") {
  const auto judged = [&](const std::string& schema, const std::vector<int>& past, int now) {
    Validation validation;
    validation.table(labels(now / 10, now - now / 10));
    for (const int rows : past) {
      statistics(validation.context, "history", labels(rows / 10, rows - rows / 10));
    }
    validation.schema(schema + "\n[feature.late]\n[feature.carrier]");
    const auto ended = validation.run();
    return spaced(validation.names()) + (ended.error.empty() ? "" : ": " + ended.error);
  };
  const std::string relative = "[dataset]\nrows_trend={relative=0.5}";
  CHECK(judged(relative, {100, 100}, 140) == "");
  CHECK(judged(relative, {100, 100}, 160) ==
        "trend: the number of rows is 160, 60.0 % away from the mean 100 of 2 earlier spans; at most "
        "50.0 % is expected");
  CHECK(judged(relative, {}, 160) == "short_history");
  const std::string sigma = "[dataset]\nrows_trend={sigma=3}";
  CHECK(judged(sigma, {90, 100, 110}, 120) == "");
  CHECK_THAT(judged(sigma, {90, 100, 110}, 140),
             Catch::Contains("4 standard deviations from the mean 100 of 3 earlier spans"));
  CHECK(judged(sigma, {90, 100}, 140) == "short_history");
  // Every second span is large: with a season of 2 a large one is like the large ones before.
  const std::string season = "[dataset]\nrows_trend={relative=0.2,season=2}";
  CHECK(judged(season, {200, 100, 200, 100}, 200) == "");
  CHECK_THAT(judged(season, {200, 100, 200, 100}, 100), Catch::StartsWith("trend"));
}

TEST_CASE("data.validate: an error in the schema says the line", "[data][validate]") {
  struct Row {
    const char *schema, *expected;
  };
  const Row row = GENERATE(
      Row{"[feature.a]\nmiin = 1\n", "schema.toml line 2: feature.a.miin: no such key"},
      Row{"[feature.a]\ntype = 'text'\n", "schema.toml line 2: feature.a.type: int, float"},
      Row{"[feature.a]\nmin = 'x'\n", "schema.toml line 2: feature.a.min: a number, a date"},
      Row{"[feature.a]\ndrift = { foo = 1 }\n", "schema.toml line 2: feature.a.drift: there is no"},
      Row{"[features.a]\n", "schema.toml line 1: features: no such key"},
      Row{"[feature.a]\nstage = 'x'\n", "schema.toml line 2: feature.a.stage: planned"},
      Row{"[rule.x]\nseverity = 'off'\n", "schema.toml line 1: rule.x.holds: an SQL condition"},
      Row{"[feature.a]\ntrend = { mean = { season = 2 } }\n",
          "schema.toml line 2: feature.a.trend.mean.relative: relative or sigma"},
      Row{"[feature.a\n", "schema.toml line 1: "});
  Validation validation;
  validation.table("a\n1\n");
  validation.schema(row.schema);
  const auto ended = validation.run();
  CHECK(ended.outcome == Outcome::invalid);
  CHECK_THAT(ended.error, Catch::StartsWith(row.expected));
}
