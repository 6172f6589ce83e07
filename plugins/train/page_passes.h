// Passes over all pages: derivatives, losses, sums of trees.
//
// Every pass gives each page to one of some threads.  What is added over rows is added page by page
// in their order, or as whole numbers, so that the number of threads decides no bit.  Knows nothing of
// how trees are found.  Functions without state; one caller a store.
#pragma once

#include <cstdint>
#include <functional>

#include "model/signature.h"
#include "plugins/train/page_store.h"
#include "plugins/train/paged_tree.h"

namespace pipelined::train {

/// Calls `work(page, thread)` for every page; the first error in the order of the pages is returned.
Result<void> each_page(const PageStore& store, int threads,
                       const std::function<Result<void>(std::size_t, std::size_t)>& work);

/// The largest of one group's derivatives, in absolute terms.
struct GradientBounds {
  float first = 0, second = 0;
};

/// Sets the margins to where sums of trees begin.
Result<void> begin_margins(const PageStore& store, model::Objective objective, int threads);

/// Adds a tree's leaves to the margins of a group.
Result<void> add_tree(const PageStore& store, const PagedTree& tree, std::size_t group,
                      int threads);

/// Writes each row's derivatives where the margins stand, and returns their bounds by group.
Result<std::vector<GradientBounds>> derive(const PageStore& store, model::Objective objective,
                                           int threads);

/// The mean loss, in XGBoost's words logloss, mlogloss or rmse.
Result<double> mean_loss(const PageStore& store, model::Objective objective, int threads);

}  // namespace pipelined::train
