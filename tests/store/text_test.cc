// The canonical texts inside the database read back to what was written, and nothing else is read.
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "daemon/store/manifest_text.h"
#include "daemon/store/value_text.h"

using namespace pipelined;

TEST_CASE("value text: canonical text reads back to an equal value", "[store][text]") {
  const Value value = GENERATE(
      Value(), Value(true), Value(false), Value(0), Value(-7),
      Value(std::numeric_limits<std::int64_t>::min()), Value(1.0), Value(-0.1), Value(1e300),
      Value(5e-324), Value(std::numeric_limits<double>::infinity()),
      Value(-std::numeric_limits<double>::infinity()), Value(""), Value("a\"\\\n\t\x01\x1f/\xc3\xa9"),
      Value(ValueList{}), Value(ValueTable{}),
      Value(ValueTable{{"a", ValueList{1, 1.0, "x", Value()}}, {"b\"", ValueTable{{"", false}}}}));
  const auto read = parse_canonical(canonical(value));
  REQUIRE(read);
  CHECK(*read == value);
}

TEST_CASE("value text: not a number reads back", "[store][text]") {
  const auto read = parse_canonical(canonical(Value(std::nan(""))));
  REQUIRE(read);
  CHECK(std::isnan(*read->as_double()));
}

TEST_CASE("value text: anything else is refused", "[store][text]") {
  const std::string text = GENERATE(
      as<std::string>{}, "", " 1", "1 ", "{", "{\"a\"}", "{\"a\":1,}", "[1", "[1,]", "\"a", "\"\\q\"",
      "\"\\u12\"", "\"\\ud800\"", "tru", "1.2.3", "--1", "99999999999999999999", "1e", "nanx");
  CHECK_FALSE(parse_canonical(text));
}

TEST_CASE("value text: nesting without end is refused", "[store][text]") {
  CHECK_FALSE(parse_canonical(std::string(100000, '[')));
  CHECK(parse_canonical(std::string(60, '[') + std::string(60, ']')));
}

TEST_CASE("manifest text: reads back to an equal manifest with the same digest", "[store][text]") {
  const Manifest manifest{"a\"/1",
                          {{"\xc3\xa9t\xc3\xa9/\"x\"\n", sha256("a"), 0, true},
                           {"z", sha256("b"), 1234567890123, false}}};
  const auto read = parse_manifest(manifest.text());
  REQUIRE(read);
  CHECK(*read == manifest);
  CHECK(*parse_manifest(Manifest{"t/1", {}}.text()) == Manifest{"t/1", {}});
}

TEST_CASE("manifest text: blanks, other orders and forbidden paths are refused", "[store][text]") {
  const std::string digest = sha256("a").hex();
  const auto with = [&digest](const std::string& path, const std::string& size) {
    return "{\"files\":[{\"exec\":false,\"path\":\"" + path + "\",\"sha256\":\"" + digest +
           "\",\"size\":" + size + "}],\"type\":\"t/1\"}";
  };
  CHECK(parse_manifest(with("a", "1")));
  CHECK_FALSE(parse_manifest(with("../a", "1")));
  CHECK_FALSE(parse_manifest(with("/a", "1")));
  CHECK_FALSE(parse_manifest(with("a", "-1")));
  CHECK_FALSE(parse_manifest(with("a", "")));
  CHECK_FALSE(parse_manifest(with("a", "1") + " "));
  CHECK_FALSE(parse_manifest("{\"type\":\"t/1\",\"files\":[]}"));
  CHECK_FALSE(parse_manifest("{}"));
}
