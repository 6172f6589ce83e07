// How often each number occurs, in bounded memory, and the quantiles that follow.
//
// Exact up to `distinct_max` different numbers.  With more of them the lowest bits of every number
// are dropped, as many as it takes: which numbers there were decides how many, not their order and
// not the parts in which they came, so counts of parts can be merged.  A plain value; one thread.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pipelined::model {

/// Numbers and how often they occur.
class ValueCounts {
 public:
  static constexpr std::size_t distinct_max = 65'536;

  /// REQUIRES: value is finite.
  void add(double value, std::int64_t times = 1);
  /// Adds all that the other has.
  void merge(const ValueCounts& other);

  /// How many of the 52 bits after the point were dropped; 0: all is exact.
  int dropped_bits() const { return dropped_; }
  std::int64_t total() const { return total_; }

  /// The numbers in order with their counts; in the middle of what stands for several.
  std::vector<std::pair<double, std::int64_t>> sorted() const;
  /// For each share of `shares` (0 to 1) the number at that place of all numbers in order, between
  /// two numbers linearly (what numpy calls linear).  REQUIRES: total() > 0.
  std::vector<double> quantiles(std::span<const double> shares) const;
  /// The number that occurs most often, the smallest of several.  REQUIRES: total() > 0.
  double most_frequent() const;

  /// The raw entries: bits and counts, sorted by bits.
  std::vector<std::pair<std::uint64_t, std::int64_t>> entries() const;
  /// Puts raw entries back.
  static ValueCounts restore(int dropped,
                             std::span<const std::pair<std::uint64_t, std::int64_t>> entries);

 private:
  void drop_until_it_fits(int at_least);
  std::uint64_t key_of(std::uint64_t bits) const { return bits >> dropped_ << dropped_; }
  double number_of(std::uint64_t key) const;

  std::unordered_map<std::uint64_t, std::int64_t> counts_;
  int dropped_ = 0;
  std::int64_t total_ = 0;
};

}  // namespace pipelined::model
