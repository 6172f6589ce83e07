// The plugin `transform`: what its operators declare.
#include "plugins/common/library_versions.h"
#include "plugins/transform/operators.h"

namespace {
namespace sdk = pipelined::sdk;

constexpr auto analyse =
    sdk::describe("transform.analyse", 1, "Gathers what a transform has to know about rows")
        .doc("Counts and exact sums: the analyses of spans merge into what all rows would give, bit "
             "for bit, so that a new span costs one span.")
        .input("examples", "examples/1", "rows to learn from", sdk::many)
        .output("analysis", "transform_analysis/1", "counts and sums of each feature")
        .param(sdk::table("features", "feature to method and options").required())
        .library("arrow", pipelined::arrow_version);

constexpr auto fit =
    sdk::describe("transform.fit", 1, "Fits a transform: from columns to numbers")
        .doc("Give it the training rows alone, or analyses of them. Unseen categories, nulls and "
             "infinite numbers have one meaning for each method; docs/formats.md has the table.")
        .input("examples", "examples/1", "rows to learn from", sdk::many | sdk::optional)
        .input("analyses", "transform_analysis/1", "what transform.analyse said about them",
               sdk::many | sdk::optional)
        .input("vectors", "files/1", "word vectors as text, of word2vec or GloVe", sdk::optional)
        .input("schema", "schema/1", "the values that columns may have", sdk::optional)
        .output("transform", "transform/1", "declaration and what was learned")
        .param(sdk::table("features", "feature to method and options; with analyses it may be absent"))
        .param(sdk::text("domains", "what follows if transform and schema disagree about values")
                   .standard("warn").choices("warn|halt"))
        .library("arrow", pipelined::arrow_version);

constexpr auto apply =
    sdk::describe("transform.apply", 1, "Applies a transform to examples")
        .input("examples", "examples/1", "rows", sdk::many)
        .input("transform", "transform/1", "what transform.fit learned")
        .output("examples", "examples/1", "the kept columns, the transform's numbers, its labels")
        .param(sdk::list("keep", "columns to copy; [\"*\"]: all").standard("[]"))
        .library("arrow", pipelined::arrow_version);

}  // namespace

PL_PLUGIN("transform", "1.0", sdk::Operator<analyse, pipelined::transform::transform_analyse>,
          sdk::Operator<fit, pipelined::transform::transform_fit>,
          sdk::Operator<apply, pipelined::transform::transform_apply>)
