// What the reader of JSON objects says of a line: members, and where it is wrong.
#include <catch2/catch.hpp>

#include "plugins/common/json_scan.h"

using namespace pipelined;

TEST_CASE("json: members keep their order and the notation of their values", "[json]") {
  JsonScanner scanner;
  const std::string line = R"( {"a":1.50,"b":"x\ny","c":null,"a":true} )";
  CHECK(scanner.scan(line).empty());
  REQUIRE(scanner.members().size() == 4);
  CHECK(scanner.members()[0].key == "a");
  CHECK(scanner.members()[0].value.text == "1.50");
  CHECK(scanner.members()[0].value.kind == TextCell::Kind::plain);
  CHECK(scanner.members()[1].value.text == "x\ny");
  CHECK(scanner.members()[1].value.kind == TextCell::Kind::text);
  CHECK(scanner.members()[2].value.kind == TextCell::Kind::absent);
  CHECK(scanner.members()[3].value.text == "true");
}

TEST_CASE("json: what is wrong is said with its character", "[json]") {
  struct Row {
    const char *line, *problem;
  };
  const Row row = GENERATE(
      Row{"{\"a\":01}", "no JSON at character 7: , or } is expected"},
      Row{"{\"a\":+1}", "no JSON at character 6: a value is expected"},
      Row{"{\"a\":1.}", "no JSON at character 8: a digit is expected"},
      Row{"{\"a\":\"x", "no JSON at character 8: the quote that ends the string is expected"},
      Row{"{\"a\":\"\\x\"}", "no JSON at character 8: an escape of JSON is expected"},
      Row{"{\"a\":\"\t\"}", "no JSON at character 7: an escape for a control character is expected"},
      Row{"{\"a\":\"\\ud83d\"}",
          "no JSON at character 13: the second half of a surrogate pair is expected"},
      Row{"{a:1}", "no JSON at character 2: a key in quotes is expected"},
      Row{"{\"a\":1} x", "no JSON at character 9: the end of the line is expected"},
      Row{"{\"a\":[1,]}", "no JSON at character 9: a value is expected"},
      Row{"[1]", "a JSON list where an object is expected"},
      Row{"\"x\"", "a JSON string where an object is expected"},
      Row{"7", "a JSON value where an object is expected"},
      Row{"", "no JSON at character 1: { is expected"});
  JsonScanner scanner;
  CHECK(scanner.scan(row.line) == row.problem);
  CHECK(scanner.wrong_key().empty());
}

TEST_CASE("json: a list or an object is refused by its key, the first of them", "[json]") {
  JsonScanner scanner;
  CHECK(scanner.scan(R"({"a":1,"b":[{"c":[]}],"d":{}})") ==
        "'b' is a list or an object; only plain values can be read");
  CHECK(scanner.wrong_key() == "b");
  CHECK(scanner.scan(R"({"":{}})") == "'' is a list or an object; only plain values can be read");
  const std::string deep(1001, '[');
  CHECK(scanner.scan("{\"a\":" + deep) ==
        "no JSON at character 1007: at most 1000 brackets within each other is expected");
  CHECK(scanner.scan(R"({"a":1})").empty());
  CHECK(scanner.wrong_key().empty());
}
