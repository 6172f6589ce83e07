// How often each row counts in a resample.
//
// A resample draws rows with replacement; here each row independently occurs 0, 1, 2 … times as a
// Poisson distribution with mean 1 says, which is the same for many rows and needs no order.  Draws
// follow from (seed, resample, row) by a hash, so threads may make resamples in any order.  Pure
// functions; knows nothing of metrics.
#pragma once

#include <cstdint>
#include <span>

namespace pipelined::evaluation {

/// The hash of SplitMix64.
constexpr std::uint64_t mixed(std::uint64_t value) {
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9ULL;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBULL;
  return value ^ (value >> 31);
}

/// Fills `weights`, one a row, for resample number `resample`.
void draw_weights(std::uint64_t seed, std::uint64_t resample, std::span<std::uint8_t> weights);

}  // namespace pipelined::evaluation
