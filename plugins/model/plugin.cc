// The plugin `model`: what its operator declares.
#include "plugins/common/library_versions.h"
#include "plugins/model/model_evaluate.h"

namespace {
namespace sdk = pipelined::sdk;

constexpr auto evaluate =
    sdk::describe("model.evaluate", 1, "Scores examples with a model and measures how good it is")
        .doc("Metrics of a yes-or-no label: auc, pr_auc, log_loss, brier, and precision, recall, "
             "f1 and accuracy at each threshold; of classes: accuracy, log_loss and means over "
             "classes; of values: rmse, mae, r2.")
        .input("model", "model/1", "the model")
        .input("examples", "examples/1", "rows with the label that the model predicts", sdk::many)
        .output("evaluation", "evaluation/1", "metrics, counts and curves")
        .output("predictions", "predictions/1", "label and score of every row", sdk::optional)
        .param(sdk::list("thresholds", "scores from which a row is called positive")
                   .standard("[0.5]"))
        .param(sdk::list("slices", "columns by whose values the metrics are repeated")
                   .standard("[]"))
        .param(sdk::list("keep", "columns to copy into the predictions; [\"*\"]: all")
                   .standard("[]"))
        .library("arrow", pipelined::arrow_version);
}  // namespace

PL_PLUGIN("model", "1.0", sdk::Operator<evaluate, pipelined::evaluation::model_evaluate>)
