#include "plugins/train/undersampling.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <unordered_map>

namespace pipelined::train {
namespace {

// The finalizer of SplitMix64: every bit of the input moves every bit of the output.
std::uint64_t mixed(std::uint64_t bits) {
  bits += 0x9E3779B97F4A7C15;
  bits = (bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9;
  bits = (bits ^ (bits >> 27)) * 0x94D049BB133111EB;
  return bits ^ (bits >> 31);
}

// Numbers that are equal have equal bits, and so has everything that is missing.
std::uint64_t bits_of(float value) {
  if (std::isnan(value)) return 0x7FC00000;
  return std::bit_cast<std::uint32_t>(value == 0 ? 0.0F : value);
}

}  // namespace

void undersample(TrainingTable& table, std::size_t width, std::span<const float> shares,
                 std::int64_t seed) {
  const std::uint64_t begin = mixed(static_cast<std::uint64_t>(seed));
  std::unordered_map<std::uint64_t, std::uint64_t> alike;
  std::size_t kept = 0;
  for (std::size_t row = 0; row < shares.size(); ++row) {
    const float* numbers = table.matrix.data() + row * width;
    std::uint64_t key = mixed(begin ^ bits_of(table.labels[row]));
    for (std::size_t i = 0; i < width; ++i) key = mixed(key ^ bits_of(numbers[i]));
    key = mixed(key + alike[key]++);
    // 53 bits as a number below 1: the same on every machine.
    const double drawn = static_cast<double>(key >> 11) * 0x1.0p-53;
    if (drawn >= static_cast<double>(shares[row])) continue;
    table.labels[kept] = table.labels[row];
    std::copy_n(numbers, width, table.matrix.data() + kept * width);
    ++kept;
  }
  table.labels.resize(kept);
  table.matrix.resize(kept * width);
}

}  // namespace pipelined::train
