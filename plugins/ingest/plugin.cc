// The plugin "ingest": data from outside becomes examples.
#include "plugins/common/library_versions.h"
#include "plugins/ingest/ingest_files.h"
#include "plugins/ingest/ingest_query.h"

namespace {

using namespace pipelined;

constexpr auto files =
    sdk::describe("ingest.files", 2, "Reads delivered files into examples")
        .doc("CSV, TSV, JSON lines, Parquet, Arrow files and streams, or a set of texts; each may be "
             "packed with gzip or zstd. Types of text are settled over whole files, never by a sample.")
        .input("files", "files/1", "the delivered files; together they are one table")
        .input("schema", "schema/1|examples/1",
               "column types that hold in every span: a schema, or a table that came before",
               sdk::optional | sdk::many)
        .output("examples", "examples/1", "the table")
        .output("rejected", "examples/1",
                "rows that could not be read, with file, line, column, reason and text",
                sdk::optional | sdk::evidence)
        .param(sdk::text("format", "how the files are written; auto: by first bytes and extension")
                   .standard("auto")
                   .choices("auto|csv|tsv|jsonl|parquet|arrow|texts"))
        .param(sdk::text("encoding", "of text; auto: UTF-8, or what a byte order mark says")
                   .standard("auto"))
        .param(sdk::text("delimiter", "the character between values, or tab; not stated: found by "
                                      "looking at the first file"))
        .param(sdk::text("quote", "the character around values, or none; not stated: found by looking"))
        .param(sdk::text("header", "whether the first line names the columns; auto: by looking")
                   .standard("auto")
                   .choices("auto|yes|no"))
        .param(sdk::list("columns", "names of the columns in order, for files without a header"))
        .param(sdk::list("null", "words that mean no value").standard("[\"\"]"))
        .param(sdk::table("types", "column to type (int, float, bool, string, date, time); the "
                                   "others are inferred"))
        .param(sdk::flag("infer", "whether columns without a stated type are inferred; false: they "
                                  "are an error").standard("true"))
        .param(sdk::text("bad_rows", "what a row that cannot be read does")
                   .standard("fail")
                   .choices("fail|quarantine"))
        .param(sdk::number("bad_rows_max", "the share of such rows above which the step halts")
                   .standard("0.05").at_least(0).at_most(1))
        .library("arrow", arrow_version);

constexpr auto query =
    sdk::describe("ingest.query", 1, "Asks a database and writes its answer as examples")
        .doc("One read-only transaction over one state of the database. Without a watermark the whole "
             "answer; with one the rows behind `after`, up to `upto` or the greatest that is there, in "
             "its order. Notes: rows, first, last (watermarks taken), seen (the greatest there is), "
             "type (of the watermark). An answer without rows writes no output.")
        .output("examples", "examples/1", "the rows of the answer", sdk::optional)
        .param(sdk::text("database", "which kind of database").required().choices("sqlite|postgresql"))
        .param(sdk::text("path", "the SQLite file; it is only read"))
        .param(sdk::text("secret", "name of the secret that holds the connection string of PostgreSQL, "
                                   "as libpq takes it: `host=… dbname=…` or `postgresql://…`"))
        .param(sdk::text("query", "one SELECT").required())
        .param(sdk::text("watermark", "a column of the answer that only grows: int, date, time or string"))
        .param(sdk::text("after", "rows up to this watermark were taken; not stated: none"))
        .param(sdk::text("after_type", "the type of that watermark, as noted with it"))
        .param(sdk::text("upto", "rows behind this watermark are left for later; not stated: none are"))
        .param(sdk::flag("take", "false: only look how far the watermark has got").standard("true"))
        .param(sdk::table("types", "column to type (int, float, bool, string, date, time), where the "
                                   "database's own type is not meant"))
        .flags(PL_NETWORK)
        .library("arrow", arrow_version);

}  // namespace

PL_PLUGIN("ingest", "0.1", sdk::Operator<files, run_ingest_files>,
          sdk::Operator<query, run_ingest_query>)
