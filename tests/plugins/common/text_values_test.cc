// Cells of text: what is a number, a date, a time, and which type a column gets.
#include <catch2/catch.hpp>

#include "plugins/common/text_values.h"

using namespace pipelined;

TEST_CASE("text values: numbers are read to the last digit and nothing else is", "[text]") {
  CHECK(parse_integer("-9223372036854775808") == INT64_MIN);
  CHECK(parse_integer("+7") == 7);
  CHECK_FALSE(parse_integer("9223372036854775808"));
  CHECK_FALSE(parse_integer("+-7"));
  CHECK_FALSE(parse_integer(" 7"));
  CHECK(parse_number("10.357019999999999") == 10.357019999999999);
  CHECK(parse_number("1e-3") == 0.001);
  CHECK_FALSE(parse_number("1,5"));
  CHECK_FALSE(parse_number(""));
}

TEST_CASE("text values: dates and times are of the calendar", "[text]") {
  CHECK(parse_date("1970-01-02") == 1);
  CHECK(parse_date("2012-02-29"));
  CHECK_FALSE(parse_date("2013-02-29"));
  CHECK_FALSE(parse_date("2013-2-01"));
  CHECK(parse_time("1970-01-01T00:00:01Z") == 1'000'000);
  CHECK(parse_time("1970-01-01 00:00:00.5") == 500'000);
  CHECK(parse_time("1970-01-01T00:01") == 60'000'000);
  CHECK_FALSE(parse_time("1970-01-01T24:00"));
  CHECK_FALSE(parse_time("1970-01-01T00:00:00."));
  CHECK_FALSE(parse_time("1970-01-01T00-00-00"));
}

TEST_CASE("text values: a column has the narrowest type that all its values have", "[text]") {
  struct Row {
    std::vector<const char*> values;
    ColumnType type;
  };
  const Row row = GENERATE(
      Row{{"1", "2"}, ColumnType::integer}, Row{{"1", "2.0"}, ColumnType::number},
      Row{{"1", "nan"}, ColumnType::number}, Row{{"true", "FALSE"}, ColumnType::boolean},
      Row{{"true", "1"}, ColumnType::text}, Row{{"2013-01-01"}, ColumnType::date},
      Row{{"2013-01-01T05:00:00Z"}, ColumnType::time},
      Row{{"2013-01-01", "2013-01-01T05:00"}, ColumnType::text}, Row{{}, ColumnType::text},
      Row{{"99999999999999999999"}, ColumnType::text},
      Row{{"99999999999999999999", "0.5"}, ColumnType::number}, Row{{"-"}, ColumnType::text},
      Row{{"1", "x", "2"}, ColumnType::text});
  TypeGuess guess;
  for (const char* value : row.values) guess.add(value);
  CHECK(std::string(name_of(guess.result())) == name_of(row.type));
}
