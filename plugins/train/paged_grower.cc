#include "plugins/train/paged_grower.h"

#include <algorithm>
#include <cmath>

namespace pipelined::train {

PagedGrower::PagedGrower(const PageStore& store, const std::vector<FeatureBins>& bins,
                         const Settings& settings, std::int64_t sums_bytes)
    : store_(store),
      bins_(bins),
      settings_(settings),
      layout_(BinLayout::of(bins)),
      stride_(layout_.count + 1),
      sums_(static_cast<std::size_t>(std::max<std::int64_t>(1, settings.threads))) {
  const std::size_t bytes = stride_ * sizeof(WholeSum) * sums_.size();
  slots_max_ = std::max<std::size_t>(1, static_cast<std::size_t>(sums_bytes) / bytes);
}

std::int32_t PagedGrower::add_node(PagedTree& tree, std::int32_t parent, const WholeSum& sum) {
  PagedNode node;
  node.parent = parent;
  node.value = static_cast<float>(settings_.learning_rate * weight_of(sum, scale_, settings_));
  node.cover = static_cast<float>(static_cast<double>(sum.second) / scale_.second);
  tree.push_back(std::move(node));
  node_sums_.push_back(sum);
  return static_cast<std::int32_t>(tree.size() - 1);
}

Result<PagedTree> PagedGrower::grow(std::size_t group, const GradientBounds& bounds) {
  scale_ = SumScale::of(bounds.first, bounds.second, store_.row_count());
  PagedTree tree;
  node_sums_.clear();
  add_node(tree, -1, {});
  std::vector<std::int32_t> level{0};
  bool first = true;
  for (std::int64_t depth = 0; depth < settings_.max_depth && !level.empty(); ++depth) {
    std::vector<std::int32_t> next;
    for (std::size_t begin = 0; begin < level.size(); begin += slots_max_) {
      const std::size_t count = std::min(slots_max_, level.size() - begin);
      Slots slots(tree.size(), -1);
      for (std::size_t i = 0; i < count; ++i) {
        slots[static_cast<std::size_t>(level[begin + i])] = static_cast<std::int32_t>(i);
      }
      TRY_VOID(add_up(tree, group, slots, count, first));
      if (first) {
        tree.clear();
        node_sums_.clear();
        add_node(tree, -1, sums_[0][layout_.count]);
        first = false;
      }
      for (std::size_t i = 0; i < count; ++i) {
        const std::int32_t at = level[begin + i];
        const auto place = static_cast<std::size_t>(at);
        const auto sums = std::span(sums_[0]).subspan(i * stride_, layout_.count);
        auto question =
            best_question(sums, node_sums_[place], scale_, layout_, bins_, settings_);
        if (!question) continue;
        PagedNode& asked = question->node;
        asked.parent = tree[place].parent;
        asked.value = tree[place].value;
        asked.cover = tree[place].cover;
        asked.left = add_node(tree, at, question->left);
        asked.right = add_node(tree, at, question->right);
        next.insert(next.end(), {asked.left, asked.right});
        tree[place] = std::move(asked);
      }
    }
    level = std::move(next);
  }
  return tree;
}

Result<void> PagedGrower::add_up(const PagedTree& tree, std::size_t group, const Slots& slots,
                                 std::size_t slot_count, bool first) {
  for (auto& sums : sums_) sums.assign(slot_count * stride_, {});
  TRY_VOID(each_page(store_, static_cast<int>(sums_.size()),
                     [&](std::size_t page, std::size_t thread) {
                       return add_page(page, tree, group, slots, first, sums_[thread]);
                     }));
  for (std::size_t thread = 1; thread < sums_.size(); ++thread) {
    for (std::size_t i = 0; i < sums_[0].size(); ++i) sums_[0][i] += sums_[thread][i];
  }
  return {};
}

Result<void> PagedGrower::add_page(std::size_t page, const PagedTree& tree, std::size_t group,
                                   const Slots& slots, bool first,
                                   std::vector<WholeSum>& sums) const {
  std::vector<std::uint16_t> bins;
  std::vector<Gradient> gradients;
  std::vector<std::uint32_t> nodes(store_.rows_of(page), 0);
  TRY_VOID(store_.read(page, Segment::bins, bins));
  TRY_VOID(store_.read(page, Segment::gradients, gradients));
  if (!first) TRY_VOID(store_.read(page, Segment::nodes, nodes));
  const std::size_t width = store_.width();
  for (std::size_t row = 0; row < nodes.size(); ++row) {
    const std::uint16_t* here = bins.data() + row * width;
    nodes[row] = leaf_of(tree, nodes[row], here);
    // A node that was made in this pass over the level has its turn in the next level.
    const std::int32_t slot = nodes[row] < slots.size() ? slots[nodes[row]] : -1;
    if (slot < 0) continue;
    const Gradient& gradient = gradients[row * store_.groups() + group];
    const WholeSum whole{std::llrint(static_cast<double>(gradient.first) * scale_.first),
                         std::llrint(static_cast<double>(gradient.second) * scale_.second)};
    WholeSum* target = sums.data() + static_cast<std::size_t>(slot) * stride_;
    for (std::size_t feature = 0; feature < width; ++feature) {
      if (here[feature] == PageStore::missing_bin) continue;
      target[layout_.begins[feature] + here[feature]] += whole;
    }
    target[layout_.count] += whole;
  }
  return store_.write(page, Segment::nodes, nodes);
}

}  // namespace pipelined::train
