// The plugin `train`: what its operators declare.
#include "plugins/common/library_versions.h"
#include "plugins/train/booster.h"
#include "plugins/train/train_linear.h"
#include "plugins/train/train_onnx.h"
#include "plugins/train/train_trees.h"

namespace {
namespace sdk = pipelined::sdk;

constexpr auto trees =
    sdk::describe("train.trees", 5, "Trains gradient-boosted trees on examples")
        .doc("Texts become categories whose dictionary is part of the model; a missing value goes "
             "the way that the trees learned for it. The same examples, parameters and seed give "
             "the same bytes for any number of threads. A lost attempt goes on after the last round "
             "that it kept and ends with the same bytes; one that draws rows or columns starts anew.")
        .input("examples", "examples/1", "rows to learn from", sdk::many)
        .input("transform", "transform/1", "from columns to numbers", sdk::optional)
        .input("base", "model/1", "an earlier model whose trees come first", sdk::optional)
        .input("validation", "examples/1", "rows whose loss is measured after each round",
               sdk::many | sdk::optional)
        .input("remedy", "remedy/1", "how much the rows of each class count", sdk::optional)
        .input("tuning", "tuning/1", "a search, whose chosen values are taken", sdk::optional)
        .output("model", "model/1", "signature, dictionaries and trees")
        .output("log", "report/1", "the loss after each round", sdk::evidence)
        .param(sdk::text("label", "the column to learn").required())
        .param(sdk::text("objective", "what to learn; auto: by the type of the label")
                   .standard("auto")
                   .choices("auto|binary:logistic|multi:softprob|reg:squarederror"))
        .param(sdk::list("features", "columns to learn from; none named: all").standard("[]"))
        .param(sdk::list("exclude", "columns to leave out").standard("[]"))
        .param(sdk::list("optional", "inputs that callers may leave out").standard("[]"))
        .param(sdk::list("closed", "inputs whose values outside of what was seen are refused")
                   .standard("[]"))
        .param(sdk::integer("rounds", "trees, or trees a class").standard("100").at_least(1))
        .param(sdk::integer("max_depth", "questions from root to leaf")
                   .standard("6").at_least(1).at_most(16))
        .param(sdk::number("learning_rate", "how much each tree adds")
                   .standard("0.1").at_least(0).at_most(1))
        .param(sdk::number("min_child_weight", "least sum of second derivatives in a leaf")
                   .standard("1.0").at_least(0))
        .param(sdk::number("min_split_loss", "least gain of a split").standard("0.0").at_least(0))
        .param(sdk::number("subsample", "share of the rows for each tree")
                   .standard("1.0").at_least(0).at_most(1))
        .param(sdk::number("colsample", "share of the columns for each tree")
                   .standard("1.0").at_least(0).at_most(1))
        .param(sdk::number("lambda", "square penalty on leaves").standard("1.0").at_least(0))
        .param(sdk::number("alpha", "absolute penalty on leaves").standard("0.0").at_least(0))
        .param(sdk::integer("max_bin", "histogram bins a column")
                   .standard("256").at_least(2).at_most(65536))
        .param(sdk::integer("early_stopping", "rounds without a better loss on validation rows after "
                            "which it ends with the best; 0: never").standard("0").at_least(0))
        .param(sdk::table("monotone", "feature to 1 (the score may only rise with it) or -1"))
        .param(sdk::text("class_weights", "balanced: classes count alike")
                   .standard("none").choices("none|balanced"))
        .param(sdk::text("sampling", "undersample: keep the share of rows that the remedy names")
                   .standard("none").choices("none|undersample"))
        .param(sdk::text("method", "memory: XGBoost on all rows in memory; pages: from a file in the "
                         "scratch folder, whatever the number of rows")
                   .standard("memory").choices("memory|pages"))
        .param(sdk::table("tuned", "parameter to the value of the search that it takes; not given: "
                          "every value under its own name"))
        .param(sdk::integer("threads", "threads; 0: the processors of the step. Decides no byte")
                   .standard("0").at_least(0).at_most(256))
        .library("arrow", pipelined::arrow_version)
        .library("xgboost", pipelined::train::xgboost_version)
        .flags(PL_DETERMINISTIC | PL_CACHEABLE | PL_RESUMABLE)
        .resources(2, 0);

constexpr auto linear =
    sdk::describe("train.linear", 4, "Trains a weighted sum of features on examples")
        .doc("Logistic, softmax, least squares or Poisson with square and absolute penalties. Memory "
             "does not grow with the rows. Without a transform the model gets a usual one. The same "
             "examples, transform and parameters give the same bytes for any number of threads; a "
             "lost attempt goes on after its last step and ends with the same bytes.")
        .input("examples", "examples/1", "rows to learn from", sdk::many)
        .input("transform", "transform/1", "from columns to numbers", sdk::optional)
        .input("validation", "examples/1", "rows whose loss is measured after each step",
               sdk::many | sdk::optional)
        .input("remedy", "remedy/1", "how much the rows of each class count", sdk::optional)
        .input("tuning", "tuning/1", "a search, whose chosen values are taken", sdk::optional)
        .output("model", "model/1", "signature, transform and weights")
        .output("log", "report/1", "the loss after each step", sdk::evidence)
        .param(sdk::text("label", "the column to learn").required())
        .param(sdk::text("objective", "what to learn; auto: by the type of the label")
                   .standard("auto")
                   .choices("auto|binary:logistic|multi:softprob|reg:squarederror|count:poisson"))
        .param(sdk::list("features", "columns to learn from; none named: all").standard("[]"))
        .param(sdk::list("exclude", "columns to leave out").standard("[]"))
        .param(sdk::list("optional", "inputs that callers may leave out").standard("[]"))
        .param(sdk::list("closed", "inputs whose values outside of what was seen are refused")
                   .standard("[]"))
        .param(sdk::number("l1", "absolute penalty on weights").standard("0.0").at_least(0))
        .param(sdk::number("l2", "square penalty on weights").standard("0.0001").at_least(0))
        .param(sdk::text("class_weights", "balanced: classes count alike")
                   .standard("none").choices("none|balanced"))
        .param(sdk::integer("steps", "at most so many steps").standard("200").at_least(1)
                   .at_most(100000))
        .param(sdk::number("tolerance", "largest slope at which it ends").standard("0.000001")
                   .at_least(0))
        .param(sdk::table("tuned", "parameter to the value of the search that it takes; not given: "
                          "every value under its own name"))
        .param(sdk::integer("threads", "threads; 0: the processors of the step. Decides no byte")
                   .standard("0").at_least(0).at_most(256))
        .library("arrow", pipelined::arrow_version)
        .flags(PL_DETERMINISTIC | PL_CACHEABLE | PL_RESUMABLE)
        .resources(2, 0);

constexpr auto onnx =
    sdk::describe("train.onnx", 1, "Takes a model in the ONNX format as a model/1")
        .doc("The model has one input of 32-bit floats, rows times features, and an output with a score "
             "a row, a probability a class, or two for yes and no. It is tried once; every scoring "
             "of pipelined takes it then. Needs ONNX Runtime.")
        .input("model", "files/1", "one .onnx file")
        .input("transform", "transform/1", "from columns to the model's numbers", sdk::optional)
        .output("model", "model/1", "signature, transform and the file")
        .param(sdk::text("label", "the column that it predicts").required())
        .param(sdk::text("objective", "what its scores are").standard("binary:logistic")
                   .choices("binary:logistic|multi:softprob|reg:squarederror|count:poisson"))
        .param(sdk::text("label_type", "the label's type; auto: by the objective").standard("auto")
                   .choices("auto|bool|int|float|string"))
        .param(sdk::list("classes", "of multi:softprob: the classes in the order of the scores")
                   .standard("[]"))
        .param(sdk::list("features", "number columns in the model's order, without a transform")
                   .standard("[]"));
}  // namespace

PL_PLUGIN("train", "1.0", sdk::Operator<trees, pipelined::train::train_trees>,
          sdk::Operator<linear, pipelined::train::train_linear>,
          sdk::Operator<onnx, pipelined::train::train_onnx>)
