// ingest.files as a function: files in, Parquet parts out, sentences for what cannot be read.
#include "tests/plugins/ingest/ingest_run.h"

namespace {

using namespace pipelined;
using testing::cell;
using Ingest = testing::IngestRun;

std::string message(const wire::Ended& ended) { return ended.error; }

}  // namespace

TEST_CASE("ingest: types are settled by the last row as much as by the first", "[ingest]") {
  Ingest ingest;
  std::string text = "a,b,c,d,e,f\n";
  for (int i = 0; i < 5000; ++i) text += "1,2,true,2013-12-31,2013-01-01T05:00:00Z,x\n";
  text += "2.5,,False,2013-01-01,2013-01-01 06:30,\n";
  const auto ended = ingest.run("a.csv", text);
  INFO(message(ended));
  REQUIRE(ended.outcome == Outcome::ok);
  const auto table = ingest.table();
  CHECK(table->num_rows() == 5001);
  CHECK(table->schema()->ToString() ==
        "a: double\nb: int64\nc: bool\nd: date32[day]\ne: timestamp[us]\nf: string");
  CHECK(cell(*table, "a", 5000) == "2.5");
  CHECK(cell(*table, "b", 5000) == "null");
  CHECK(cell(*table, "e", 5000) == "2013-01-01 06:30:00.000000");
}

TEST_CASE("ingest: a bad row is named with file, line and text", "[ingest]") {
  Ingest ingest;
  const auto ended = ingest.run("2013-10.csv", "a,b\n1,\"two\nlines\"\n\n3\n4,5\n");
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(message(ended) == "2013-10.csv line 5: 1 value, 2 expected: '3'");
}

TEST_CASE("ingest: quarantine keeps bad rows with their reasons", "[ingest]") {
  Ingest ingest;
  const auto ended = ingest.run(
      "x.csv", "a,b\n1,x\n2\nthree,y\n5,\"q\"r\n6,\xff\n\"4,z\n7,w\n",
      R"({"bad_rows":"quarantine","bad_rows_max":1,"types":{"a":"int"}})");
  INFO(message(ended));
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(ingest.table()->num_rows() == 2);
  const auto rejected = ingest.table("rejected");
  REQUIRE(rejected->num_rows() == 5);
  CHECK(cell(*rejected, "line", 0) == "3");
  CHECK(cell(*rejected, "reason", 0) == "1 value, 2 expected");
  CHECK(cell(*rejected, "column", 0) == "null");
  CHECK(cell(*rejected, "reason", 1) == "'three' in column 'a' is no int");
  CHECK(cell(*rejected, "column", 1) == "a");
  CHECK(cell(*rejected, "reason", 2) == "text after a closing quote");
  CHECK(cell(*rejected, "reason", 3) == "text that is not UTF-8");
  CHECK(cell(*rejected, "text", 3) == "6,?");
  CHECK(cell(*rejected, "reason", 4) == "a quoted value is not closed");
  CHECK(cell(*rejected, "line", 4) == "7");
}

TEST_CASE("ingest: line endings, byte order mark, quotes and nulls", "[ingest]") {
  Ingest ingest;
  const auto ended = ingest.run(
      "x.csv", "\xEF\xBB\xBFname,n\r\n\"say \"\"hi\"\"\r\nthere\",1\r\nNA,NA\r\nmid\"quote,3",
      R"({"null":["","NA"]})");
  INFO(message(ended));
  REQUIRE(ended.outcome == Outcome::ok);
  const auto table = ingest.table();
  REQUIRE(table->num_rows() == 3);
  CHECK(table->schema()->field(0)->name() == "name");
  CHECK(cell(*table, "name", 0) == "say \"hi\"\r\nthere");
  CHECK(cell(*table, "name", 1) == "null");
  CHECK(cell(*table, "name", 2) == "mid\"quote");
  CHECK(cell(*table, "n", 2) == "3");
}

TEST_CASE("ingest: a header alone is a table without rows, an empty file is refused", "[ingest]") {
  Ingest header;
  REQUIRE(header.run("x.csv", "a,b\n").outcome == Outcome::ok);
  CHECK(header.table()->num_rows() == 0);
  CHECK(header.table()->num_columns() == 2);
  Ingest empty;
  const auto ended = empty.run("x.csv", "");
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(message(ended).starts_with("x.csv is empty: a header line is expected"));
}

TEST_CASE("ingest: digits are never lost to a float", "[ingest]") {
  Ingest ingest;
  REQUIRE(ingest.run("x.csv", "id,n\n123456789012345678901,9223372036854775807\n1,-5\n").outcome ==
          Outcome::ok);
  CHECK(ingest.table()->schema()->ToString() == "id: string\nn: int64");
  CHECK(cell(*ingest.table(), "n", 0) == "9223372036854775807");
}

TEST_CASE("ingest: JSON lines with missing keys and late columns", "[ingest]") {
  Ingest ingest;
  const auto ended = ingest.run("x.jsonl",
                                "{\"a\":1,\"b\":\"2\"}\n{\"b\":null,\"c\":true}\n{\"a\":2.5}\n");
  INFO(message(ended));
  REQUIRE(ended.outcome == Outcome::ok);
  const auto table = ingest.table();
  CHECK(table->schema()->ToString() == "a: double\nb: string\nc: bool");
  CHECK(cell(*table, "c", 0) == "null");
  CHECK(cell(*table, "a", 2) == "2.5");
  Ingest nested;
  CHECK(message(nested.run("y.jsonl", "{\"a\":1}\n{\"a\":[1]}\n")) ==
        "y.jsonl line 2: 'a' is a list or an object; only plain values can be read: '{\"a\":[1]}'");
}

TEST_CASE("ingest: Parquet in gives the same parts as CSV in", "[ingest]") {
  Ingest text;
  REQUIRE(text.run("x.csv", "a,b\n1,x\n2,y\n").outcome == Outcome::ok);
  const std::string part = text.context.output_text("examples", "part-00000.parquet");
  Ingest columns;
  REQUIRE(columns.run("x.parquet", part).outcome == Outcome::ok);
  CHECK(columns.context.output_text("examples", "part-00000.parquet") == part);
}

TEST_CASE("ingest: a name that says no format is refused with what to do", "[ingest]") {
  Ingest ingest;
  const auto ended = ingest.run("x.dat", "a\n1\n");
  CHECK(ended.outcome == Outcome::invalid);
  CHECK_THAT(message(ended), Catch::Contains("set the parameter format"));
  Ingest told;
  CHECK(told.run("x.dat", "a;b\n1;2\n", R"({"format":"csv","delimiter":";"})").outcome ==
        Outcome::ok);
  CHECK(told.table()->num_columns() == 2);
}

TEST_CASE("ingest: a declared type of a column that is not there is refused", "[ingest]") {
  Ingest ingest;
  const auto ended = ingest.run("x.csv", "a\n1\n", R"({"types":{"b":"int"}})");
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(message(ended) == "types.b: there is no such column in x.csv");
}
