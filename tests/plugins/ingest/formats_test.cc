// Packed files, columnar files, sets of texts, stated schemas and the quarantine of ingest.files.
#include <arrow/io/compressed.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/writer.h>
#include <arrow/util/compression.h>
#include <parquet/arrow/writer.h>

#include "tests/plugins/ingest/ingest_run.h"

namespace {

using namespace pipelined;
using testing::cell;
using testing::IngestRun;
using testing::rows_of;

std::string packed(const std::string& bytes, arrow::Compression::type kind) {
  auto codec = arrow::util::Codec::Create(kind).ValueOrDie();
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto stream = arrow::io::CompressedOutputStream::Make(codec.get(), out).ValueOrDie();
  REQUIRE(stream->Write(bytes.data(), static_cast<std::int64_t>(bytes.size())).ok());
  REQUIRE(stream->Close().ok());
  return out->Finish().ValueOrDie()->ToString();
}
std::string gzip(const std::string& bytes) { return packed(bytes, arrow::Compression::GZIP); }
std::string zstd(const std::string& bytes) { return packed(bytes, arrow::Compression::ZSTD); }

std::shared_ptr<arrow::Table> words(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  REQUIRE(builder.AppendValues(values).ok());
  return arrow::Table::Make(arrow::schema({arrow::field("a", arrow::utf8())}),
                            {builder.Finish().ValueOrDie()});
}

std::string as_parquet(const arrow::Table& table) {
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  REQUIRE(parquet::arrow::WriteTable(table, arrow::default_memory_pool(), out).ok());
  return out->Finish().ValueOrDie()->ToString();
}

std::string as_arrow(const arrow::Table& table, bool stream) {
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  auto writer = (stream ? arrow::ipc::MakeStreamWriter(out, table.schema())
                        : arrow::ipc::MakeFileWriter(out, table.schema())).ValueOrDie();
  REQUIRE(writer->WriteTable(table).ok());
  REQUIRE(writer->Close().ok());
  return out->Finish().ValueOrDie()->ToString();
}

}  // namespace

TEST_CASE("ingest: packed files are known by their bytes, not by their names", "[ingest][packed]") {
  const std::string csv = "a,b\n1,x\n2,y\n";
  struct Row {
    std::string file, bytes;
  };
  const Row row = GENERATE_COPY(
      Row{"x.csv.gz", gzip(csv)}, Row{"x.csv", gzip(csv)}, Row{"x.csv", zstd(csv)},
      Row{"x.csv.gz", zstd(csv)}, Row{"x.csv.gz", csv},
      Row{"x.csv.gz", gzip("a,b\n1,x\n") + gzip("2,y\n")},
      Row{"x.csv.zst", zstd("a,b\n1,x\n") + zstd("2,y\n")});
  CAPTURE(row.file);
  IngestRun ingest;
  const auto ended = ingest.run(row.file, row.bytes);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(rows_of(*ingest.table()) == "1|x\n2|y\n");
}

TEST_CASE("ingest: packing that is broken or unknown is an error", "[ingest][packed]") {
  IngestRun cut;
  std::string long_text = "a\n";
  for (int i = 0; i < 5000; ++i) long_text += std::to_string(i * 7919) + "\n";
  const std::string whole = gzip(long_text);
  CHECK(cut.run("x.csv.gz", whole.substr(0, whole.size() / 2)).outcome != Outcome::ok);
  CHECK_THAT(cut.error, Catch::Contains("x.csv.gz"));
  IngestRun zip;
  CHECK(zip.run("x.csv", "PK\x03\x04xxxx").outcome == Outcome::unsupported);
  CHECK(zip.error == "read x.csv: it is a zip archive; deliver it plain or packed with gzip or zstd");
  IngestRun bzip2;
  CHECK(bzip2.run("x.csv.bz2", "BZh91AY").outcome == Outcome::unsupported);
}

TEST_CASE("ingest: Parquet and Arrow, plain and packed, by whatever name", "[ingest][columnar]") {
  const auto table = words({"x", "y"});
  struct Row {
    std::string file, bytes;
  };
  const Row row = GENERATE_COPY(
      Row{"x.parquet", as_parquet(*table)}, Row{"x.parquet.gz", gzip(as_parquet(*table))},
      Row{"x.data", as_parquet(*table)}, Row{"x.parquet", zstd(as_parquet(*table))},
      Row{"x.arrow", as_arrow(*table, false)}, Row{"x.arrow", as_arrow(*table, true)},
      Row{"x.feather", as_arrow(*table, false)}, Row{"x.arrow.zst", zstd(as_arrow(*table, false))},
      Row{"x.arrows", gzip(as_arrow(*table, true))}, Row{"x", as_arrow(*table, true)});
  CAPTURE(row.file);
  IngestRun ingest;
  const auto ended = ingest.run(row.file, row.bytes);
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(rows_of(*ingest.table()) == "x\ny\n");
}

TEST_CASE("ingest: a value of a columnar file that does not fit is named with its row",
          "[ingest][columnar]") {
  const std::string file = as_parquet(*words({"1", "2", "x", "4", "y"}));
  IngestRun fail;
  CHECK(fail.run("x.parquet", file, R"({"types":{"a":"int"}})").outcome == Outcome::invalid);
  CHECK(fail.error == "read x.parquet row 3: 'x' in column 'a' is no int");
  IngestRun keep;
  const auto ended = keep.run("x.parquet", file, R"({"types":{"a":"int"},"bad_rows":"quarantine",
                                                   "bad_rows_max":0.5})");
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(rows_of(*keep.table()) == "1\n2\n4\n");
  CHECK(rows_of(*keep.table("rejected")) == "x.parquet|3|a|'x' in column 'a' is no int|x\n"
                                            "x.parquet|5|a|'y' in column 'a' is no int|y\n");
}

TEST_CASE("ingest: a set of texts has the folder as label", "[ingest][texts]") {
  IngestRun ingest;
  const auto ended = ingest.run_files({{"spam/1.txt", "buy\nnow"},
                                       {"ham/1.txt", "hello"},
                                       {"ham/deep/2.txt", gzip("zipped")},
                                       {"loose.txt", ""}},
                                      R"({"format":"texts"})");
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(ingest.table()->schema()->ToString() == "label: string\nfile: string\ntext: string");
  CHECK(rows_of(*ingest.table()) == "ham|ham/1.txt|hello\ndeep|ham/deep/2.txt|zipped\n"
                                    "null|loose.txt|\nspam|spam/1.txt|buy\nnow\n");
}

TEST_CASE("ingest: a text that is none is an error or kept apart", "[ingest][texts]") {
  IngestRun fail;
  CHECK(fail.run_files({{"spam/1.txt", "\xFF"}}, R"({"format":"texts"})").outcome ==
        Outcome::invalid);
  CHECK(fail.error == "read spam/1.txt: text that is not UTF-8");
  IngestRun latin;
  REQUIRE(latin.run_files({{"spam/1.txt", "\xFC"}}, R"({"format":"texts","encoding":"latin-1"})")
              .outcome == Outcome::ok);
  CHECK(rows_of(*latin.table()) == "spam|spam/1.txt|ü\n");
  IngestRun keep;
  REQUIRE(keep.run_files({{"spam/1.txt", "\xFF"}, {"ham/1", "x"}},
                         R"({"format":"texts","bad_rows":"quarantine","bad_rows_max":0.5})")
              .outcome == Outcome::ok);
  CHECK(rows_of(*keep.table("rejected")) == "spam/1.txt|1|text|text that is not UTF-8|\n");
}

TEST_CASE("ingest: too many bad rows halt, and the rows can be looked at", "[ingest][quarantine]") {
  std::string text = "a,b\n";
  for (int i = 0; i < 95; ++i) text += "1,x\n";
  for (int i = 0; i < 5; ++i) text += "1\n";
  const std::string quarantine = R"({"bad_rows":"quarantine"})";
  IngestRun five;
  CHECK(five.run("x.csv", text, quarantine).outcome == Outcome::ok);
  CHECK(five.table()->num_rows() == 95);
  IngestRun six;
  const auto ended = six.run("x.csv", text + "2\n", quarantine);
  CHECK(ended.outcome == Outcome::halt);
  CHECK(ended.error == "6 of 101 rows (5.94 %) could not be read, at most 5 % are allowed; the first: "
                       "x.csv line 97: 1 value, 2 expected: '1'");
  CHECK(six.table("rejected")->num_rows() == 6);
  IngestRun none;
  CHECK(none.run("x.csv", "a,b\n1,2\n3\n", R"({"bad_rows":"quarantine","bad_rows_max":0})").outcome ==
        Outcome::halt);
}

TEST_CASE("ingest: with infer off every column needs a stated type", "[ingest][schema]") {
  IngestRun ingest;
  CHECK(ingest.run("x.csv", "a,b\n1,2\n", R"({"infer":false,"types":{"a":"int"}})").outcome ==
        Outcome::invalid);
  CHECK_THAT(ingest.error, Catch::StartsWith("column 'b' has no declared type, and infer is off"));
  IngestRun all;
  CHECK(all.run("x.csv", "a,b\n1,2\n", R"({"infer":false,"types":{"a":"int","b":"string"}})")
            .outcome == Outcome::ok);
  CHECK(all.table()->schema()->ToString() == "a: int64\nb: string");
}

TEST_CASE("ingest: the types of a span hold in the next one", "[ingest][schema]") {
  IngestRun january;
  REQUIRE(january.run("1.csv", "a,b\n1.5,x\n").outcome == Outcome::ok);
  IngestRun february;  // taken alone, a would be an int and b a date
  february.context.input("schema", "examples/1", january.context.output_path("examples"));
  const auto ended = february.run("2.csv", "a,b,c\n1,2013-01-01,7\n");
  INFO(ended.error);
  REQUIRE(ended.outcome == Outcome::ok);
  CHECK(february.table()->schema()->ToString() == "a: double\nb: string\nc: int64");
  IngestRun march;
  march.context.input("schema", "examples/1", january.context.output_path("examples"));
  CHECK(march.run("3.csv", "a,b\n1,x\nmany,y\n").outcome == Outcome::invalid);
  CHECK(march.error == "3.csv line 3: 'many' in column 'a' is no float: 'many,y'");
}

TEST_CASE("ingest: types come from a schema, and stated ones go before", "[ingest][schema]") {
  const std::string schema = "[feature.a]\ntype = \"float\"\nmin = 0\n[feature.b]\ntype = \"string\"\n"
                             "[feature.gone]\ntype = \"int\"\n";
  IngestRun ingest;
  ingest.context.input_file("schema", "schema/1", "schema.toml", schema);
  REQUIRE(ingest.run("x.csv", "a,b\n1,2\n", R"({"types":{"b":"int"}})").outcome == Outcome::ok);
  CHECK(ingest.table()->schema()->ToString() == "a: double\nb: int64");
  IngestRun broken;
  broken.context.input_file("schema", "schema/1", "schema.toml", "[feature.a\n");
  CHECK(broken.run("x.csv", "a,b\n1,2\n").outcome == Outcome::invalid);
  CHECK_THAT(broken.error, Catch::StartsWith("input 'schema': schema.toml line 1: "));
}
