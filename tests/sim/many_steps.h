// A great many steps through the real engine and supervisor, without faults: how long it takes and
// how much memory.  What is made is forgotten as soon as the run that made it is over.
#pragma once

#include <cstdint>

namespace pipelined::sim {

/// Runs at least so many steps to their end, prints a line of figures; 0: all of them ended well.
int run_many_steps(std::int64_t steps);

}  // namespace pipelined::sim
