// The plugin `model`: what its operators declare.
#include "plugins/common/duckdb.h"
#include "plugins/common/library_versions.h"
#include "plugins/model/model_evaluate.h"
#include "plugins/model/model_explain.h"
#include "plugins/model/model_register.h"
#include "plugins/model/model_report.h"
#include "plugins/model/model_what_if.h"

namespace {
namespace sdk = pipelined::sdk;

constexpr auto evaluate =
    sdk::describe("model.evaluate", 2, "Scores examples with a model and measures how good it is")
        .doc("Metrics of all rows and of every slice, with bootstrap intervals, differences to a "
             "baseline on the same rows, groups compared with a reference group, and a blessing: "
             "whether what is required holds, with reasons. The formulas are in the manual.")
        .input("model", "model/1", "the model")
        .input("examples", "examples/1", "rows with the label that the model predicts", sdk::many)
        .input("baseline", "model/1", "the model to compare with, such as the deployed one",
               sdk::optional)
        .input("*", "examples/1", "further data sets, measured apart under the port's name",
               sdk::optional | sdk::many)
        .output("evaluation", "evaluation/1", "metrics, counts, curves and the blessing",
                sdk::evidence)
        .output("predictions", "predictions/1", "label and score of every row", sdk::optional)
        .param(sdk::list("thresholds", "scores from which a row is called positive")
                   .standard("[0.5]"))
        .param(sdk::list("recalls", "recalls for which the best precision is measured")
                   .standard("[]"))
        .param(sdk::list("slices", "columns by whose values the metrics are repeated; a list in "
                                   "the list crosses its columns")
                   .standard("[]"))
        .param(sdk::table("buckets", "column to edges or to a number of parts: slices of numbers"))
        .param(sdk::table("where", "name to a condition in SQL on a row of the examples: slices "
                                   "NAME=true and NAME=false"))
        .param(sdk::integer("slice_rows_min", "slices of fewer rows are listed, not measured")
                   .standard("1").at_least(1))
        .param(sdk::list("fairness", "columns whose groups are compared").standard("[]"))
        .param(sdk::table("reference", "column to the group that others are compared with; "
                                       "else the largest"))
        .param(sdk::integer("bootstraps", "resamples for intervals; 0: none")
                   .standard("0").at_least(0).at_most(10000))
        .param(sdk::number("confidence", "the share of resamples that an interval holds")
                   .standard("0.95"))
        .param(sdk::any("require", "tables of what metrics must be for the model to be blessed"))
        .param(sdk::list("keep", "columns to copy into the predictions; [\"*\"]: all")
                   .standard("[]"))
        .param(sdk::integer("threads", "threads; 0: the processors of the step. Decides no byte")
                   .standard("0").at_least(0).at_most(256))
        .library("arrow", pipelined::arrow_version)
        .library("duckdb", pipelined::duckdb_version);

constexpr auto explain =
    sdk::describe("model.explain", 1, "Says what a model's scores hang on")
        .doc("On a sample of rows: exact Shapley values of the trees (TreeSHAP, path-dependent, of "
             "the margin), what is lost when a feature is shuffled, how the mean score follows one "
             "feature, and which features act together (Shapley interaction values).")
        .input("model", "model/1", "the model")
        .input("examples", "examples/1", "rows as those that the model scores", sdk::many)
        .output("explanation", "explanation/1", "importance, dependence, interactions",
                sdk::evidence)
        .output("contributions", "contributions/1", "the Shapley values of every row",
                sdk::optional)
        .param(sdk::integer("rows", "rows in the sample")
                   .standard("1000").at_least(1).at_most(100000))
        .param(sdk::list("features", "whose dependence is shown; none: the most important")
                   .standard("[]"))
        .param(sdk::integer("features_max", "how many of the most important features")
                   .standard("6").at_least(1).at_most(50))
        .param(sdk::integer("points", "values of a feature in its dependence")
                   .standard("20").at_least(2).at_most(200))
        .param(sdk::integer("lines", "single rows in a dependence")
                   .standard("30").at_least(0).at_most(200))
        .param(sdk::integer("repeats", "shuffles of each feature; 0: none")
                   .standard("20").at_least(0).at_most(1000))
        .param(sdk::integer("bootstraps", "resamples for the intervals of Shapley values")
                   .standard("200").at_least(0).at_most(10000))
        .param(sdk::number("confidence", "the share of resamples that an interval holds")
                   .standard("0.95").at_least(0.01).at_most(0.999))
        .param(sdk::integer("threads", "threads; 0: the processors of the step. Decides no byte")
                   .standard("0").at_least(0).at_most(256))
        .library("arrow", pipelined::arrow_version);

constexpr auto report =
    sdk::describe("model.report", 1, "Shows an evaluation and an explanation as one page")
        .input("evaluation", "evaluation/1", "how good the model is")
        .input("explanation", "explanation/1", "what its scores hang on", sdk::optional)
        .output("report", "report/1", "report.html, which needs nothing else", sdk::evidence)
        .param(sdk::text("title", "the page's title").standard("How good the model is"));

constexpr auto whatif =
    sdk::describe("model.whatif", 1, "Says what a model makes of one row, and what would flip it")
        .doc("Scores a row before and after some of its values are set, says how much each feature "
             "contributed (Shapley values of trees, weight times value of linear models), and "
             "searches for the nearest value of each single input that flips the decision.")
        .input("model", "model/1", "the model")
        .input("examples", "examples/1", "rows to choose one of by number",
               sdk::optional | sdk::many)
        .input("golden", "golden/1", "the same, kept with a version", sdk::optional)
        .output("whatif", "whatif/1", "whatif.json", sdk::evidence)
        .param(sdk::table("row", "the row itself: name to value, null where it is not known"))
        .param(sdk::integer("number", "the row by number, the first is 1").standard("0").at_least(0))
        .param(sdk::table("set", "name to another value; a text is read as the input's type, an "
                                 "empty one takes the value away"))
        .param(sdk::number("threshold", "from which score on the decision is true; else 0.5 of "
                                        "probabilities, none of values"))
        .library("arrow", pipelined::arrow_version);

constexpr auto verifies =
    sdk::describe("model.verify", 1, "Scores golden rows again and compares")
        .doc("Halts if a row scores otherwise than when the model was registered.")
        .input("model", "model/1", "the model")
        .input("golden", "golden/1", "rows with their scores")
        .output("verification", "verification/1", "verification.json", sdk::evidence)
        .param(sdk::number("tolerance", "differences up to it count as equal; 0: every bit counts")
                   .standard("0").at_least(0));

constexpr auto registers =
    sdk::describe("model.register", 2, "Registers a model as a version with a number by rule")
        .doc("The daemon compares the model with the newest version of its name and numbers it: an "
             "incompatible signature is major, a change of features, architecture, hyperparameters "
             "or recipe minor, other data a patch. The same model again is the same version. A "
             "person reviews it first, unless the step says review = false, or \"auto\", which "
             "lets the evaluation's blessing decide.")
        .input("model", "model/1", "the model; its signature is read from model.json")
        .input("evaluation", "evaluation/1", "its metrics, and whether it is blessed",
               sdk::optional)
        .input("explanation", "explanation/1", "how much each feature counts", sdk::optional)
        .input("transform", "transform/1", "what prepares its inputs", sdk::optional)
        .input("schema", "schema/1", "what its data should look like", sdk::optional)
        .input("examples", "examples/1", "example rows that are kept with it; golden rows are "
                                         "chosen among them", sdk::optional)
        .output("golden", "golden/1", "a few rows with their scores: of the examples, else made "
                                      "from the signature")
        .param(sdk::text("name", "the model's name: a-z, 0-9, _, - and .").required())
        .param(sdk::text("at_least", "a version such as 2.0.0 that the number shall not be below")
                   .standard(""))
        .param(sdk::list("aliases", "to be pointed at the version when it is new")
                   .standard("[\"candidate\"]"))
        .param(sdk::text("notes", "for people").standard(""))
        .flags(PL_DETERMINISTIC | PL_EFFECT);
}  // namespace

PL_PLUGIN("model", "1.0", sdk::Operator<evaluate, pipelined::evaluation::model_evaluate>,
          sdk::Operator<explain, pipelined::evaluation::model_explain>,
          sdk::Operator<report, pipelined::evaluation::model_report>,
          sdk::Operator<whatif, pipelined::evaluation::model_what_if>,
          sdk::Operator<verifies, pipelined::evaluation::model_verify>,
          sdk::Operator<registers, pipelined::evaluation::model_register>)
