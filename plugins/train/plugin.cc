// The plugin `train`: what its operator declares.
#include "plugins/common/library_versions.h"
#include "plugins/train/booster.h"
#include "plugins/train/train_trees.h"

namespace {
namespace sdk = pipelined::sdk;

constexpr auto trees =
    sdk::describe("train.trees", 1, "Trains gradient-boosted trees on examples")
        .doc("Texts become categories whose dictionary is part of the model; a missing value goes "
             "the way that the trees learned for it. The same examples, parameters and seed give "
             "the same bytes for any number of threads.")
        .input("examples", "examples/1", "rows to learn from", sdk::many)
        .input("validation", "examples/1", "rows whose loss is measured after each round",
               sdk::many | sdk::optional)
        .input("remedy", "remedy/1", "how much the rows of each class count", sdk::optional)
        .output("model", "model/1", "signature, dictionaries and trees")
        .output("log", "report/1", "the loss after each round", sdk::evidence)
        .param(sdk::text("label", "the column to learn").required())
        .param(sdk::text("objective", "what to learn; auto: by the type of the label")
                   .standard("auto")
                   .choices("auto|binary:logistic|multi:softprob|reg:squarederror"))
        .param(sdk::list("features", "columns to learn from; none named: all").standard("[]"))
        .param(sdk::list("exclude", "columns to leave out").standard("[]"))
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
        .param(sdk::integer("threads", "threads; 0: the processors of the step. Decides no byte")
                   .standard("0").at_least(0).at_most(256))
        .library("arrow", pipelined::arrow_version)
        .library("xgboost", pipelined::train::xgboost_version)
        .resources(2, 0);
}  // namespace

PL_PLUGIN("train", "1.0", sdk::Operator<trees, pipelined::train::train_trees>)
