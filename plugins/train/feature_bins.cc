#include "plugins/train/feature_bins.h"

#include <algorithm>
#include <cmath>

#include "plugins/train/page_store.h"

namespace pipelined::train {

std::uint16_t FeatureBins::bin(float value) const {
  if (std::isnan(value)) return PageStore::missing_bin;
  if (categories) return static_cast<std::uint16_t>(value);
  return static_cast<std::uint16_t>(std::upper_bound(cuts.begin(), cuts.end(), value) -
                                    cuts.begin());
}

FeatureBins bins_of(const model::ValueCounts& counts, std::size_t max_bin) {
  const auto numbers = counts.sorted();
  FeatureBins bins;
  const bool each = numbers.size() <= max_bin;
  const double step = static_cast<double>(counts.total()) / static_cast<double>(max_bin);
  double below = 0;
  double next = step;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    // A cut stands at the first value of the bin to its right; the least value needs none.
    if (i > 0 && (each || below >= next)) {
      const auto cut = static_cast<float>(numbers[i].first);
      if (bins.cuts.empty() || cut > bins.cuts.back()) bins.cuts.push_back(cut);
      while (next <= below) next += step;
    }
    below += static_cast<double>(numbers[i].second);
  }
  return bins;
}

FeatureBins bins_of_categories(std::size_t count) { return {true, {}, count}; }

}  // namespace pipelined::train
