#include "plugins/model/resample.h"

#include <array>

namespace pipelined::evaluation {
namespace {

// The chances of at most 0, 1, 2 … in units of 2^-64; beyond the last nobody gets.
constexpr std::array<std::uint64_t, 13> at_most{
    0x5E2D58D8B3BCDF1AULL, 0xBC5AB1B16779BE35ULL, 0xEB715E1DC1582DC2ULL, 0xFB23979734A252F1ULL,
    0xFF1025F59174DC3DULL, 0xFFD90F3BA4055E19ULL, 0xFFFA8B71FC72C913ULL, 0xFFFF540C0914B3C9ULL,
    0xFFFFED1F4AA8F120ULL, 0xFFFFFE216E641462ULL, 0xFFFFFFD4D85D3183ULL, 0xFFFFFFFC6DA262B4ULL,
    0xFFFFFFFFBA12D178ULL};

constexpr std::uint64_t golden = 0x9E3779B97F4A7C15ULL;

}  // namespace

void draw_weights(std::uint64_t seed, std::uint64_t resample, std::span<std::uint8_t> weights) {
  std::uint64_t state = mixed(mixed(seed + golden) + resample);
  for (std::uint8_t& weight : weights) {
    state += golden;
    const std::uint64_t draw = mixed(state);
    unsigned count = (draw >= at_most[0]) + (draw >= at_most[1]) + (draw >= at_most[2]);
    if (count == 3) {
      while (count < at_most.size() && draw >= at_most[count]) ++count;
    }
    weight = static_cast<std::uint8_t>(count);
  }
}

}  // namespace pipelined::evaluation
