#include "dag/spec_words.h"

#include <catch2/catch.hpp>

using namespace pipelined;

TEST_CASE("durations: numbers with a unit", "[words]") {
  CHECK(parse_duration("500ms") == 500);
  CHECK(parse_duration("2s") == 2000);
  CHECK(parse_duration("5m") == 300'000);
  CHECK(parse_duration("1h") == 3'600'000);
  CHECK(parse_duration("7d") == 604'800'000);
  CHECK(parse_duration("1.5h") == 5'400'000);
  CHECK(parse_duration("0s") == 0);
  CHECK(parse_duration("0") == 0);
  for (const char* bad : {"", "2", "s", "-1s", "1 s", "1S", "1.s", ".5s", "1e3s", "1s2", "1w",
                          "1.2.3s", "9999999999999999999d"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_duration(bad));
  }
}

TEST_CASE("sizes: powers of 1024 with an i, of 1000 without", "[words]") {
  CHECK(parse_size("512") == 512);
  CHECK(parse_size("64KiB") == 65'536);
  CHECK(parse_size("4GiB") == std::int64_t{4} << 30);
  CHECK(parse_size("10MB") == 10'000'000);
  CHECK(parse_size("0.5KiB") == 512);
  for (const char* bad : {"", "GiB", "4 GiB", "4gib", "-1", "4G", "99999999TiB"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_size(bad));
  }
}

TEST_CASE("span selections: all, new, last and ranges", "[words]") {
  CHECK(parse_spans("all")->kind == SpanSelection::Kind::all);
  CHECK(parse_spans("new")->kind == SpanSelection::Kind::only_new);
  CHECK(parse_spans("last 9")->count == 9);
  const auto range = parse_spans("2013-01..2013-09");
  REQUIRE(range);
  CHECK(range->kind == SpanSelection::Kind::range);
  CHECK(range->first == "2013-01");
  CHECK(range->last == "2013-09");
  CHECK(parse_spans("7..12")->last == "12");
  CHECK(parse_spans("2013-05..2013"));
  for (const char* bad : {"", "every", "last", "last 0", "last -1", "last x", "last 9 ", "2013-01..",
                          "..2013", "2013-09..2013-01", "a..b", "1...2"}) {
    CAPTURE(bad);
    CHECK_FALSE(parse_spans(bad));
  }
}

TEST_CASE("problems: written and ordered as compilers do", "[words]") {
  std::vector<Diagnostic> problems = {{"p.toml", {4, 2}, "late", false},
                                      {"p.toml", {1, 9}, "early", true},
                                      {"p.toml", {}, "nowhere", false}};
  sort_by_place(problems);
  CHECK(text_of(problems[0]) == "p.toml: error: nowhere");
  CHECK(text_of(problems[1]) == "p.toml:1:9: warning: early");
  CHECK(text_of(problems[2]) == "p.toml:4:2: error: late");
  CHECK(has_errors(problems));
  CHECK_FALSE(has_errors({problems[1]}));
}

TEST_CASE("problems: of very many the first are told, errors before warnings", "[spec]") {
  std::vector<Diagnostic> problems;
  for (int line = 1; line <= 10; ++line) {
    problems.push_back({"p", {line, 1}, "problem " + std::to_string(line), line % 2 == 1});
  }
  std::vector<Diagnostic> few = problems;
  tell_the_first(few, 10);
  CHECK(few.size() == 10);
  tell_the_first(problems, 6);
  REQUIRE(problems.size() == 7);
  CHECK(problems[0].at.line == 1);
  CHECK(problems[1].at.line == 2);
  CHECK(problems[5].at.line == 10);
  CHECK(problems[6].message == "and 4 more problems in the file");
  CHECK(problems[6].warning);
  CHECK(has_errors(problems));
}
