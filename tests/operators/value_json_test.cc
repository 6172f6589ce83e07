// JSON text and values: what is read, what is refused, what is written.
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <string>

#include "operators/param_lookup.h"
#include "operators/value_json.h"

namespace {

using Catch::Contains;
using pipelined::find_param;
using pipelined::json_text;
using pipelined::valid_utf8;
using pipelined::Value;
using pipelined::value_from_json;
using pipelined::ValueTable;

std::string again(const std::string& json) {
  const auto value = value_from_json(json);
  INFO(json);
  REQUIRE(value.has_value());
  return json_text(*value);
}

std::string error_of(const std::string& json) {
  const auto value = value_from_json(json);
  INFO(json);
  REQUIRE_FALSE(value.has_value());
  CHECK(value.error().code == pipelined::ErrorCode::invalid);
  return value.error().message;
}

}  // namespace

TEST_CASE("value_json: what is read is written again, keys sorted", "[operators][json]") {
  CHECK(again("null") == "null");
  CHECK(again(" { \"b\" : [1, 2.5, true, null, \"x\"] , \"a\" : {} } ") ==
        R"({"a":{},"b":[1,2.5,true,null,"x"]})");
  CHECK(again(R"([[],[[1],[2,[3]]],{"k":[{"l":[]}]}])") ==
        R"([[],[[1],[2,[3]]],{"k":[{"l":[]}]}])");
}

TEST_CASE("value_json: 1 and 1.0 stay apart, large integers stay exact", "[operators][json]") {
  CHECK(again("[1,1.0,-0.1,1e300]") == "[1,1.0,-0.1,1e+300]");
  CHECK(again("9223372036854775807") == "9223372036854775807");
  CHECK(again("-9223372036854775808") == "-9223372036854775808");
  CHECK(value_from_json("18446744073709551615")->as_double() != nullptr);
}

TEST_CASE("value_json: a second reader agrees on what is written", "[operators][json]") {
  const Value value = ValueTable{{"quote\"\\\n\x01", "tab\tend"},
                                 {"deep", pipelined::ValueList{1, 2.5, false, Value()}},
                                 {"umlaut", "\xC3\xA4"}};
  const nlohmann::json other = nlohmann::json::parse(json_text(value));
  CHECK(other.at("quote\"\\\n\x01") == "tab\tend");
  CHECK(other.at("deep").dump() == "[1,2.5,false,null]");
  CHECK(other.at("umlaut") == "\xC3\xA4");
  CHECK(*value_from_json(json_text(value)) == value);
}

TEST_CASE("value_json: nan and infinities become words", "[operators][json]") {
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(json_text(pipelined::ValueList{std::nan(""), infinity, -infinity}) ==
        R"(["nan","inf","-inf"])");
}

TEST_CASE("value_json: depth, doubled keys and nonsense are refused", "[operators][json]") {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') +
           std::string(static_cast<std::size_t>(depth), ']');
  };
  CHECK(value_from_json(nested(pipelined::json_depth_max)).has_value());
  CHECK_THAT(error_of(nested(pipelined::json_depth_max + 1)), Contains("deeper than 64"));
  CHECK_THAT(error_of(std::string(100000, '[')), Contains("deeper than 64"));
  CHECK_THAT(error_of(R"({"a":1,"a":2})"), Contains("\"a\" is there twice"));
  for (const char* text : {"", "{", "[1,]", "nan", "01", "'a'", "1 2", "\"\xFF\"", "{\"a\"}"}) {
    CHECK_THAT(error_of(text), Contains("no JSON at byte"));
  }
}

TEST_CASE("value_json: bytes that are no UTF-8 are replaced one by one", "[operators][json]") {
  const std::string replaced = "\xEF\xBF\xBD";
  CHECK(valid_utf8("plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80") ==
        "plain \xC3\xA4 \xE2\x82\xAC \xF0\x9F\x98\x80");
  CHECK(valid_utf8("a\xFF" "b") == "a" + replaced + "b");
  CHECK(valid_utf8("\xC3") == replaced);
  CHECK(valid_utf8("\xC0\xAF") == replaced + replaced);              // overlong
  CHECK(valid_utf8("\xED\xA0\x80") == replaced + replaced + replaced);  // surrogate
  CHECK(valid_utf8("\xF4\x90\x80\x80").size() == 4 * replaced.size());  // beyond U+10FFFF
  CHECK(value_from_json(json_text(Value("\xFF\xC3"))).has_value());
}

TEST_CASE("param_lookup: the longest key that fits goes first", "[operators][params]") {
  const Value root = *value_from_json(R"({"a":{"b":{"c":1},"b.c":2},"a.b":{"d":3},"x":null})");
  CHECK(*find_param(root, "a.b.c")->as_int() == 2);
  CHECK(*find_param(root, "a.b.d")->as_int() == 3);
  CHECK(find_param(root, "a.b.e") == nullptr);
  CHECK(find_param(root, "x")->is_null());
  CHECK(find_param(root, "x.y") == nullptr);
  CHECK(find_param(root, "") == &root);
  CHECK(find_param(root, ".") == nullptr);
  CHECK(find_param(root, "a.") == nullptr);
}
