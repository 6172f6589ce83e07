#include "dag/condition.h"

#include <catch2/catch.hpp>
#include <map>

using namespace pipelined;

namespace {

ConditionValue value_of(const ConditionName& name) {
  static const std::map<std::string, ConditionValue> known = {
      {"evaluate.auc", 0.71},
      {"evaluate.auc[carrier=UA]", 0.65},
      {"validate.verdict", std::string("pass")},
      {"evaluate.loss.mean", -2.0},
      {"split.rows", 1000.0},
  };
  const auto found = known.find(name.text());
  return found == known.end() ? ConditionValue{} : found->second;
}

bool holds(const std::string& text) {
  const auto condition = Condition::parse(text);
  INFO(text);
  REQUIRE(condition);
  const auto outcome = condition->evaluate(value_of);
  REQUIRE(outcome);
  return outcome->holds;
}

std::string parse_error(const std::string& text) {
  const auto condition = Condition::parse(text);
  INFO(text);
  REQUIRE_FALSE(condition);
  return condition.error().message;
}

}  // namespace

TEST_CASE("condition: comparisons of numbers and strings", "[condition]") {
  CHECK(holds("evaluate.auc >= 0.7"));
  CHECK_FALSE(holds("evaluate.auc >= 0.72"));
  CHECK(holds("evaluate.auc < 1e3"));
  CHECK(holds("0.7 < evaluate.auc"));
  CHECK(holds("split.rows == 1000"));
  CHECK(holds("split.rows != 999"));
  CHECK(holds("evaluate.loss.mean <= -2"));
  CHECK(holds("evaluate.auc > evaluate.auc[carrier=UA]"));
  CHECK(holds("validate.verdict == 'pass'"));
  CHECK(holds("validate.verdict != \"halt\""));
  CHECK(holds("evaluate.auc>=0.7 and validate.verdict=='pass'"));
}

TEST_CASE("condition: not binds closer than and, and closer than or", "[condition]") {
  const std::string yes = "1 == 1", no = "1 == 2";
  CHECK(holds(yes + " or " + no + " and " + no));
  CHECK_FALSE(holds("(" + yes + " or " + no + ") and " + no));
  CHECK(holds("not " + no + " and " + yes));
  CHECK_FALSE(holds("not (" + no + " or " + yes + ")"));
  CHECK(holds("not not " + yes));
}

TEST_CASE("condition: truth tables against the language of this file", "[condition]") {
  for (const bool a : {false, true}) {
    for (const bool b : {false, true}) {
      for (const bool c : {false, true}) {
        const auto text = [](bool value) { return std::string(value ? "1 < 2" : "2 < 1"); };
        CHECK(holds(text(a) + " and " + text(b) + " or not " + text(c)) == ((a && b) || !c));
        CHECK(holds("not (" + text(a) + " or " + text(b) + ") and " + text(c)) ==
              (!(a || b) && c));
      }
    }
  }
}

TEST_CASE("condition: the names in it, once each", "[condition]") {
  const auto condition =
      Condition::parse("a.x > 1 and (b.y[k=v, w] == 'z' or a.x < 9) and not c.p.q != 2");
  REQUIRE(condition);
  REQUIRE(condition->names().size() == 3);
  CHECK(condition->names()[0].text() == "a.x");
  CHECK(condition->names()[1].text() == "b.y[k=v, w]");
  CHECK(condition->names()[2].step == "c");
  CHECK(condition->names()[2].name == "p.q");
}

TEST_CASE("condition: the outcome tells the values that decided", "[condition]") {
  const auto condition = Condition::parse("evaluate.auc >= 0.9 and validate.verdict == 'pass'");
  const auto outcome = condition->evaluate(value_of);
  REQUIRE(outcome);
  CHECK_FALSE(outcome->holds);
  CHECK(outcome->values == "evaluate.auc = 0.71, validate.verdict = 'pass'");
}

TEST_CASE("condition: a name that is not there fails, whatever stands beside it", "[condition]") {
  const auto condition = Condition::parse("1 == 1 or evaluate.acu > 0.5");
  const auto outcome = condition->evaluate(value_of);
  REQUIRE_FALSE(outcome);
  CHECK(outcome.error().code == ErrorCode::not_found);
  CHECK_THAT(outcome.error().message, Catch::Contains("evaluate.acu"));
}

TEST_CASE("condition: a number is not compared with a string", "[condition]") {
  const auto outcome = Condition::parse("evaluate.auc == 'high'")->evaluate(value_of);
  REQUIRE_FALSE(outcome);
  CHECK_THAT(outcome.error().message, Catch::Contains("evaluate.auc (0.71) with 'high'"));
}

TEST_CASE("condition: grammar errors say where", "[condition]") {
  CHECK_THAT(parse_error(""), Catch::StartsWith("at character 1: a name, a number"));
  CHECK_THAT(parse_error("evaluate.auc"), Catch::StartsWith("at character 13: one of =="));
  CHECK_THAT(parse_error("auc > 1"), Catch::StartsWith("at character 1: 'auc' names no value"));
  CHECK_THAT(parse_error("a.x > 1 b.y < 2"), Catch::StartsWith("at character 9: 'and', 'or'"));
  CHECK_THAT(parse_error("(a.x > 1"), Catch::StartsWith("at character 9: ')'"));
  CHECK_THAT(parse_error("a.x == 'open"), Catch::StartsWith("at character 8: the string"));
  CHECK_THAT(parse_error("a.x = 1"), Catch::StartsWith("at character 5: one of =="));
  CHECK_THAT(parse_error("a. > 1"), Catch::Contains("name of a metric"));
  CHECK_THAT(parse_error("a.x[k > 1"), Catch::Contains("']' was expected"));
  CHECK_THAT(parse_error("a.x > 1 and"), Catch::StartsWith("at character 12"));
  CHECK_THAT(parse_error("a.x > 12abc"), Catch::Contains("a number ends"));
  CHECK_THAT(parse_error("a.x > 1 && b.y > 2"), Catch::StartsWith("at character 9"));
}

TEST_CASE("condition: depth and length are bounded", "[condition]") {
  CHECK_THAT(parse_error(std::string(100'000, '(')), Catch::Contains("nested too deep"));
  std::string chain = "1 == 1";
  for (int i = 0; i < 100; ++i) chain += " and 1 == 1";
  CHECK(holds(chain));
  std::string nots;
  for (int i = 0; i < 10'000; ++i) nots += "not ";
  CHECK_THAT(parse_error(nots + "1 == 1"), Catch::Contains("nested too deep"));
}
