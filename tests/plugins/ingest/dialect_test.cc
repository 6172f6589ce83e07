// How ingest.files finds out how a file is written, and how that is overridden.
#include <iconv.h>

#include "tests/plugins/ingest/ingest_run.h"

namespace {

using namespace pipelined;
using testing::IngestRun;
using testing::rows_of;

std::string in_encoding(const std::string& text, const char* encoding) {
  const iconv_t handle = iconv_open(encoding, "UTF-8");
  REQUIRE(handle != reinterpret_cast<iconv_t>(-1));
  std::string input = text, output(text.size() * 4 + 8, '\0');
  char *in = input.data(), *out = output.data();
  std::size_t left = input.size(), room = output.size();
  REQUIRE(iconv(handle, &in, &left, &out, &room) != static_cast<std::size_t>(-1));
  iconv_close(handle);
  output.resize(output.size() - room);
  return output;
}

}  // namespace

TEST_CASE("ingest: delimiter, quote and header are found by looking", "[ingest][dialect]") {
  struct Row {
    const char *text, *schema, *rows;
  };
  const Row row = GENERATE(
      Row{"a;b\n1;2,5\n3;4,5\n", "a: int64\nb: string", "1|2,5\n3|4,5\n"},
      Row{"a\tb\n1\t2\n", "a: int64\nb: int64", "1|2\n"},
      Row{"a|b|c\nx|y|z\n", "a: string\nb: string\nc: string", "x|y|z\n"},
      Row{"text\none; two\nthree\n", "text: string", "one; two\nthree\n"},
      Row{"a,b\n\"x;y;z\",1\n\"u;v;w\",2\n", "a: string\nb: int64", "x;y;z|1\nu;v;w|2\n"},
      Row{"a,b\n'x,y',1\n'it''s',2\n", "a: string\nb: int64", "x,y|1\nit's|2\n"},
      Row{"a,b\nit's,1\n'tis,2\n", "a: string\nb: int64", "it's|1\n'tis|2\n"},
      Row{"5.1,red\n4.9,blue\n", "column_1: double\ncolumn_2: string", "5.1|red\n4.9|blue\n"},
      Row{"2013-01-01;x\n2013-01-02;y\n", "column_1: date32[day]\ncolumn_2: string",
          "2013-01-01|x\n2013-01-02|y\n"},
      Row{"nan,inf\n1,2\n", "nan: int64\ninf: int64", "1|2\n"});
  CAPTURE(row.text);
  IngestRun ingest;
  const auto ended = ingest.run("x.csv", row.text);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(ingest.table()->schema()->ToString() == row.schema);
  CHECK(rows_of(*ingest.table()) == row.rows);
}

TEST_CASE("ingest: what is stated of a dialect is not looked for", "[ingest][dialect]") {
  struct Row {
    const char *text, *params, *schema, *rows;
  };
  const Row row = GENERATE(
      Row{"a;b,c\n1;2,3\n", R"({"delimiter":","})", "a;b: string\nc: int64", "1;2|3\n"},
      Row{"a,b\n\"x\",1\n", R"({"quote":"none"})", "a: string\nb: int64", "\"x\"|1\n"},
      Row{"a,b\n'x,y',1\n", R"({"quote":"'"})", "a: string\nb: int64", "x,y|1\n"},
      Row{"2013,2014\n1,2\n", R"({"header":"yes"})", "2013: int64\n2014: int64", "1|2\n"},
      Row{"x,y\n1,2\n", R"({"header":"no"})", "column_1: string\ncolumn_2: string", "x|y\n1|2\n"},
      Row{"1,x\n2,y\n", R"({"columns":["n","word"]})", "n: int64\nword: string", "1|x\n2|y\n"},
      Row{"n,word\n2,y\n", R"({"columns":["n","word"]})", "n: int64\nword: string", "2|y\n"},
      Row{"n,\n2,y\n", R"({"columns":["n","word"],"header":"yes"})", "n: int64\nword: string",
          "2|y\n"},
      Row{"a b\n1 2\n", R"({"delimiter":" "})", "a: int64\nb: int64", "1|2\n"},
      Row{"a\tb\n1\t2\n", R"({"delimiter":"tab"})", "a: int64\nb: int64", "1|2\n"});
  CAPTURE(row.text, row.params);
  IngestRun ingest;
  const auto ended = ingest.run("x.csv", row.text, row.params);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(ingest.table()->schema()->ToString() == row.schema);
  CHECK(rows_of(*ingest.table()) == row.rows);
}

TEST_CASE("ingest: a dialect that cannot be is refused", "[ingest][dialect]") {
  struct Row {
    const char *params, *error;
  };
  const Row row = GENERATE(
      Row{R"({"delimiter":"ab"})", "delimiter: 'ab' is no character that can stand there"},
      Row{R"({"delimiter":"\n"})", "delimiter: '\n' is no character that can stand there"},
      Row{R"({"quote":"q"})", "or none"},
      Row{R"({"delimiter":"\"","quote":"\""})", "delimiter and quote are the same character"},
      Row{R"({"columns":["x"],"header":"yes"})", "x.csv line 1: 2 columns, but the parameter columns "
                                                 "names 1"},
      Row{R"({"columns":["x","x"]})", "columns: column 2 is named 'x' like one before it"},
      Row{R"({"encoding":"EBCDIC-of-Mars"})", "encoding 'EBCDIC-of-Mars' is not known here"});
  IngestRun ingest;
  const auto ended = ingest.run("x.csv", "a,b\n1,2\n", row.params);
  CHECK(ended.outcome == Outcome::invalid);
  CHECK_THAT(ended.error, Catch::Contains(row.error));
}

TEST_CASE("ingest: the dialect of the first file is that of all", "[ingest][dialect]") {
  IngestRun ingest;
  const auto ended = ingest.run_files({{"1.csv", "a;b\n1;x\n"}, {"2.csv", "a,b\n2,y\n"}});
  CHECK(ended.outcome == Outcome::invalid);
  CHECK(ended.error == "2.csv: column 'a,b' is not in the first file of this delivery");
}

TEST_CASE("ingest: declared encodings and byte order marks", "[ingest][encoding]") {
  struct Row {
    const char *encoding, *mark, *params;
  };
  const Row row = GENERATE(Row{"ISO-8859-1", "", R"({"encoding":"latin-1"})"},
                           Row{"ISO-8859-15", "", R"({"encoding":"iso8859-15"})"},
                           Row{"CP1252", "", R"({"encoding":"windows-1252"})"},
                           Row{"UTF-16LE", "\xFF\xFE", "{}"}, Row{"UTF-16BE", "\xFE\xFF", "{}"},
                           Row{"UTF-16LE", "", R"({"encoding":"UTF-16LE"})"},
                           Row{"UTF-16BE", "\xFE\xFF", R"({"encoding":"utf-16"})"},
                           Row{"UTF-8", "\xEF\xBB\xBF", R"({"encoding":"utf-8"})"},
                           Row{"UTF-8", "", R"({"encoding":"UTF8"})"});
  CAPTURE(row.encoding, row.mark, row.params);
  IngestRun ingest;
  std::string text = "name,n\n";
  std::string expected;
  for (int i = 0; i < 30'000; ++i) {  // more than a block, so that characters are cut
    text += "Zürich é" + std::string(static_cast<std::size_t>(i % 7), 'x') + ",1\n";
    expected += "Zürich é" + std::string(static_cast<std::size_t>(i % 7), 'x') + "|1\n";
  }
  const auto ended = ingest.run("x.csv", row.mark + in_encoding(text, row.encoding), row.params);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(ingest.table()->schema()->field(0)->name() == "name");
  CHECK(rows_of(*ingest.table()) == expected);
}

TEST_CASE("ingest: bytes that are no text are found in their row", "[ingest][encoding]") {
  struct Row {
    std::string text;
    const char *params, *error;
  };
  const Row row = GENERATE(
      Row{"a,b\n1,x\n2,\xFC\n", "{}", "x.csv line 3: text that is not UTF-8: '2,?'"},
      Row{"a,b\n1,\x80\n2,\x81\n", R"({"encoding":"windows-1252"})",
          "x.csv line 3: text that is not windows-1252: '2,?'"},
      Row{std::string("\xFF\xFE" "a\0\n\0\x00\xDC\n\0", 10), "{}", "x.csv line 2: text that is not"},
      Row{"\xEF\xBB\xBF" "a\n1\n", R"({"encoding":"latin-1"})",
          "read x.csv: it begins with the byte order mark of UTF-8, but the encoding latin-1 is "
          "declared"});
  IngestRun ingest;
  const auto ended = ingest.run("x.csv", row.text, row.params);
  CHECK(ended.outcome == Outcome::invalid);
  CHECK_THAT(ended.error, Catch::StartsWith(row.error));
}
