#include "model/value_counts.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pipelined::model {
namespace {

constexpr int bits_of_fraction = 52;

}  // namespace

void ValueCounts::add(double value, std::int64_t times) {
  const double number = value == 0 ? 0.0 : value;  // -0 is 0
  counts_[key_of(std::bit_cast<std::uint64_t>(number))] += times;
  total_ += times;
  if (counts_.size() > distinct_max) drop_until_it_fits(dropped_);
}

void ValueCounts::merge(const ValueCounts& other) {
  if (other.dropped_ > dropped_) drop_until_it_fits(other.dropped_);
  for (const auto& [key, count] : other.counts_) counts_[key_of(key)] += count;
  total_ += other.total_;
  if (counts_.size() > distinct_max) drop_until_it_fits(dropped_);
}

void ValueCounts::drop_until_it_fits(int at_least) {
  while (dropped_ < at_least || (counts_.size() > distinct_max && dropped_ < bits_of_fraction)) {
    dropped_ = std::max(at_least, dropped_ + 1);
    std::unordered_map<std::uint64_t, std::int64_t> coarser;
    for (const auto& [key, count] : counts_) coarser[key_of(key)] += count;
    counts_ = std::move(coarser);
  }
}

double ValueCounts::number_of(std::uint64_t key) const {
  if (dropped_ == 0) return std::bit_cast<double>(key);
  return std::bit_cast<double>(key | (std::uint64_t{1} << (dropped_ - 1)));
}

std::vector<std::pair<double, std::int64_t>> ValueCounts::sorted() const {
  std::vector<std::pair<double, std::int64_t>> numbers;
  numbers.reserve(counts_.size());
  for (const auto& [key, count] : counts_) numbers.emplace_back(number_of(key), count);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

std::vector<double> ValueCounts::quantiles(std::span<const double> shares) const {
  const auto numbers = sorted();
  std::vector<std::int64_t> before{0};
  for (const auto& [number, count] : numbers) before.push_back(before.back() + count);
  const auto at = [&](double place) {
    const auto rank = static_cast<std::int64_t>(place);
    const auto next = std::upper_bound(before.begin(), before.end(), rank);
    const auto index = static_cast<std::size_t>(next - before.begin()) - 1;
    return numbers[std::min(index, numbers.size() - 1)].first;
  };
  std::vector<double> quantiles;
  for (const double share : shares) {
    const double place = share * static_cast<double>(total_ - 1);
    const double below = at(std::floor(place));
    const double above = at(std::ceil(place));
    quantiles.push_back(below + (above - below) * (place - std::floor(place)));
  }
  return quantiles;
}

double ValueCounts::most_frequent() const {
  double best = 0;
  std::int64_t most = 0;
  for (const auto& [number, count] : sorted()) {
    if (count <= most) continue;
    most = count;
    best = number;
  }
  return best;
}

std::vector<std::pair<std::uint64_t, std::int64_t>> ValueCounts::entries() const {
  std::vector<std::pair<std::uint64_t, std::int64_t>> entries(counts_.begin(), counts_.end());
  std::sort(entries.begin(), entries.end());
  return entries;
}

ValueCounts ValueCounts::restore(
    int dropped, std::span<const std::pair<std::uint64_t, std::int64_t>> entries) {
  ValueCounts values;
  values.dropped_ = std::clamp(dropped, 0, bits_of_fraction);
  for (const auto& [key, count] : entries) {
    values.counts_[values.key_of(key)] += count;
    values.total_ += count;
  }
  return values;
}

}  // namespace pipelined::model
