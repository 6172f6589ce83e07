// Files of many blocks: what is cut where and by how many threads changes nothing.
#include "plugins/common/delimited_rows.h"
#include "tests/plugins/ingest/ingest_run.h"

namespace {

using namespace pipelined;
using testing::IngestRun;
using testing::rows_of;

constexpr int row_count = 60'000;  // about three megabytes: several blocks

/// Values with quotes, delimiters and line breaks at many distances from each other.
std::string quoted_rows(const std::string& line_end) {
  std::string text = "n,word,text" + line_end;
  for (int i = 0; i < row_count; ++i) {
    text += std::to_string(i) + ",w" + std::to_string(i % 7) + ",";
    if (i % 3 == 0) text += "\"a,\"\"b\"\"" + line_end + std::string(static_cast<std::size_t>(i % 41), 'x') + "\"";
    if (i % 3 == 1) text += std::string(static_cast<std::size_t>(i % 53 + 1), 'y') + "\"";
    text += line_end;
  }
  return text;
}

std::string parts(IngestRun& run) { return run.context.output_text("examples", "part-00000.parquet"); }

}  // namespace

TEST_CASE("ingest: the number of threads changes no byte", "[ingest][blocks]") {
  const std::string end = GENERATE("\n", "\r\n", "\r");
  const std::string text = quoted_rows(end);
  IngestRun one, two, five;
  REQUIRE(one.run("x.csv", text).outcome == Outcome::ok);
  two.context.cpus(2);
  REQUIRE(two.run("x.csv", text).outcome == Outcome::ok);
  five.context.cpus(5);
  REQUIRE(five.run("x.csv", text).outcome == Outcome::ok);
  CHECK(one.table()->num_rows() == row_count);
  CHECK(one.table()->schema()->ToString() == "n: int64\nword: string\ntext: string");
  CHECK(testing::cell(*one.table(), "text", 30) == "a,\"b\"" + end + std::string(30, 'x'));
  CHECK(parts(one) == parts(two));
  CHECK(parts(one) == parts(five));
}

TEST_CASE("ingest: lines of bad rows are counted over blocks and files", "[ingest][blocks]") {
  std::string text = "a,b\n";
  for (int i = 0; i < row_count; ++i) text += "\"line\nbreak\",some more text to fill it\n";
  const std::string bad = text + "short\n" + "\"x\",y\n\"open,z\nu,v\n";
  for (const double cpus : {1.0, 3.0}) {
    IngestRun keep;
    keep.context.cpus(cpus);
    const auto ended = keep.run_files({{"1.csv", bad}, {"2.csv", "a,b\nshort\n"}, {"3.csv", bad}},
                                      R"({"bad_rows":"quarantine"})");
    INFO(ended.error);
    REQUIRE(ended.outcome == Outcome::ok);
    CHECK(rows_of(*keep.table("rejected")) ==
          "1.csv|120002|null|1 value, 2 expected|short\n"
          "1.csv|120004|null|a quoted value is not closed|\"open,z\n"
          "2.csv|2|null|1 value, 2 expected|short\n"
          "3.csv|120002|null|1 value, 2 expected|short\n"
          "3.csv|120004|null|a quoted value is not closed|\"open,z\n");
    IngestRun fail;
    fail.context.cpus(cpus);
    CHECK(fail.run("1.csv", bad).error == "1.csv line 120002: 1 value, 2 expected: 'short'");
  }
}

TEST_CASE("ingest: types and late keys are settled over all blocks", "[ingest][blocks]") {
  std::string csv = "a,b\n", json;
  for (int i = 0; i < row_count; ++i) {
    csv += "17,2013-01-01 and then some\n";
    json += R"({"a":17,"b":"some text that fills the line"})" "\n";
  }
  IngestRun text;
  text.context.cpus(3);
  REQUIRE(text.run("x.csv", csv + "0.5,x\n").outcome == Outcome::ok);
  CHECK(text.table()->schema()->ToString() == "a: double\nb: string");
  IngestRun lines, alone;
  lines.context.cpus(3);
  json += R"({"late":true,"a":0.5})" "\n";
  REQUIRE(lines.run("x.jsonl", json).outcome == Outcome::ok);
  REQUIRE(alone.run("x.jsonl", json).outcome == Outcome::ok);
  CHECK(lines.table()->schema()->ToString() == "a: double\nb: string\nlate: bool");
  CHECK(parts(lines) == parts(alone));
}

TEST_CASE("ingest: a row of more than 16 MiB is an error, a lost quote is one bad row",
          "[ingest][blocks]") {
  const std::string long_text(17u << 20, 'x');
  IngestRun plain;
  CHECK(plain.run("x.csv", "a,b\n1," + long_text).outcome == Outcome::invalid);
  CHECK(plain.error == "read x.csv: it has a row of more than 16 MiB; is this its format, and its "
                       "encoding?");
  IngestRun line;
  CHECK(line.run("x.jsonl", "{\"a\":\"" + long_text + "\"}").outcome == Outcome::invalid);
  std::string lost = "a,b\n1,\"open\n";
  while (lost.size() < 17u << 20) lost += "2,some text that is quite plain and has no quotes\n";
  IngestRun quote;
  const auto ended = quote.run("x.csv", lost, R"({"bad_rows":"quarantine"})");
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(rows_of(*quote.table("rejected")) == "x.csv|2|null|a quoted value is not closed|1,\"open\n");
  CHECK(testing::cell(*quote.table(), "a", 0) == "2");
}

TEST_CASE("rows: whole rows are cut where they end", "[ingest][blocks]") {
  const Dialect dialect;
  struct Row {
    const char* text;
    std::size_t more, ended;
  };
  const Row row = GENERATE(Row{"", 0, 0}, Row{"a,b", 0, 3}, Row{"a,b\n", 4, 4}, Row{"a\nb", 2, 3},
                           Row{"a\r", 0, 2}, Row{"a\rb\r", 2, 4}, Row{"a\n\"b", 2, 4},
                           Row{"a\n\"b\nc", 2, 6}, Row{"a\n\"b\nc\"\nd", 8, 9}, Row{"\"a\"", 0, 3},
                           Row{"\"a\"\n", 4, 4}, Row{"a\"\nb", 3, 4}, Row{"\"a\"\"\n", 0, 5},
                           Row{"\"a\"\r", 0, 4}, Row{"x\n\"a\"b\n\"", 7, 8});
  CAPTURE(row.text);
  CHECK(whole_rows(row.text, dialect, false) == row.more);
  CHECK(whole_rows(row.text, dialect, true) == row.ended);
}
