// The plugin "ingest": data from outside becomes examples.
#include "plugins/common/library_versions.h"
#include "plugins/ingest/ingest_files.h"

namespace {

using namespace pipelined;

constexpr auto files =
    sdk::describe("ingest.files", 1, "Reads delivered files into examples")
        .doc("CSV, TSV and JSON lines (also .gz and .zst), Parquet and Arrow. Types of text are "
             "settled over whole files.")
        .input("files", "files/1", "the delivered files; together they are one table")
        .output("examples", "examples/1", "the table")
        .output("rejected", "examples/1", "rows that could not be read, with file, line and reason",
                sdk::optional | sdk::evidence)
        .param(sdk::text("format", "how the files are written; auto: by their extension")
                   .standard("auto")
                   .choices("auto|csv|tsv|jsonl|parquet|arrow"))
        .param(sdk::list("null", "words that mean no value").standard("[\"\"]"))
        .param(sdk::table("types", "column to type (int, float, bool, string, date, time); the "
                                   "others are inferred"))
        .param(sdk::text("delimiter", "the character between values"))
        .param(sdk::text("bad_rows", "what a row that cannot be read does")
                   .standard("fail")
                   .choices("fail|quarantine"))
        .library("arrow", arrow_version);

}  // namespace

PL_PLUGIN("ingest", "0.1", sdk::Operator<files, run_ingest_files>)
