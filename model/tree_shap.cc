#include "model/tree_shap.h"

#include <algorithm>

namespace pipelined::model {
namespace {

// A feature on the way to a node: which share of the rows goes this way if it is not known, and
// whether the row does; `weight` sums the permutations that have it so.
struct Step {
  std::size_t feature = 0;
  double zero = 0, one = 0, weight = 0;
};

constexpr std::size_t no_feature = static_cast<std::size_t>(-1);

void extend(Step* path, std::size_t depth, const Step& next) {
  path[depth] = {next.feature, next.zero, next.one, depth == 0 ? 1.0 : 0.0};
  const auto all = static_cast<double>(depth + 1);
  for (std::size_t i = depth; i-- > 0;) {
    path[i + 1].weight += next.one * path[i].weight * static_cast<double>(i + 1) / all;
    path[i].weight = next.zero * path[i].weight * static_cast<double>(depth - i) / all;
  }
}

// Takes the step `at` out as if it had never been there.
void unwind(Step* path, std::size_t depth, std::size_t at) {
  const double one = path[at].one, zero = path[at].zero, all = static_cast<double>(depth + 1);
  double next = path[depth].weight;
  for (std::size_t i = depth; i-- > 0;) {
    if (one != 0) {
      const double before = path[i].weight;
      path[i].weight = next * all / (static_cast<double>(i + 1) * one);
      next = before - path[i].weight * zero * static_cast<double>(depth - i) / all;
    } else {
      path[i].weight = path[i].weight * all / (zero * static_cast<double>(depth - i));
    }
  }
  for (std::size_t i = at; i < depth; ++i) {
    path[i].feature = path[i + 1].feature;
    path[i].zero = path[i + 1].zero;
    path[i].one = path[i + 1].one;
  }
}

// The sum of the weights if the step `at` were taken out.
double unwound_sum(const Step* path, std::size_t depth, std::size_t at) {
  const double one = path[at].one, zero = path[at].zero, all = static_cast<double>(depth + 1);
  double next = path[depth].weight, total = 0;
  for (std::size_t i = depth; i-- > 0;) {
    const double share = static_cast<double>(depth - i) / all;
    if (one != 0) {
      const double weight = next * all / (static_cast<double>(i + 1) * one);
      total += weight;
      next = path[i].weight - weight * zero * share;
    } else if (zero != 0) {
      total += path[i].weight / zero / share;
    }
  }
  return total;
}

// Walks one tree for one row.
class Walk {
 public:
  Walk(const Forest& forest, std::span<const float> row, int condition, std::size_t feature,
       std::span<double> values)
      : forest_(forest),
        row_(row),
        condition_(condition),
        condition_feature_(feature),
        values_(values) {}

  void begin(std::size_t root) {
    steps_.clear();
    steps_.resize(64);
    visit(root, 0, 0, {no_feature, 1, 1, 0}, 1);
  }

 private:
  // `start`: where this node's copy of the path begins in steps_; `share`: of the condition.
  void visit(std::size_t node, std::size_t start, std::size_t depth, const Step& next,
             double share) {
    if (share == 0) return;
    if (steps_.size() < start + depth + 2) steps_.resize(2 * (start + depth + 2));
    // The feature that is taken as known or unknown is no step of the path.
    if (condition_ == 0 || next.feature != condition_feature_) {
      extend(&steps_[start], depth, next);
    } else {
      --depth;
    }
    const TreeNode& here = forest_.nodes()[node];
    if (here.left < 0) return add_leaf(start, depth, static_cast<double>(here.value) * share);
    const bool left = forest_.goes_left(here, row_[here.feature]);
    const auto hot = static_cast<std::size_t>(left ? here.left : here.right);
    const auto cold = static_cast<std::size_t>(left ? here.right : here.left);
    const auto cover = [&](std::size_t at) { return static_cast<double>(forest_.covers()[at]); };
    const double whole = cover(node);
    double hot_zero = whole > 0 ? cover(hot) / whole : 0.5;
    double cold_zero = whole > 0 ? cover(cold) / whole : 0.5;
    double zero = 1, one = 1;
    for (std::size_t at = 1; at <= depth; ++at) {
      if (steps_[start + at].feature != here.feature) continue;
      zero = steps_[start + at].zero;
      one = steps_[start + at].one;
      unwind(&steps_[start], depth, at);
      --depth;
      break;
    }
    double hot_share = share, cold_share = share;
    if (condition_ != 0 && here.feature == condition_feature_) {
      hot_share = condition_ > 0 ? share : share * hot_zero;
      cold_share = condition_ > 0 ? 0 : share * cold_zero;
    }
    go(hot, start, depth, {here.feature, hot_zero * zero, one, 0}, hot_share);
    go(cold, start, depth, {here.feature, cold_zero * zero, 0, 0}, cold_share);
  }

  void go(std::size_t child, std::size_t start, std::size_t depth, const Step& next, double share) {
    const std::size_t copy = start + depth + 1;
    if (steps_.size() < copy + depth + 3) steps_.resize(2 * (copy + depth + 3));
    std::copy_n(steps_.begin() + static_cast<std::ptrdiff_t>(start), depth + 1,
                steps_.begin() + static_cast<std::ptrdiff_t>(copy));
    visit(child, copy, depth + 1, next, share);
  }

  void add_leaf(std::size_t start, std::size_t depth, double value) {
    for (std::size_t at = 1; at <= depth; ++at) {
      const Step& step = steps_[start + at];
      values_[step.feature] +=
          unwound_sum(&steps_[start], depth, at) * (step.one - step.zero) * value;
    }
  }

  const Forest& forest_;
  std::span<const float> row_;
  int condition_;
  std::size_t condition_feature_;
  std::span<double> values_;
  std::vector<Step> steps_;
};

// Walks go down by recursion; nobody trains trees near this depth.
constexpr std::size_t depth_max = 200;

std::size_t depth_of(const Forest& forest, std::size_t root) {
  std::vector<std::pair<std::size_t, std::size_t>> open{{root, 0}};
  std::size_t deepest = 0;
  while (!open.empty()) {
    const auto [node, depth] = open.back();
    open.pop_back();
    deepest = std::max(deepest, depth);
    const TreeNode& here = forest.nodes()[node];
    if (here.left < 0) continue;
    open.emplace_back(static_cast<std::size_t>(here.left), depth + 1);
    open.emplace_back(static_cast<std::size_t>(here.right), depth + 1);
  }
  return deepest;
}

}  // namespace

Result<TreeShap> TreeShap::make(const Model& model) {
  if (!model.has_trees()) {
    return Error{ErrorCode::unsupported,
                 model.is_linear() ? "explain the model: it is linear, and only trees are explained; "
                                     "its weights are in linear.json"
                                   : "explain the model: it is an ONNX model, and only trees are "
                                     "explained; permutation importance serves any model"};
  }
  const Forest& forest = model.forest();
  for (std::size_t tree = 0; tree < forest.tree_count(); ++tree) {
    if (depth_of(forest, forest.root(tree)) <= depth_max) continue;
    return Error{ErrorCode::unsupported, "explain the model: tree " + std::to_string(tree) +
                                             " is deeper than " + std::to_string(depth_max)};
  }
  if (forest.covers().size() != forest.nodes().size()) {
    return Error{ErrorCode::unsupported,
                 "explain the model: its trees do not say how many rows of the training each node "
                 "saw (\"sum_hessian\"), which Shapley values need"};
  }
  TreeShap shap(model);
  shap.bases_.assign(forest.group_count(), static_cast<double>(model.base_margin()));
  for (std::size_t tree = 0; tree < forest.tree_count(); ++tree) {
    shap.bases_[forest.group(tree)] += shap.expected(forest.root(tree));
  }
  return shap;
}

double TreeShap::expected(std::size_t node) const {
  const TreeNode& here = model_->forest().nodes()[node];
  if (here.left < 0) return static_cast<double>(here.value);
  const auto left = static_cast<std::size_t>(here.left);
  const auto right = static_cast<std::size_t>(here.right);
  const std::vector<float>& covers = model_->forest().covers();
  const double on_left = static_cast<double>(covers[left]), on_right = static_cast<double>(covers[right]);
  const double both = on_left + on_right;
  if (!(both > 0)) return (expected(left) + expected(right)) / 2;
  return (expected(left) * on_left + expected(right) * on_right) / both;
}

void TreeShap::add_values(std::span<const float> row, std::size_t score, int condition,
                          std::size_t condition_feature, std::span<double> values) const {
  const Forest& forest = model_->forest();
  Walk walk(forest, row, condition, condition_feature, values);
  for (std::size_t tree = 0; tree < forest.tree_count(); ++tree) {
    if (forest.group(tree) == score) walk.begin(forest.root(tree));
  }
}

void TreeShap::explain(std::span<const float> row, std::span<double> values) const {
  CHECK(row.size() + 1 == width() && values.size() == width() * bases_.size());
  std::fill(values.begin(), values.end(), 0.0);
  for (std::size_t score = 0; score < bases_.size(); ++score) {
    const auto own = values.subspan(score * width(), width());
    add_values(row, score, 0, 0, own);
    own.back() = bases_[score];
  }
}

void TreeShap::interactions(std::span<const float> row, std::size_t score,
                            const std::vector<std::size_t>& features,
                            std::span<double> table) const {
  CHECK(table.size() == width() * width());
  std::fill(table.begin(), table.end(), 0.0);
  std::vector<double> plain(width()), known(width()), unknown(width());
  add_values(row, score, 0, 0, plain);
  for (const std::size_t feature : features) {
    std::fill(known.begin(), known.end(), 0.0);
    std::fill(unknown.begin(), unknown.end(), 0.0);
    add_values(row, score, 1, feature, known);
    add_values(row, score, -1, feature, unknown);
    double rest = plain[feature];
    for (std::size_t other = 0; other + 1 < width(); ++other) {
      if (other == feature) continue;
      // Half of what the other one does more when this one is known.
      const double together = (known[other] - unknown[other]) / 2;
      table[feature * width() + other] = together;
      rest -= together;
    }
    table[feature * width() + feature] = rest;
  }
  table.back() = bases_[score];
}

}  // namespace pipelined::model
