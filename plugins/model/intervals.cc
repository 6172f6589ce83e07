#include "plugins/model/intervals.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <thread>

#include "plugins/model/resample.h"

namespace pipelined::evaluation {

std::optional<std::vector<Numbers>> resampled(const std::vector<const Measure*>& measures,
                                              std::size_t row_count, const Resampling& resampling,
                                              const std::function<bool()>& stop_asked) {
  const auto count = static_cast<std::size_t>(resampling.count);
  std::vector<Numbers> all(measures.size());
  const std::vector<std::uint8_t> once(row_count, 1);
  for (std::size_t i = 0; i < measures.size(); ++i) {
    all[i].width = measures[i]->keys().size();
    all[i].points.resize(all[i].width * measures[i]->slice_count());
    all[i].resamples.resize(count, std::vector<double>(all[i].points.size()));
    measures[i]->compute(once, all[i].points);
  }
  std::atomic<std::size_t> next{0};
  // Asked before the others begin: with few resamples they may leave nothing to this thread.
  std::atomic<bool> stopped{stop_asked()};
  const auto work = [&](bool asks) {
    std::vector<std::uint8_t> weights(row_count);
    for (std::size_t at = next++; at < count && !stopped; at = next++) {
      if (asks && stop_asked()) stopped = true;
      draw_weights(resampling.seed, at, weights);
      for (std::size_t i = 0; i < measures.size(); ++i) {
        measures[i]->compute(weights, all[i].resamples[at]);
      }
    }
  };
  std::vector<std::thread> others;
  for (int i = 1; i < resampling.threads; ++i) others.emplace_back(work, false);
  work(true);
  for (std::thread& other : others) other.join();
  if (stopped) return std::nullopt;
  return all;
}

double quantile(const std::vector<double>& sorted, double share) {
  const double place = share * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - static_cast<double>(below));
}

std::optional<Interval> interval_of(std::vector<double> numbers, double confidence) {
  const std::size_t wanted = (numbers.size() + 1) / 2;
  std::erase_if(numbers, [](double number) { return !std::isfinite(number); });
  if (numbers.empty() || numbers.size() < wanted) return std::nullopt;
  std::sort(numbers.begin(), numbers.end());
  const double outside = (1 - confidence) / 2;
  return Interval{quantile(numbers, outside), quantile(numbers, 1 - outside)};
}

}  // namespace pipelined::evaluation
