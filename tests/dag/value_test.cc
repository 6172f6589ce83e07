#include "dag/value.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

using namespace pipelined;

TEST_CASE("value: canonical text is JSON with sorted keys and no blanks", "[value]") {
  const Value value = ValueTable{{"b", ValueList{1, 2.5, "x", true, Value()}},
                                 {"a", ValueTable{{"z", 1}, {"y", false}}}};
  CHECK(canonical(value) == R"({"a":{"y":false,"z":1},"b":[1,2.5,"x",true,null]})");
  CHECK(canonical(Value(ValueTable{})) == "{}");
  CHECK(canonical(Value(ValueList{})) == "[]");
}

TEST_CASE("value: one as integer and as decimal stay apart", "[value]") {
  CHECK(canonical(Value(1)) == "1");
  CHECK(canonical(Value(1.0)) == "1.0");
  CHECK(canonical(Value(-0.0)) == "-0.0");
  CHECK(canonical(Value(0.1)) == "0.1");
  CHECK(canonical(Value(1e300)) == "1e+300");
  CHECK(canonical(Value(1e22)) == "1e+22");
  CHECK(canonical(Value(std::numeric_limits<std::int64_t>::min())) == "-9223372036854775808");
  CHECK(canonical(Value(std::nan(""))) == "nan");
  CHECK(canonical(Value(std::numeric_limits<double>::infinity())) == "inf");
  CHECK(canonical(Value(-std::numeric_limits<double>::infinity())) == "-inf");
  CHECK(Value(1) != Value(1.0));
}

TEST_CASE("value: decimals are read back to the very same number", "[value]") {
  std::mt19937_64 random(3);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t bits = random();
    double number = 0;
    static_assert(sizeof number == sizeof bits);
    std::memcpy(&number, &bits, sizeof number);
    if (!std::isfinite(number)) continue;
    const Value back = parse_scalar(canonical(Value(number)));
    REQUIRE(back.as_double() != nullptr);
    CHECK(*back.as_double() == number);
  }
}

TEST_CASE("value: text is quoted as JSON demands and no more", "[value]") {
  CHECK(quoted("plain") == "\"plain\"");
  CHECK(quoted("a\"b\\c\nd\te\rf") == R"("a\"b\\c\nd\te\rf")");
  CHECK(quoted(std::string("\x01\x1f\0", 3)) == R"("\u0001\u001f\u0000")");
  CHECK(quoted("ä→🙂/") == "\"ä→🙂/\"");
}

TEST_CASE("value: what a command line says", "[value]") {
  CHECK(parse_scalar("true") == Value(true));
  CHECK(parse_scalar("false") == Value(false));
  CHECK(parse_scalar("8") == Value(8));
  CHECK(parse_scalar("-8") == Value(-8));
  CHECK(parse_scalar("0.5") == Value(0.5));
  CHECK(parse_scalar("1e3") == Value(1000.0));
  CHECK(parse_scalar("8.0") == Value(8.0));
  CHECK(parse_scalar("") == Value(""));
  CHECK(parse_scalar("8 ") == Value("8 "));
  CHECK(parse_scalar("True") == Value("True"));
  CHECK(parse_scalar("nan") == Value("nan"));
  CHECK(parse_scalar("1e999") == Value("1e999"));
  CHECK(parse_scalar("99999999999999999999") == Value(99999999999999999999.0));
}

TEST_CASE("value: kinds have names", "[value]") {
  CHECK(std::string(kind_name(Value())) == "null");
  CHECK(std::string(kind_name(Value(true))) == "bool");
  CHECK(std::string(kind_name(Value(1))) == "int");
  CHECK(std::string(kind_name(Value(1.0))) == "float");
  CHECK(std::string(kind_name(Value("x"))) == "string");
  CHECK(std::string(kind_name(Value(ValueList{}))) == "list");
  CHECK(std::string(kind_name(Value(ValueTable{}))) == "table");
}
