// `pipectl stats …` on plain files, with real workers and without a daemon.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/local_run.h"
#include "cli/statistics_table.h"
#include "tests/cli/plain_files.h"

using namespace pipelined;
using pipelined::test::PlainFiles;
using Catch::Matchers::Contains;

TEST_CASE("stats show: a CSV file is described without a daemon", "[cli]") {
  PlainFiles files;
  const std::string file = files.write("rows.csv", "price,colour\n1.5,red\n2.5,red\n,blue\n0,red\n");
  REQUIRE(files.run({"stats", "show", file}) == 0);
  CHECK_THAT(files.err, Contains("4 rows, 2 features"));
  CHECK(files.out ==
        "FEATURE  TYPE    MISSING  UNIQUE  MIN  MEDIAN     MEAN  MAX  MOST FREQUENT\n"
        "price    float    25.0 %       3    0     1.5  1.33333  2.5  -\n"
        "colour   string      0 %       2    -       -        -    -  red (75.0 %)\n");
}

TEST_CASE("stats show: each slice stands beside all rows, on the terminal and on the page", "[cli]") {
  PlainFiles files;
  const std::string file = files.write("rows.csv", "price,colour\n1,red\n2,red\n9,blue\n8,blue\n");
  REQUIRE(files.run({"stats", "show", file, "--slice", "colour", "--where", "dear=price > 8"}) == 0);
  CHECK_THAT(files.out, Contains("price    all rows        4") && Contains("price    colour=blue     2") &&
                            Contains("price    dear=true       1"));
  REQUIRE(files.run({"stats", "show", file, "--slice", "colour", "--html", files.path("page.html")}) == 0);
  const std::string page = files.read("page.html");
  CHECK_THAT(page, Contains("Slices") && Contains("colour=blue") && Contains("price 0."));
  CHECK_THAT(page, !Contains("colour 1.") && !Contains("colour 0."));  // of course it differs
  CHECK(files.run({"stats", "show", file, "--where", "price > 8"}) == 2);
  CHECK_THAT(files.err, Contains("NAME=CONDITION"));
  REQUIRE(files.run({"stats", "show", file, "--json"}) == 0);
  const std::string kept = files.write("kept.json", files.out);
  CHECK(files.run({"stats", "show", kept, "--slice", "colour"}) == 2);
  CHECK_THAT(files.err, Contains("statistics already") && Contains("name the table itself"));
  REQUIRE(files.run({"stats", "export", file, files.path("kept.pb")}) == 0);
  REQUIRE(files.run({"stats", "show", files.path("kept.pb"), "--label", "colour"}) == 0);
  CHECK(files.run({"stats", "show", files.path("kept.pb"), "--weight", "price"}) == 2);
}

TEST_CASE("stats show: its JSON is statistics that it reads again", "[cli]") {
  PlainFiles files;
  const std::string file = files.write("rows.jsonl", "{\"a\":1}\n{\"a\":3}\n");
  REQUIRE(files.run({"stats", "show", file, "--json"}) == 0);
  const auto json = nlohmann::json::parse(files.out);
  CHECK(json["rows"] == 2);
  CHECK(json["features"][0]["mean"] == 2.0);
  const std::string kept = files.write("kept.json", files.out);
  REQUIRE(files.run({"stats", "show", file}) == 0);
  const std::string table = files.out;
  REQUIRE(files.run({"stats", "show", kept}) == 0);
  CHECK(files.out == table);
}

TEST_CASE("stats compare: what differs most stands first, on the terminal and on the page", "[cli]") {
  PlainFiles files;
  const std::string before = files.write("a.csv", "n,late\n1,true\n2,false\n3,false\n4,false\n");
  const std::string now = files.write("b.csv", "n,late,new\n1,true\n2,true\n3,true\n4,false\n");
  REQUIRE(files.run({"stats", "compare", before, now}) == 2);
  files.write("b.csv", "n,late,new\n1,true,x\n2,true,x\n3,true,x\n4,false,x\n");
  REQUIRE(files.run({"stats", "compare", before, now, "--html", files.path("page.html")}) == 0);
  CHECK_THAT(files.err, Contains("4 rows before, 4 rows now") || Contains("4 rows before, 4 now"));
  const auto place = [&](const std::string& text) { return files.out.find(text); };
  CHECK(place("is new") < place("true: 25.0 % before, 75.0 % now"));
  CHECK(place("\nlate") < place("\nn "));
  const std::string page = files.read("page.html");
  CHECK_THAT(page, Contains("<b>late</b>") && Contains("true: 25.0 % before, 75.0 % now"));
  REQUIRE(files.run({"stats", "compare", before, before, "--json"}) == 0);
  const auto json = nlohmann::json::parse(files.out);
  for (const auto& feature : json["features"]) CHECK(feature["score"] == 0.0);
}

TEST_CASE("stats compare: dates have a distance, and what has none says why", "[cli]") {
  PlainFiles files;
  const std::string before =
      files.write("a.csv", "day,none,n\n2013-01-01,,1\n2013-01-02,,2\n2013-01-03,,1\n2013-01-04,,2\n");
  const std::string now =
      files.write("b.csv", "day,none,n\n2013-01-03,,1\n2013-01-04,,2\n2013-01-05,,1\n2013-01-06,,2\n");
  REQUIRE(files.run({"stats", "compare", before, now, "--html", files.path("page.html")}) == 0);
  CHECK_THAT(files.out, Contains("from 2013-01-01 to 2013-01-04 before, from 2013-01-03 to 2013-01-06 now"));
  CHECK_THAT(files.out, Contains("day      date      0.5000"));
  CHECK_THAT(files.out, Contains("not compared: neither side has values"));
  CHECK(files.out.find("–") != std::string::npos);
  CHECK_THAT(files.read("page.html"), Contains("not compared: neither side has values"));
  REQUIRE(files.run({"stats", "compare", before, now, "--json"}) == 0);
  const auto json = nlohmann::json::parse(files.out);
  CHECK(json["features"][0]["name"] == "day");
  CHECK(json["features"][0]["distances"]["ks"] == 0.5);
  for (const auto& feature : json["features"]) CHECK(feature["score"].is_null() == (feature["name"] == "none"));
  // What could not be compared is not called equal.
  REQUIRE(files.run({"stats", "compare", before, before, "--html", files.path("same.html")}) == 0);
  CHECK_THAT(files.read("same.html"), Contains("1 of 3 features could not be compared"));
  CHECK_THAT(files.read("same.html"), !Contains("every feature is distributed as before"));
}

TEST_CASE("stats show: what is wrong with a file is said with its place", "[cli]") {
  PlainFiles files;
  CHECK(files.run({"stats", "show", files.path("none.csv")}) == 2);
  CHECK_THAT(files.err, Contains("there is no file or folder"));
  CHECK(files.run({"stats", "show", files.write("bad.csv", "a,b\n1\n")}) == 2);
  CHECK_THAT(files.err, Contains("bad.csv line 2: 1 value, 2 expected"));
  CHECK(files.run({"stats", "show", files.write("other.json", "{}")}) == 2);
  CHECK_THAT(files.err, Contains("is no statistics/1"));
  CHECK(files.out.empty());
}

TEST_CASE("local run: nothing is left behind and two files of one name are refused", "[cli]") {
  PlainFiles files;
  const std::string file = files.write("rows.csv", "a\n1\n");
  std::string folder;
  {
    auto local = cli::LocalRun::begin(files.environment());
    REQUIRE(local);
    const auto table = local->examples({file});
    REQUIRE(table);
    folder = table->folder;
    CHECK(std::filesystem::exists(folder));
    const auto twice = local->link("files/1", {file, file});
    REQUIRE_FALSE(twice);
    CHECK_THAT(twice.error().message, Contains("two files are called rows.csv"));
    const auto none = local->run({.operator_id = "data.nothing"});
    REQUIRE_FALSE(none);
    CHECK_THAT(none.error().message, Contains("no plugin in"));
  }
  CHECK_FALSE(std::filesystem::exists(folder));
}

TEST_CASE("statistics table: shares and numbers are short and say what they are", "[cli]") {
  CHECK(cli::percent(0, 10) == "0 %");
  CHECK(cli::percent(10, 10) == "100 %");
  CHECK(cli::percent(1, 3) == "33.3 %");
  CHECK(cli::percent(1, 1'000'000) == "0.0001 %");
  CHECK(cli::percent(1, 0) == "-");
  CHECK(cli::short_value(1234567.0) == "1.23457e+06");
  CHECK(cli::short_value(std::int64_t{1234567}) == "1234567");
  CHECK(cli::short_value(Value()) == "-");
}
