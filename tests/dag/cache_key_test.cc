#include <catch2/catch.hpp>

#include "dag/cache_key.h"

namespace pipelined {
namespace {

std::string hex(char digit) { return std::string(64, digit); }
std::string brief(char digit) { return std::string(12, digit); }

ReasonDetail only_change(const std::string& before, const std::string& after) {
  const auto details = key_difference(before, after);
  REQUIRE(details.size() == 1);
  return details.front();
}

TEST_CASE("key: a changed parameter is told with both values", "[dag][key]") {
  const std::string head = "operator x 1\n";
  CHECK(only_change(head + "param depth 6\nseed 0\n", head + "param depth 8\nseed 0\n") ==
        ReasonDetail{"param depth", "6", "8"});
  CHECK(only_change("param depth 6\n", "") == ReasonDetail{"param depth", "6", ""});
  CHECK(only_change("", "param depth 6\n") == ReasonDetail{"param depth", "", "6"});
  CHECK(key_difference("seed 0\n", "seed 0\n").empty());
}

TEST_CASE("key: one changed artifact is named, of many those that are new", "[dag][key]") {
  CHECK(only_change("in a 1 " + hex('1') + "\n", "in a 1 " + hex('2') + "\n") ==
        ReasonDetail{"in a", brief('1'), brief('2')});
  const std::string two = "in a 2 " + hex('1') + " " + hex('2') + "\n";
  CHECK(only_change(two, "in a 3 " + hex('1') + " " + hex('2') + " " + hex('3') + "\n") ==
        ReasonDetail{"in a", "2 artifacts", "3 artifacts, new: " + brief('3')});
  CHECK(only_change(two, "in a 2 " + hex('2') + " " + hex('1') + "\n") ==
        ReasonDetail{"in a", "2 artifacts", "2 artifacts in another order"});
  CHECK(only_change(two, "in a 1 " + hex('2') + "\n") ==
        ReasonDetail{"in a", "2 artifacts", brief('2')});
  std::string many = "in a 5";
  for (const char digit : {'4', '5', '6', '7', '8'}) many += " " + hex(digit);
  CHECK(only_change(two, many + "\n").after ==
        "5 artifacts, new: " + brief('4') + " " + brief('5') + " " + brief('6') + " and 2 more");
}

TEST_CASE("key: the reason says what changed and compared with which run", "[dag][key]") {
  const Reason reason = miss_reason({{"param depth", "6", "8"}, {"in a", "1", "2"}}, 4);
  CHECK(reason.code == "parameter_changed");
  CHECK(reason.sentence ==
        "param depth changed from 6 to 8; in a changed from 1 to 2 (compared with run 4)");
  CHECK(miss_reason({}, 4).code == "no_result");
  CHECK(miss_reason({{"in a", "1", "2"}}, 4).code == "input_changed");
  CHECK(miss_reason({{"library arrow", "1", "2"}}, 4).code == "code_changed");
}

}  // namespace
}  // namespace pipelined
