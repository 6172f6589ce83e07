// Summaries of streams of values in bounded memory that can be merged: how many distinct values, which
// are frequent, and how they are distributed.
//
// All are deterministic: the same values in the same order, merged in the same order, give the same
// answer.  They know nothing of columns, files or Arrow.  One thread each.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipelined {

/// Up to this many distinct values a column is counted exactly; beyond it the sketches take over.
inline constexpr std::size_t exact_values_max = 65'536;

/// A well mixed 64-bit hash of 64 bits.
constexpr std::uint64_t mix(std::uint64_t value) {
  value ^= value >> 33;
  value *= 0xff51afd7ed558ccdULL;
  value ^= value >> 33;
  value *= 0xc4ceb9fe1a85ec53ULL;
  return value ^ (value >> 33);
}

/// A well mixed 64-bit hash of text.
std::uint64_t hash_text(std::string_view text);

/// Number of distinct values out of their hashes, with a standard error of 0.81 % (HyperLogLog with
/// 16,384 registers).
class DistinctSketch {
 public:
  void add(std::uint64_t hash) {
    std::uint8_t& place = registers_[hash >> (64 - bits)];
    const auto rank = static_cast<std::uint8_t>(__builtin_clzll((hash << bits) | 1) + 1);
    if (rank > place) place = rank;
  }
  void merge(const DistinctSketch& other);
  std::int64_t estimate() const;
  /// One byte a register.
  std::string_view registers() const {
    return {reinterpret_cast<const char*>(registers_.data()), registers_.size()};
  }
  /// REQUIRES: as many as there are registers.
  void merge_registers(std::string_view registers);
  /// Raises one register.
  void raise(std::size_t place, std::uint8_t rank) {
    registers_[place] = std::max(registers_[place], rank);
  }
  static constexpr std::size_t size = std::size_t{1} << 14;

 private:
  static constexpr int bits = 14;
  std::array<std::uint8_t, 1u << bits> registers_{};
};

/// Quantiles of numbers: the rank of an answer is off by at most 0.3 % of the count in 99 of 100
/// cases (KLL with k = 2048).
class QuantileSketch {
 public:
  QuantileSketch();

  void add(double value) {
    levels_[0].push_back(value);
    if (levels_[0].size() >= capacity_of_lowest_) compact();
  }
  /// The same as adding the value so many times.
  void add(double value, std::int64_t times);
  void merge(const QuantileSketch& other);
  bool empty() const { return levels_.size() == 1 && levels_[0].empty(); }

  /// Values with their weights, sorted by value; the weights add up to the count.
  std::vector<std::pair<double, std::int64_t>> weighted() const;

 private:
  void compact();
  void compact_level(std::size_t level);
  std::size_t capacity(std::size_t level) const { return capacities_[levels_.size() - 1 - level]; }
  void settle_capacity() { capacity_of_lowest_ = capacity(0); }

  std::vector<std::vector<double>> levels_;  // a value on level i stands for 2^i values
  std::size_t capacity_of_lowest_ = 0;
  std::array<std::size_t, 64> capacities_{};  // by the number of levels above
  std::uint64_t coin_ = 0x9e3779b97f4a7c15ULL;
};

/// Counts per 64-bit value; exact, growing up to `exact_values_max` values.
class ValueCounts {
 public:
  struct Entry {
    std::uint64_t value = 0;
    std::int64_t count = 0;
  };
  /// With places for at most so many values.
  explicit ValueCounts(std::size_t values_max = exact_values_max);

  /// Counts the value; false (and nothing counted) when it is new and there is no place for it.
  bool add(std::uint64_t value, std::int64_t times = 1) {
    std::size_t at = (value * 0x9e3779b97f4a7c15ULL) >> shift_;
    for (;; at = (at + 1) & mask_) {
      Entry& entry = slots_[at];
      if (entry.count == 0) break;
      if (entry.value == value) {
        entry.count += times;
        return true;
      }
    }
    return insert(value, times);
  }
  std::size_t size() const { return size_; }
  /// All values, in no particular but always the same order.
  std::vector<Entry> entries() const;
  void clear();

 private:
  bool insert(std::uint64_t value, std::int64_t times);
  void grow();
  std::vector<Entry> slots_;
  std::size_t size_ = 0, mask_ = 0, values_max_;
  int shift_ = 0;
};

/// Counts per text: exact up to `exact_values_max` texts of 16 MiB together; beyond that the frequent
/// ones (Misra-Gries), each count too low by at most `error()`.  What is counted are rows or weights.
template <class Count>
class TextTally {
 public:
  struct Entry {
    std::uint64_t hash = 0;
    Count count = 0;
    std::size_t begin = 0;
    std::uint32_t size = 0;
  };
  /// Exact up to so many texts, of 256 bytes on average.
  explicit TextTally(std::size_t texts_max = exact_values_max);

  void add(std::string_view text, Count times = 1) { add(hash_text(text), text, times); }
  /// REQUIRES: hash == hash_text(text).
  void add(std::uint64_t hash, std::string_view text, Count times);
  /// Counts a text that stands for several: the number of distinct texts is no longer known here.
  void add_unlisted(std::uint64_t hash, std::string_view text, Count times) {
    unlisted_ = true;
    add(hash, text, times);
  }
  /// What was added were not all texts of the other side: its counts were too low by `error`.
  void add_error(Count error) {
    error_ += error;
    unlisted_ = true;
  }

  bool exact() const { return error_ == 0 && !unlisted_; }
  /// Whether the next new text makes it inexact.
  bool full() const { return size_ == texts_max_ || bytes_.size() > 256 * texts_max_; }
  Count error() const { return error_; }
  std::size_t size() const { return size_; }
  /// The texts that are counted, in no particular but always the same order.
  std::vector<std::pair<std::string_view, Count>> entries() const;
  /// Hashes of all texts that are counted.
  std::vector<std::uint64_t> hashes() const;

 private:
  std::string_view text_of(const Entry& entry) const {
    return std::string_view(bytes_).substr(entry.begin, entry.size);
  }
  void grow();
  void purge();
  Count median_count() const;
  void place(const Entry& entry);
  std::vector<Entry> slots_;
  std::string bytes_;
  std::size_t size_ = 0, mask_ = 0;
  Count error_ = 0;
  bool unlisted_ = false;
  std::size_t texts_max_;
};

using TextCounts = TextTally<std::int64_t>;
/// Long, so that the order of adding does not show in what is printed.
using TextWeights = TextTally<long double>;

}  // namespace pipelined
