// Growing one tree from pages of bins, level by level.
//
// Each level is a pass over the pages that brings rows to their nodes and adds up their derivatives
// there; when a level has more nodes than the memory for sums holds, it takes several passes.  The
// tree is the same for any number of threads, pages at a time and memory.  Knows nothing of losses.
// Belongs to one thread, and uses as many as it is told to.
#pragma once

#include <cstdint>
#include <vector>

#include "plugins/train/bin_sums.h"
#include "plugins/train/page_passes.h"
#include "plugins/train/page_store.h"

namespace pipelined::train {

/// Grows trees on one store.
class PagedGrower {
 public:
  /// The arguments must outlive it.  `sums_bytes`: memory for sums of derivatives.
  PagedGrower(const PageStore& store, const std::vector<FeatureBins>& bins,
              const Settings& settings, std::int64_t sums_bytes);

  /// A tree for the derivatives of a group.
  Result<PagedTree> grow(std::size_t group, const GradientBounds& bounds);

 private:
  using Slots = std::vector<std::int32_t>;  // node → place among the sums, or -1

  std::int32_t add_node(PagedTree& tree, std::int32_t parent, const WholeSum& sum);
  Result<void> add_up(const PagedTree& tree, std::size_t group, const Slots& slots,
                      std::size_t slot_count, bool first);
  Result<void> add_page(std::size_t page, const PagedTree& tree, std::size_t group,
                        const Slots& slots, bool first, std::vector<WholeSum>& sums) const;

  const PageStore& store_;
  const std::vector<FeatureBins>& bins_;
  const Settings& settings_;
  BinLayout layout_;
  std::size_t stride_;     // of a node among the sums: all bins, and the sum of all rows
  std::size_t slots_max_;  // nodes of one pass
  SumScale scale_;
  std::vector<WholeSum> node_sums_;            // of each node of the tree that grows
  std::vector<std::vector<WholeSum>> sums_;    // of each thread; the first holds the result
};

}  // namespace pipelined::train
