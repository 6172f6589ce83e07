#include "dag/span_pattern.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>

using namespace pipelined;

namespace {

SpanPattern pattern(const std::string& text) {
  auto parsed = SpanPattern::parse(text);
  REQUIRE(parsed);
  return *std::move(parsed);
}

std::string span_of(const std::string& text, const std::string& path) {
  const auto match = pattern(text).match(path);
  return match ? match->span : "no match";
}

}  // namespace

TEST_CASE("span pattern: words make the id from the largest unit to the smallest", "[pattern]") {
  CHECK(span_of("in/{YYYY}-{MM}.csv", "in/2013-12.csv") == "2013-12");
  CHECK(span_of("in/{DD}.{MM}.{YYYY}.csv", "in/24.12.2013.csv") == "2013-12-24");
  CHECK(span_of("{YYYY}/{MM}/{DD}/{HH}.json", "2013/12/24/07.json") == "2013-12-24-07");
  CHECK(span_of("batch_{SPAN}.csv", "batch_17.csv") == "17");
  CHECK(span_of("batch_{SPAN}.csv", "batch_0017.csv") == "17");  // a number, however written
  CHECK(span_of("{SPAN}-{YYYY}.csv", "3-2013.csv") == "2013-3");
}

TEST_CASE("span pattern: what does not match", "[pattern]") {
  for (const char* path : {"in/2013-13.csv", "in/2013-00.csv", "in/13-12.csv", "in/2013-1.csv",
                           "in/2013-12.csv.gz", "2013-12.csv", "in/x/2013-12.csv",
                           "in/2013-12.CSV", "in/a2013-12.csv", "in/20133-12.csv", ""}) {
    CAPTURE(path);
    CHECK(span_of("in/{YYYY}-{MM}.csv", path) == "no match");
  }
  CHECK(span_of("{YYYY}{MM}{DD}", "20130229") == "no match");  // no leap year
  CHECK(span_of("{YYYY}{MM}{DD}", "20120229") == "2012-02-29");
  CHECK(span_of("{YYYY}{MM}{DD}", "19000229") == "no match");
  CHECK(span_of("{YYYY}{MM}{DD}", "20130431") == "no match");
  CHECK(span_of("{YYYY}{MM}{DD}{HH}", "2013043024") == "no match");
}

TEST_CASE("span pattern: widths and neighbouring words", "[pattern]") {
  CHECK(span_of("{YYYY}{MM}.csv", "201312.csv") == "2013-12");
  CHECK(span_of("x{SPAN:4}.csv", "x0017.csv") == "17");
  CHECK(span_of("x{SPAN:4}.csv", "x17.csv") == "no match");
  CHECK(span_of("x{SPAN:4}.csv", "x00017.csv") == "no match");
  CHECK(span_of("{SPAN}{VERSION:1}", "123") == "12");
  CHECK(span_of("{SPAN}7", "1777") == "177");
  CHECK(span_of("{SPAN}", "9999999999999999999") == "no match");  // no 64-bit number
}

TEST_CASE("span pattern: a star stands for anything within its part", "[pattern]") {
  CHECK(span_of("in/*_{YYYY}.csv", "in/a_b_2013.csv") == "2013");
  CHECK(span_of("in/*/{YYYY}.csv", "in/any/2013.csv") == "2013");
  CHECK(span_of("in/*/{YYYY}.csv", "in/any/more/2013.csv") == "no match");
  CHECK(span_of("in/*.csv", "in/x.csv") == "all");
  CHECK(span_of("in/*{YYYY}*", "in/99992013") == "9999");  // the leftmost
}

TEST_CASE("span pattern: without words there is one span", "[pattern]") {
  CHECK(span_of("reference/weather.csv", "reference/weather.csv") == "all");
  CHECK_FALSE(pattern("reference/weather.csv").has_words());
  CHECK(span_of("w_{VERSION}.csv", "w_3.csv") == "all");
}

TEST_CASE("span pattern: the version is told apart from the span", "[pattern]") {
  const auto match = pattern("{YYYY}_v{VERSION}.csv").match("2013_v12.csv");
  REQUIRE(match);
  CHECK(match->span == "2013");
  CHECK(match->version == 12);
  CHECK(pattern("{YYYY}.csv").match("2013.csv")->version == 0);
}

TEST_CASE("span pattern: the folder before the first word is the source's", "[pattern]") {
  CHECK(pattern("in/coming/{YYYY}-{MM}.csv").folder() == "in/coming");
  CHECK(pattern("in/x{YYYY}/{MM}.csv").folder() == "in");
  CHECK(pattern("in/x{YYYY}/{MM}.csv").parts_below() == 2);
  CHECK(pattern("{YYYY}.csv").folder().empty());
  CHECK(pattern("reference/weather.csv").folder() == "reference");
  CHECK(pattern("weather.csv").folder().empty());
}

TEST_CASE("span pattern: folders that can hold matching files", "[pattern]") {
  const SpanPattern deep = pattern("in/{YYYY}/{MM}/part-*.csv");
  CHECK(deep.may_hold(""));
  CHECK(deep.may_hold("2013"));
  CHECK(deep.may_hold("2013/12"));
  CHECK_FALSE(deep.may_hold("x"));
  CHECK_FALSE(deep.may_hold("2013/13"));
  CHECK_FALSE(deep.may_hold("2013/12/part-1.csv"));
}

TEST_CASE("span pattern: bad patterns are refused with the reason", "[pattern]") {
  const auto [text, wanted] = GENERATE(table<std::string, std::string>({
      {"", "empty"},
      {"/abs/{YYYY}", "relative"},
      {"a/../b", "'..'"},
      {"a//b", "empty"},
      {"{YYYY", "without its '}'"},
      {"YYYY}", "without its '{'"},
      {"{YEAR}", "no word '{YEAR}'"},
      {"{YYYY}{YYYY}", "twice"},
      {"{MM}", "needs {YYYY}"},
      {"{YYYY}{DD}", "needs {MM}"},
      {"{YYYY:2}", "width"},
      {"{SPAN:0}", "width"},
      {"{SPAN:x}", "width"},
  }));
  CAPTURE(text);
  const auto parsed = SpanPattern::parse(text);
  REQUIRE_FALSE(parsed);
  CHECK_THAT(parsed.error().message, Catch::Contains(wanted));
}

TEST_CASE("span pattern: a hostile name costs little", "[pattern]") {
  const SpanPattern stars = pattern("*a*a*a*a*a*a*a*a*a*a*b");
  const auto start = std::chrono::steady_clock::now();
  CHECK_FALSE(stars.match(std::string(255, 'a')));
  CHECK_FALSE(stars.match(std::string(100'000, 'a')));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(2));
}

TEST_CASE("span order: by calendar, then by number", "[pattern]") {
  std::vector<std::string> spans = {"2014-01", "2013-10",    "2013-9", "2013-02",
                                    "2013",    "2013-02-28", "10",     "9"};
  std::sort(spans.begin(), spans.end(), span_before);
  CHECK(spans == std::vector<std::string>{"9", "10", "2013", "2013-02", "2013-02-28", "2013-9",
                                          "2013-10", "2014-01"});
  CHECK_FALSE(span_before("2013-01", "2013-01"));
  CHECK(span_before("7", "all"));
}

TEST_CASE("span range: both ends belong to it", "[pattern]") {
  CHECK(span_in_range("2013-01", "2013-01", "2013-09"));
  CHECK(span_in_range("2013-09", "2013-01", "2013-09"));
  CHECK_FALSE(span_in_range("2013-10", "2013-01", "2013-09"));
  CHECK_FALSE(span_in_range("2012-12", "2013-01", "2013-09"));
  CHECK(span_in_range("2013-12-24", "2013-01", "2013-12"));
  CHECK(span_in_range("2013-12", "2013", "2013"));
  CHECK(span_in_range("10", "9", "11"));
}

TEST_CASE("span pattern: two patterns whose words make the same spans", "[dag][span_pattern]") {
  const auto same = [](const char* a, const char* b) {
    return SpanPattern::parse(a)->same_words(*SpanPattern::parse(b));
  };
  CHECK(same("in/{YYYY}-{MM}/part-*.csv", "done/{YYYY}{MM}.ok"));
  CHECK(same("in/{SPAN}/{VERSION}.csv", "in/{SPAN}/_SUCCESS"));
  CHECK(same("in/*.csv", "in/_SUCCESS"));
  CHECK_FALSE(same("in/{YYYY}-{MM}/x.csv", "in/{YYYY}/_SUCCESS"));
  CHECK_FALSE(same("in/{SPAN}/x.csv", "in/{YYYY}/_SUCCESS"));
}
