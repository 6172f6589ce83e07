// The plugin "data": looking at examples, judging them, cutting and joining them.
#include "plugins/common/library_versions.h"
#include "plugins/common/duckdb.h"
#include "plugins/data/operators.h"

namespace {

using namespace pipelined;

constexpr auto sql =
    sdk::describe("data.sql", 2, "Runs SELECTs over its inputs")
        .doc("Each input port is a view of its name; several artifacts at one port are united by "
             "column name in their order. End with ORDER BY a unique key if the order matters.")
        .input("*", "examples/1|files/1", "tables, by the names that the query uses", sdk::many)
        .output("examples", "examples/1", "the query's result")
        .output("{queries}", "examples/1", "the results of further queries, a port a query")
        .param(sdk::text("query", "one SELECT").required())
        .param(sdk::table("queries", "further SELECTs over the same inputs, by their output ports"))
        .param(sdk::list("null", "words that mean no value in delivered text files")
                   .standard("[\"\"]"))
        .library("arrow", arrow_version)
        .library("duckdb", duckdb_version);

constexpr auto rows =
    sdk::describe("data.table", 2, "Runs one SELECT and writes its first rows as text")
        .doc("What `pipectl artifact head` and `artifact sql` run; the query calls its table data.")
        .input("data", "examples/1|files/1", "the table", sdk::many)
        .input("other", "examples/1|files/1", "a table to compare it with, if the query names it",
               sdk::optional)
        .output("table", "report/1", "table.json: columns and rows of text", sdk::evidence)
        .param(sdk::text("query", "one SELECT over data").required())
        .param(sdk::integer("rows", "at most so many rows").standard("10").at_least(1)
                   .at_most(1000))
        .param(sdk::list("null", "words that mean no value in delivered text files")
                   .standard("[\"\"]"))
        .library("arrow", arrow_version)
        .library("duckdb", duckdb_version);

constexpr auto statistics =
    sdk::describe("data.statistics", 3, "Describes every column in one pass")
        .input("examples", "examples/1|files/1", "the table, in parts", sdk::many)
        .output("statistics", "statistics/1", "counts, extremes, distribution of every column")
        .param(sdk::text("label", "the column that is to be predicted"))
        .param(sdk::text("weight", "a column that says how much each row counts"))
        .param(sdk::integer("top_values", "how many frequent values are listed")
                   .standard("20").at_least(0).at_most(1000))
        .param(sdk::integer("quantiles", "into how many parts quantiles cut")
                   .standard("10").at_least(1).at_most(1000))
        .param(sdk::list("cross", "pairs of columns to be compared: [\"fare*tips\"]"))
        .param(sdk::list("slices", "columns by whose values everything is repeated; a list in the list "
                                   "crosses its columns; the label's name: what each class is like"))
        .param(sdk::table("where", "name to a condition in SQL on a row: slices NAME=true and "
                                   "NAME=false, also to be crossed"))
        .param(sdk::text("format", "of delivered files, as of ingest.files").standard("auto"))
        .param(sdk::list("null", "words that mean no value in delivered text files")
                   .standard("[\"\"]"))
        .library("arrow", arrow_version)
        .library("duckdb", duckdb_version);

constexpr auto merge_statistics =
    sdk::describe("data.merge_statistics", 2, "Statistics of parts become those of the whole")
        .doc("Reads no rows. Counts, extremes, integer sums and columns of few values are as if all "
             "rows had been described at once; what is estimated says by how much it may be off.")
        .input("statistics", "statistics/1", "statistics of the parts, with their state", sdk::many)
        .output("statistics", "statistics/1", "statistics of all rows together")
        .param(sdk::integer("top_values", "how many frequent values are listed")
                   .standard("20").at_least(0).at_most(1000))
        .param(sdk::integer("quantiles", "into how many parts quantiles cut")
                   .standard("10").at_least(1).at_most(1000));

constexpr auto export_statistics =
    sdk::describe("data.export_statistics", 1, "Statistics as the file that TFDV and Facets read")
        .doc("A DatasetFeatureStatisticsList of tensorflow_metadata; each slice is a data set of its own.")
        .input("statistics", "statistics/1", "the table")
        .output("proto", "files/1", "FeatureStats.pb")
        .param(sdk::text("dataset", "how the file calls the table").standard("All Examples"));

constexpr auto import_statistics =
    sdk::describe("data.import_statistics", 1, "Statistics that TFDV wrote, as a baseline for instance")
        .doc("Of the file's data sets one is the table; its slices are the others, if none is named.")
        .input("proto", "files/1", "a DatasetFeatureStatisticsList, one file")
        .output("statistics", "statistics/1", "what it says of each column")
        .param(sdk::text("dataset", "which data set; none: the only one, or All Examples"))
        .param(sdk::text("label", "the column that is to be predicted"));

constexpr auto report =
    sdk::describe("data.report", 2, "Statistics of one or two tables as a page")
        .doc("One HTML file that needs nothing else, below a megabyte for any number of rows; what "
             "differs most stands first, after features with problems.")
        .input("statistics", "statistics/1", "the table")
        .input("before", "statistics/1", "what it is compared with", sdk::optional)
        .input("anomalies", "anomalies/1", "what validation found, to be marked", sdk::optional)
        .output("report", "report/1", "report.html; of two tables comparison.json as well")
        .param(sdk::text("name", "how the page calls the table").standard("now"))
        .param(sdk::text("before_name", "how it calls the other").standard("before"));

constexpr auto validate =
    sdk::describe("data.validate", 4, "Judges a table by schema and by what it was before")
        .doc("docs/validation.md has the schema's keys, every anomaly and the formula of every "
             "measure. Rows are read only where statistics cannot decide, and for examples of what "
             "is wrong.")
        .input("examples", "examples/1", "the table")
        .input("statistics", "statistics/1", "its statistics")
        .input("schema", "schema/1", "what its columns should be", sdk::optional)
        .input("previous", "statistics/1", "statistics of the span before", sdk::optional)
        .input("window", "statistics/1", "statistics of all spans that a model was trained on",
               sdk::optional | sdk::many)
        .input("baseline", "statistics/1", "statistics of what it should resemble", sdk::optional)
        .input("serving", "statistics/1", "statistics of what a model was asked", sdk::optional)
        .input("eval", "statistics/1", "statistics of the evaluation share, if this is the training "
               "share", sdk::optional)
        .input("history", "statistics/1", "statistics of earlier spans in order, for trends",
               sdk::optional | sdk::many)
        .pass("examples", "examples/1", "examples", "the table again, once it is accepted")
        .output("anomalies", "anomalies/1", "every comparison, check and anomaly", sdk::evidence)
        .output("report", "report/1", "the same for people", sdk::evidence)
        .output("remedy", "remedy/1", "what balances a label that moved, if `remedy` says how")
        .param(sdk::table("drift", "feature, measure, threshold: drift.late.l_infinity = 0.1"))
        .param(sdk::table("skew", "the same for the sides serving and eval"))
        .param(sdk::table("severity", "anomaly to error, warning or off"))
        .param(sdk::text("label", "the label, if the statistics do not name it"))
        .param(sdk::text("remedy", "what to propose when the label's shares moved, and nothing else is "
                                   "wrong; a pipeline that reads it goes on by itself")
                   .standard("none")
                   .choices("none|undersample|weights"))
        .param(sdk::text("environment", "only columns of this environment are expected"))
        .param(sdk::integer("small_sample", "with fewer rows a difference must be significant too")
                   .standard("1000").at_least(0))
        .param(sdk::number("significance", "the p-value up to which it is")
                   .standard("0.05").at_least(0).at_most(1))
        .library("arrow", arrow_version)
        .library("duckdb", duckdb_version);

constexpr auto schema =
    sdk::describe("data.schema", 1, "Proposes a schema, or changes of one for new data")
        .doc("Without a schema it proposes one, with the reason of every line as a comment. With one "
             "it writes what this data would change, and the text with the changes that `apply` "
             "names; all else in the text stays. Decides from statistics alone.")
        .input("statistics", "statistics/1", "what the data is like")
        .input("schema", "schema/1", "what it should be like", sdk::optional)
        .output("schema", "schema/1", "schema.toml: the proposal, or the changed text")
        .output("changes", "report/1", "changes.json: each change with its reason, and a patch",
                sdk::evidence)
        .param(sdk::text("label", "the label, if the statistics do not name it"))
        .param(sdk::list("apply", "ids of changes, or columns as feature.NAME; all")
                   .standard("[\"all\"]"))
        .library("arrow", arrow_version);

constexpr auto split =
    sdk::describe("data.split", 3, "Deals rows out into shares, no key into two of them")
        .doc("What a share's entry in `shares` means depends on `by`: its size (hash, stratified), "
             "the time at which it ends, \"\" for the rest (time), the values that it has (values); "
             "given: nothing, the input of the share's name is the share.")
        .input("examples", "examples/1", "the rows", sdk::many | sdk::optional)
        .input("*", "examples/1", "by = \"given\": a port a share", sdk::many | sdk::optional)
        .output("{shares}", "examples/1", "a port a share")
        .output("{shares}_statistics", "statistics/1", "its statistics, where somebody reads them",
                sdk::optional)
        .param(sdk::text("by", "what decides").standard("hash")
                   .choices("hash|stratified|time|values|given"))
        .param(sdk::list("key", "columns whose values decide; none: the whole row"))
        .param(sdk::list("apart", "columns whose values must not be in two shares; else the key"))
        .param(sdk::text("column", "the strata, the time, or the values"))
        .param(sdk::table("shares", "share to size: { train = 8, eval = 2 }").required())
        .param(sdk::text("salt", "another word deals otherwise"))
        .param(sdk::text("label", "the label, for the shares' statistics"))
        .library("arrow", arrow_version);

}  // namespace

PL_PLUGIN("data", "0.1", sdk::Operator<sql, run_data_sql>, sdk::Operator<rows, run_data_table>,
          sdk::Operator<statistics, run_data_statistics>,
          sdk::Operator<merge_statistics, run_data_merge_statistics>,
          sdk::Operator<export_statistics, run_data_export_statistics>,
          sdk::Operator<import_statistics, run_data_import_statistics>,
          sdk::Operator<report, run_data_report>,
          sdk::Operator<validate, run_data_validate>, sdk::Operator<schema, run_data_schema>,
          sdk::Operator<split, run_data_split>)
