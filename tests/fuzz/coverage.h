// Which branches an input reaches, if the code under test was compiled to tell.
//
// Without that instrumentation nothing is ever new, and inputs are changed blindly.  One thread.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pipelined::fuzz {

inline constexpr std::size_t coverage_places = 1 << 16;

/// Forgets what the last input reached.
void begin_coverage();
/// How many places were reached that no input before reached, or more often than any.
std::size_t take_new_coverage();

}  // namespace pipelined::fuzz
