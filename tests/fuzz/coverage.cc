// What the compiler's instrumentation calls at each branch (-fsanitize-coverage=trace-pc).  Apart from
// everything that is instrumented.
#include "tests/fuzz/coverage.h"

#include <cstring>

namespace pipelined::fuzz {
namespace {

std::uint8_t reached[coverage_places];
std::uint8_t known[coverage_places];
std::uintptr_t last_place = 0;

// How often a place was reached counts in steps: once, twice, a few times, often.
std::uint8_t step_of(std::uint8_t times) {
  if (times == 0) return 0;
  if (times < 3) return times;
  return times < 16 ? 4 : 8;
}

}  // namespace

void begin_coverage() {
  std::memset(reached, 0, sizeof reached);
  last_place = 0;
}

std::size_t take_new_coverage() {
  std::size_t fresh = 0;
  for (std::size_t i = 0; i < coverage_places; ++i) {
    const std::uint8_t seen = step_of(reached[i]);
    if ((seen & ~known[i]) == 0) continue;
    known[i] |= seen;
    ++fresh;
  }
  return fresh;
}

}  // namespace pipelined::fuzz

extern "C" void __sanitizer_cov_trace_pc();
extern "C" void __sanitizer_cov_trace_pc() {
  using namespace pipelined::fuzz;
  const auto place = reinterpret_cast<std::uintptr_t>(__builtin_return_address(0));
  std::uint8_t& times = reached[(place ^ last_place << 3) % coverage_places];
  if (times != 255) ++times;
  last_place = place;
}
