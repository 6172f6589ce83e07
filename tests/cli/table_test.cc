#include "cli/table.h"

#include <catch2/catch.hpp>

#include "cli/yaml.h"

using namespace pipelined::cli;

TEST_CASE("table: columns line up, numbers at the right", "[cli][table]") {
  Table table({{"RUN", false, true}, {"STATE"}, {"KEY", true}}, false);
  table.add({"4", "halted", "abc"});
  table.add({"12", "ok", "def"});
  CHECK(table.text({}) == "RUN  STATE\n  4  halted\n 12  ok\n");
  CHECK(table.text({0, false, false, false}) == "  4  halted\n 12  ok\n");
}

TEST_CASE("table: wide shows all columns", "[cli][table]") {
  Table table({{"A"}, {"B", true}}, true);
  table.add({"1", "2"});
  CHECK(table.text({}) == "A  B\n1  2\n");
}

TEST_CASE("table: what does not fit is cut with an ellipsis, never wrapped", "[cli][table]") {
  Table table({{"STEP"}, {"WHY"}}, false);
  table.add({"validate", "the label moved a long way from where it was before, said with ümlauts"});
  const std::string text = table.text({40, false, false, true});
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', begin)) {
    int width = 0;
    for (std::size_t i = begin; i < end; ++i) width += (text[i] & 0xc0) != 0x80;
    CHECK(width <= 40);
    begin = end + 1;
  }
  CHECK(text.find("…") != std::string::npos);
}

TEST_CASE("table: states are coloured only when asked", "[cli][table]") {
  Table table({{"STATE"}}, false);
  table.add({"failed"});
  CHECK(table.text({}).find('\x1b') == std::string::npos);
  CHECK(table.text({0, true, true, true}) == "STATE\n\x1b[31mfailed\x1b[0m\n");
}

TEST_CASE("table: control characters in names are shown, not obeyed", "[cli][table][security]") {
  CHECK(escaped("a\x1b[31mb") == "a\\x1b[31mb");
  CHECK(escaped("a\nb") == "a\nb");
  CHECK(escaped("a\nb", true) == "a\\x0ab");
  CHECK(escaped("\x7f\r") == "\\x7f\\x0d");
  CHECK(escaped("c1: \xc2\x9b" "31m") == "c1: \\x9b31m");
  CHECK(escaped("ü€") == "ü€");
  CHECK(escaped("\xff") == "\\xff");
  Table table({{"NAME"}}, false);
  table.add({"x\x1b]0;owned\x07\ny"});
  CHECK(table.text({0, true, true, false}) == "x\\x1b]0;owned\\x07 y\n");
}

TEST_CASE("table: without rows there is nothing, not even a title", "[cli][table]") {
  CHECK(Table({{"A"}}, false).text({}).empty());
}

TEST_CASE("yaml: block style, with quotes wherever text could be taken for something else",
          "[cli][yaml]") {
  CHECK(yaml_of(R"({"a":1,"b":[1,{"c":"x","d":[]}],"e":{},"f":null,"g":"true","h":"2013-12","i":"x: y"})") ==
        "a: 1\nb:\n  - 1\n  - c: x\n    d: []\ne: {}\nf: null\ng: \"true\"\nh: \"2013-12\"\n"
        "i: \"x: y\"\n");
  CHECK(yaml_of("[[1,2],[3]]") == "- - 1\n  - 2\n- - 3\n");
  CHECK(yaml_of("\"no\"") == "\"no\"\n");
}
