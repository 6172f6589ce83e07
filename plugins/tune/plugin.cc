// The plugin `tune`: what its operator declares.
#include "plugins/tune/tune_search.h"

namespace {
namespace sdk = pipelined::sdk;

constexpr auto search =
    sdk::describe("tune.search", 1, "Searches parameters whose trials are best by a metric")
        .doc("Names trials round by round and is called again when a round is over; the same results "
             "lead to the same trials, whatever their timing. grid, random; tpe after Bergstra et al. "
             "(2011); halving after Jamieson and Talwalkar (2016) and asha after Li et al. (2020), "
             "whose trials are trained anew with more of the resource on each rung.")
        .input("results", "evaluation/1", "what came of the trials",
               sdk::many | sdk::optional)
        .output("tuning", "tuning/1", "all trials ranked, and the parameters of the best")
        .output("report", "report/1", "the same as a page", sdk::evidence)
        .param(sdk::table("space", "parameter to { range = [0.01, 0.3], log = true }, "
                          "{ integers = [2, 8] } or { choices = [\"a\", \"b\"] }, each with `when` "
                          "and, for a grid, `points`").required())
        .param(sdk::text("strategy", "how the next trials are found")
                   .standard("tpe").choices("grid|random|tpe|halving|asha"))
        .param(sdk::text("metric", "of the trials' evaluations").required())
        .param(sdk::text("slice", "of that metric; empty: all rows").standard(""))
        .param(sdk::text("goal", "which way the metric is better")
                   .standard("maximise").choices("maximise|minimise"))
        .param(sdk::integer("parallel", "trials a round").standard("1").at_least(1).at_most(1000))
        .param(sdk::integer("patience", "trials in a row that are no better than the best, after "
                            "which it ends; 0: never").standard("0").at_least(0))
        .param(sdk::table("resource", "of halving and asha: { name = \"rounds\", min = 10, "
                          "max = 270, factor = 3 }, one of `factor` trials goes on with so many "
                          "times more of what `${each.name}` is"))
        .param(sdk::integer("startup", "of tpe: trials drawn evenly first").standard("10").at_least(1))
        .param(sdk::integer("candidates", "of tpe: points among which the best is taken")
                   .standard("24").at_least(1).at_most(10000))
        .param(sdk::number("good", "of tpe: the share of trials that count as good")
                   .standard("0.15").at_least(0).at_most(1))
        .param(sdk::text("title", "of the page").standard("A search"))
        .param(sdk::list("generated", "the trials so far; filled in by the system").standard("[]"))
        .param(sdk::integer("generated_max", "how many there may be; filled in by the system")
                   .standard("0"))
        .param(sdk::flag("generated_stopped", "its time is over; filled in by the system")
                   .standard("false"))
        .flags(PL_DETERMINISTIC | PL_CACHEABLE | PL_GENERATES);
}  // namespace

PL_PLUGIN("tune", "1.0", sdk::Operator<search, pipelined::tune::tune_search>)
