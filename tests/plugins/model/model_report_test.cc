// model.report as a function: what stands on the page, and that it needs nothing else.
#include "plugins/model/model_report.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "operators/testing/fake_context.h"
#include "plugins/common/line_chart.h"
#include "plugins/model/model_evaluate.h"
#include "plugins/model/model_explain.h"
#include "plugins/train/train_trees.h"
#include "tests/plugins/examples_maker.h"

namespace {

using namespace pipelined;
using testing::ExamplesMaker;
using testing::FakeContext;

// Forty rows of `kind`: y hangs on x; a word tries to be a part of the page.
ExamplesMaker rows(const std::string& kind) {
  ExamplesMaker::Column<double> x, value;
  ExamplesMaker::Column<std::string> word, name;
  ExamplesMaker::Column<bool> flag;
  for (int i = 0; i < 40; ++i) {
    x.push_back(i);
    value.push_back(3 * i);
    word.push_back(i % 4 == 0 ? "<script>alert(1)</script>" : "plain");
    name.push_back(i < 13 ? "low" : i < 26 ? "<mid>" : "high");
    flag.push_back(i > 20);
  }
  ExamplesMaker maker;
  maker.numbers("x", x).words("word", word);
  if (kind == "flag") maker.flags("y", flag);
  if (kind == "class") maker.words("y", name);
  if (kind == "value") maker.numbers("y", value);
  return maker;
}

// The page of a model of these rows.
std::string page(const std::string& kind, const std::string& params, bool explained = true) {
  FakeContext trainer, evaluator, explainer, reporter;
  trainer.params(R"({"label":"y","rounds":10,"min_child_weight":0})");
  trainer.output("model", "model/1").output("log", "report/1");
  const auto given = rows(kind).write(trainer.folder() / "given");
  trainer.input("examples", "examples/1", given);
  REQUIRE(trainer.run(train::train_trees).outcome == Outcome::ok);
  evaluator.params(params).output("evaluation", "evaluation/1");
  explainer.params(R"({"repeats":3})").output("explanation", "explanation/1");
  for (FakeContext* context : {&evaluator, &explainer}) {
    context->input("model", "model/1", trainer.output_path("model"));
    context->input("examples", "examples/1", given);
  }
  REQUIRE(evaluator.run(evaluation::model_evaluate).outcome == Outcome::ok);
  REQUIRE(explainer.run(evaluation::model_explain).outcome == Outcome::ok);
  reporter.params(R"({"title":"A & B"})").output("report", "report/1");
  reporter.input("evaluation", "evaluation/1", evaluator.output_path("evaluation"));
  if (explained) {
    reporter.input("explanation", "explanation/1", explainer.output_path("explanation"));
  }
  const wire::Ended ended = reporter.run(evaluation::model_report);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  return reporter.output_text("report", "report.html");
}

void check_alone(const std::string& html) {
  CHECK(html.size() < 2'000'000);
  for (const char* word : {"<script", "http://", "https://", "src=", "<link", "@import", "url("}) {
    INFO(word);
    CHECK(html.find(word) == std::string::npos);
  }
  CHECK(html.find("nan") == std::string::npos);
}

}  // namespace

TEST_CASE("report: a page of a yes-or-no label has all its parts", "[report]") {
  const std::string html =
      page("flag", R"({"slices":["word"],"fairness":["word"],"bootstraps":30,
                       "require":[{"metric":"auc","min":0.5}]})");
  check_alone(html);
  for (const char* part : {"A &amp; B", "blessed", "all 1 comparisons", "ROC", "Calibration",
                           "How scores are spread", "Right and wrong at thresholds", "Slices",
                           "&lt;script&gt;alert(1)", "Groups", "What the scores hang on",
                           "Dependence", "<polyline"}) {
    INFO(part);
    CHECK(html.find(part) != std::string::npos);
  }
}

TEST_CASE("report: what fails stands before what holds", "[report]") {
  const std::string html = page("flag", R"({"require":[{"metric":"auc","min":0.5},
                                                      {"metric":"brier","max":-1}]})", false);
  check_alone(html);
  CHECK(html.find("not blessed") != std::string::npos);
  CHECK(html.find("at most -1 is required") < html.find("at least 0.5 is required"));
  CHECK(html.find("What the scores hang on") == std::string::npos);
}

TEST_CASE("report: classes have a table of confusions, values a calibration", "[report]") {
  const std::string classes = page("class", "{}");
  check_alone(classes);
  CHECK(classes.find("Which class was taken for which") != std::string::npos);
  CHECK(classes.find("ROC of &lt;mid&gt;") != std::string::npos);
  CHECK(classes.find("nothing is required of this model") != std::string::npos);
  const std::string values = page("value", "{}");
  check_alone(values);
  CHECK(values.find("Calibration") != std::string::npos);
  CHECK(values.find("error_p90") != std::string::npos);
}

TEST_CASE("report: an input that is none is refused in a sentence", "[report]") {
  for (const char* text : {"", "[]", "{}", R"({"label":"y","objective":"x","metrics":[{}]})"}) {
    FakeContext context;
    context.params("{}").output("report", "report/1");
    context.input_file("evaluation", "evaluation/1", "evaluation.json", text);
    const wire::Ended ended = context.run(evaluation::model_report);
    INFO(text);
    CHECK(ended.outcome == Outcome::invalid);
    CHECK_FALSE(ended.error.empty());
  }
}

TEST_CASE("report: a chart of one point or one value is drawn all the same", "[report]") {
  const std::string chart =
      svg_of({"t", "x", "y", 1, 1, 2, 2, {{{{1, 2}}, true, true}}});
  CHECK(chart.find("nan") == std::string::npos);
  CHECK(chart.find("<circle") != std::string::npos);
  const std::string intervals = svg_of("t", {{std::string(60, 'e') + "é", 0, 0, 0}}, 0);
  CHECK(intervals.find("nan") == std::string::npos);
  CHECK(intervals.find("…") != std::string::npos);
}
