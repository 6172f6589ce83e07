#include "plugins/train/bin_sums.h"

#include <algorithm>
#include <cmath>

namespace pipelined::train {
namespace {

// As XGBoost: a question must gain more than this, and a set has at most so many categories.
constexpr double least_gain = 1e-6;
constexpr std::size_t set_max = 64;

double scale_for(float most, std::size_t rows) {
  if (!(most > 0)) return 1;
  const int bits = std::ilogb(most) + 1 + std::ilogb(static_cast<double>(rows)) + 1;
  return std::ldexp(1.0, 61 - bits);
}

double after_threshold(double sum, double alpha) {
  if (sum > alpha) return sum - alpha;
  if (sum < -alpha) return sum + alpha;
  return 0;
}

class Finder {
 public:
  Finder(const WholeSum& total, const SumScale& scale, const Settings& settings)
      : total_(total), scale_(scale), settings_(settings), gain_of_node_(gain(total)) {}

  // Takes the question if it is better than the best so far.
  template <class Describe>
  void judge(const WholeSum& left, const Describe& describe) {
    const WholeSum right = total_ - left;
    if (second(left) < settings_.min_child_weight || second(right) < settings_.min_child_weight ||
        left.second <= 0 || right.second <= 0) {
      return;
    }
    const double better = gain(left) + gain(right) - gain_of_node_;
    if (!(better > best_gain_) || better < settings_.min_split_loss) return;
    best_gain_ = better;
    Question question;
    question.left = left;
    question.right = right;
    question.node.gain = static_cast<float>(better);
    describe(question.node);
    best_ = std::move(question);
  }

  void numbers(std::uint32_t feature, std::span<const WholeSum> sums, const FeatureBins& bins) {
    WholeSum known;
    for (const WholeSum& sum : sums) known += sum;
    const WholeSum gone = total_ - known;
    WholeSum left;
    for (std::size_t cut = 0; cut < bins.cuts.size(); ++cut) {
      left += sums[cut];
      for (const bool missing_left : {false, true}) {
        WholeSum side = left;
        if (missing_left) side += gone;
        judge(side, [&](PagedNode& node) {
          node.feature = feature;
          node.bin = static_cast<std::uint16_t>(cut + 1);
          node.condition = bins.cuts[cut];
          node.default_left = missing_left;
        });
      }
    }
  }

  // Categories by the weight that each asks for: some from either end go right.
  void categories(std::uint32_t feature, std::span<const WholeSum> sums) {
    std::vector<std::uint16_t> order;
    WholeSum known;
    for (std::size_t category = 0; category < sums.size(); ++category) {
      known += sums[category];
      if (sums[category].second > 0) order.push_back(static_cast<std::uint16_t>(category));
    }
    const WholeSum gone = total_ - known;
    const auto weight = [&](std::uint16_t category) {
      return weight_of(sums[category], scale_, settings_);
    };
    std::stable_sort(order.begin(), order.end(), [&](std::uint16_t one, std::uint16_t other) {
      return weight(one) < weight(other);
    });
    for (const bool from_end : {false, true}) {
      if (from_end) std::reverse(order.begin(), order.end());
      WholeSum right;
      for (std::size_t size = 1; size <= std::min(set_max, order.size()); ++size) {
        right += sums[order[size - 1]];
        for (const bool missing_left : {false, true}) {
          WholeSum side = right;
          if (!missing_left) side += gone;
          judge(total_ - side, [&](PagedNode& node) {
            node.feature = feature;
            node.default_left = missing_left;
            node.right_set.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(size));
            std::sort(node.right_set.begin(), node.right_set.end());
          });
        }
      }
    }
  }

  std::optional<Question> best() { return std::move(best_); }

 private:
  double second(const WholeSum& sum) const {
    return static_cast<double>(sum.second) / scale_.second;
  }
  double gain(const WholeSum& sum) const {
    const double first =
        after_threshold(static_cast<double>(sum.first) / scale_.first, settings_.alpha);
    const double below = second(sum) + settings_.lambda;
    return below > 0 ? first * first / below : 0;
  }

  WholeSum total_;
  SumScale scale_;
  const Settings& settings_;
  double gain_of_node_;
  double best_gain_ = least_gain;
  std::optional<Question> best_;
};

}  // namespace

SumScale SumScale::of(float first_most, float second_most, std::size_t rows) {
  return {scale_for(first_most, rows), scale_for(second_most, rows)};
}

BinLayout BinLayout::of(const std::vector<FeatureBins>& bins) {
  BinLayout layout;
  for (const FeatureBins& feature : bins) {
    layout.begins.push_back(layout.count);
    layout.count += feature.count();
  }
  return layout;
}

double weight_of(const WholeSum& sum, const SumScale& scale, const Settings& settings) {
  const double first =
      after_threshold(static_cast<double>(sum.first) / scale.first, settings.alpha);
  const double below = static_cast<double>(sum.second) / scale.second + settings.lambda;
  return below > 0 ? -first / below : 0;
}

std::optional<Question> best_question(std::span<const WholeSum> sums, const WholeSum& total,
                                      const SumScale& scale, const BinLayout& layout,
                                      const std::vector<FeatureBins>& bins,
                                      const Settings& settings) {
  Finder finder(total, scale, settings);
  for (std::size_t feature = 0; feature < bins.size(); ++feature) {
    const auto here = sums.subspan(layout.begins[feature], bins[feature].count());
    if (bins[feature].categories) {
      finder.categories(static_cast<std::uint32_t>(feature), here);
    } else {
      finder.numbers(static_cast<std::uint32_t>(feature), here, bins[feature]);
    }
  }
  return finder.best();
}

}  // namespace pipelined::train
