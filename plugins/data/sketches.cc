#include "plugins/data/sketches.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace pipelined {
namespace {

__extension__ using Wide = unsigned __int128;

constexpr std::size_t quantile_k = 2048;
constexpr std::size_t level_size_min = 32;
constexpr std::size_t slots_at_first = 256;

std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t load(const char* bytes, std::size_t count) {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, count);
  return word;
}

}  // namespace

std::uint64_t hash_text(std::string_view text) {
  std::uint64_t state = 0x9e3779b97f4a7c15ULL ^ text.size();
  const char* at = text.data();
  std::size_t left = text.size();
  for (; left >= 16; at += 16, left -= 16) {
    state = fold(load(at, 8) ^ 0xa0761d6478bd642fULL, load(at + 8, 8) ^ state);
  }
  if (left >= 8) {
    state = fold(load(at, 8) ^ 0xe7037ed1a0b428dbULL, state ^ 0x8ebc6af09c88c6e3ULL);
    at += 8;
    left -= 8;
  }
  if (left > 0) state = fold(load(at, left) ^ 0x589965cc75374cc3ULL, state ^ left);
  return mix(state);
}

void DistinctSketch::merge(const DistinctSketch& other) {
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    registers_[i] = std::max(registers_[i], other.registers_[i]);
  }
}

void DistinctSketch::merge_registers(std::string_view registers) {
  for (std::size_t i = 0; i < registers_.size(); ++i) {
    registers_[i] = std::max(registers_[i], static_cast<std::uint8_t>(registers[i]));
  }
}

std::int64_t DistinctSketch::estimate() const {
  const double count = static_cast<double>(registers_.size());
  double sum = 0;
  double empty = 0;
  for (const std::uint8_t value : registers_) {
    sum += std::ldexp(1.0, -value);
    if (value == 0) empty += 1;
  }
  const double raw = 0.7213 / (1 + 1.079 / count) * count * count / sum;
  const double estimate = raw <= 2.5 * count && empty > 0 ? count * std::log(count / empty) : raw;
  return static_cast<std::int64_t>(std::llround(estimate));
}

QuantileSketch::QuantileSketch() : levels_(1) {
  double size = static_cast<double>(quantile_k);
  for (std::size_t& capacity : capacities_) {
    capacity = std::max(level_size_min, static_cast<std::size_t>(size));
    size *= 2.0 / 3.0;
  }
  settle_capacity();
}

void QuantileSketch::compact() {
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    if (levels_[level].size() >= capacity(level)) compact_level(level);
  }
  settle_capacity();
}

void QuantileSketch::compact_level(std::size_t level) {
  if (level + 1 == levels_.size()) levels_.emplace_back();
  std::vector<double>& values = levels_[level];
  std::vector<double>& above = levels_[level + 1];
  // An odd value stays behind so that weights add up to the count.
  const bool odd = values.size() % 2 == 1;
  const double left = values.back();
  if (odd) values.pop_back();
  std::sort(values.begin(), values.end());
  coin_ = mix(coin_ + 0x9e3779b97f4a7c15ULL);
  for (std::size_t i = coin_ & 1; i < values.size(); i += 2) above.push_back(values[i]);
  values.clear();
  if (odd) values.push_back(left);
}

void QuantileSketch::add(double value, std::int64_t times) {
  for (std::size_t level = 0; (times >> level) > 0; ++level) {
    if (((times >> level) & 1) == 0) continue;
    if (level >= levels_.size()) levels_.resize(level + 1);
    levels_[level].push_back(value);
  }
  compact();
}

void QuantileSketch::merge(const QuantileSketch& other) {
  if (levels_.size() < other.levels_.size()) levels_.resize(other.levels_.size());
  for (std::size_t level = 0; level < other.levels_.size(); ++level) {
    const std::vector<double>& values = other.levels_[level];
    levels_[level].insert(levels_[level].end(), values.begin(), values.end());
  }
  compact();
}

std::vector<std::pair<double, std::int64_t>> QuantileSketch::weighted() const {
  std::vector<std::pair<double, std::int64_t>> all;
  for (std::size_t level = 0; level < levels_.size(); ++level) {
    for (const double value : levels_[level]) all.emplace_back(value, std::int64_t{1} << level);
  }
  std::sort(all.begin(), all.end());
  return all;
}

ValueCounts::ValueCounts(std::size_t values_max) : values_max_(values_max) { clear(); }

void ValueCounts::clear() {
  slots_.assign(slots_at_first, {});
  slots_.shrink_to_fit();
  size_ = 0;
  mask_ = slots_at_first - 1;
  shift_ = 64 - 8;
}

bool ValueCounts::insert(std::uint64_t value, std::int64_t times) {
  if (size_ == values_max_) return false;
  if (2 * (size_ + 1) > slots_.size()) grow();
  std::size_t at = (value * 0x9e3779b97f4a7c15ULL) >> shift_;
  while (slots_[at].count != 0) at = (at + 1) & mask_;
  slots_[at] = {value, times};
  ++size_;
  return true;
}

void ValueCounts::grow() {
  std::vector<Entry> old(slots_.size() * 2);
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  --shift_;
  size_ = 0;
  for (const Entry& entry : old) {
    if (entry.count != 0) insert(entry.value, entry.count);
  }
}

std::vector<ValueCounts::Entry> ValueCounts::entries() const {
  std::vector<Entry> all;
  for (const Entry& entry : slots_) {
    if (entry.count != 0) all.push_back(entry);
  }
  return all;
}

template <class Count>
TextTally<Count>::TextTally(std::size_t texts_max)
    : slots_(slots_at_first), mask_(slots_at_first - 1), texts_max_(texts_max) {}

template <class Count>
void TextTally<Count>::add(std::uint64_t hash, std::string_view text, Count times) {
  std::size_t at = hash & mask_;
  for (; slots_[at].count != 0; at = (at + 1) & mask_) {
    Entry& entry = slots_[at];
    if (entry.hash == hash && text_of(entry) == text) {
      entry.count += times;
      return;
    }
  }
  if (full()) {
    purge();
    return add(hash, text, times);
  }
  if (2 * (size_ + 1) > slots_.size()) {
    grow();
    return add(hash, text, times);
  }
  slots_[at] = {hash, times, bytes_.size(), static_cast<std::uint32_t>(text.size())};
  bytes_.append(text);
  ++size_;
}

template <class Count>
void TextTally<Count>::place(const Entry& entry) {
  std::size_t at = entry.hash & mask_;
  while (slots_[at].count != 0) at = (at + 1) & mask_;
  slots_[at] = entry;
}

template <class Count>
void TextTally<Count>::grow() {
  std::vector<Entry> old(slots_.size() * 2);
  old.swap(slots_);
  mask_ = slots_.size() - 1;
  for (const Entry& entry : old) {
    if (entry.count != 0) place(entry);
  }
}

/// The median of the counts; most often it is 1, which needs no sorting to be seen.
template <class Count>
Count TextTally<Count>::median_count() const {
  std::size_t ones = 0;
  for (const Entry& entry : slots_) ones += entry.count == 1;
  if (ones > size_ / 2) return 1;
  std::vector<Count> counts;
  for (const Entry& entry : slots_) {
    if (entry.count != 0) counts.push_back(entry.count);
  }
  const auto middle = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 2);
  std::nth_element(counts.begin(), middle, counts.end());
  return *middle;
}

/// Takes the median count off all and drops what is not above it: at least half of the places.
template <class Count>
void TextTally<Count>::purge() {
  const Count median = median_count();
  std::vector<Entry> kept;
  std::string kept_bytes;
  for (Entry entry : slots_) {
    if (entry.count <= median) continue;
    entry.count -= median;
    const std::size_t begin = kept_bytes.size();
    kept_bytes.append(bytes_, entry.begin, entry.size);
    entry.begin = begin;
    kept.push_back(entry);
  }
  // The memory stays: it is full again soon.
  std::fill(slots_.begin(), slots_.end(), Entry());
  bytes_.assign(kept_bytes);
  for (const Entry& entry : kept) place(entry);
  size_ = kept.size();
  error_ += median;
}

template <class Count>
std::vector<std::pair<std::string_view, Count>> TextTally<Count>::entries() const {
  std::vector<std::pair<std::string_view, Count>> all;
  for (const Entry& entry : slots_) {
    if (entry.count != 0) all.emplace_back(text_of(entry), entry.count);
  }
  return all;
}

template <class Count>
std::vector<std::uint64_t> TextTally<Count>::hashes() const {
  std::vector<std::uint64_t> all;
  for (const Entry& entry : slots_) {
    if (entry.count != 0) all.push_back(entry.hash);
  }
  return all;
}

template class TextTally<std::int64_t>;
template class TextTally<long double>;

}  // namespace pipelined
