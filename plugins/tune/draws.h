// Random numbers that are the same everywhere.
//
// SplitMix64 (Steele, Lea, Flood 2014) from a seed and a place in the sequence of trials, so that a
// trial's draws hang on nothing that was drawn before; the standard library's distributions differ
// between libraries and are not used.  One thread a value.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace pipelined::tune {

class Draws {
 public:
  /// The draws of number `place` under `seed`.
  Draws(std::int64_t seed, std::uint64_t place)
      : state_(mixed(static_cast<std::uint64_t>(seed) + golden) ^ mixed(~place)) {}

  /// 64 random bits.
  std::uint64_t bits() { return mixed(state_ += golden); }
  /// From 0 to below 1.
  double share() { return static_cast<double>(bits() >> 11) * 0x1p-53; }
  /// From 0 to below `count`.  REQUIRES: 0 < count < 2^53.
  std::size_t below(std::size_t count) {
    return static_cast<std::size_t>(share() * static_cast<double>(count));
  }
  /// Normally distributed with mean 0 and deviation 1 (Box and Muller 1958).
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - share()));
    return radius * std::cos(2 * std::numbers::pi * share());
  }

 private:
  static constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;
  static constexpr std::uint64_t mixed(std::uint64_t value) {
    value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
    value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
    return value ^ (value >> 31);
  }

  std::uint64_t state_;
};

}  // namespace pipelined::tune
