// What a step should ask for, from what its attempts used.
//
// Pure: figures in, sentences out.  Nothing is changed by a suggestion; it is for whoever writes the
// pipeline.  Any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dag/spec.h"

namespace pipelined {

/// What the attempts of one step used, over several runs.  Faults of the machine are not among them.
struct StepUse {
  std::string step;
  std::int64_t attempts = 0;
  std::int64_t memory_peak_bytes = 0, scratch_peak_bytes = 0;
  std::int64_t out_of_memory = 0, out_of_scratch = 0;  ///< attempts that ended so
  double cpus_most = 0;  ///< processor time by time, of the busiest attempt; 0: all were short
};

/// A size that a peak fits into with some room, as pipeline files write it: "1536MiB", "2GiB".
std::string fitting_size(std::int64_t peak_bytes);

/// One sentence a resource for which something can be said.  `asked`: what the step asks for now.
std::vector<std::string> suggest_resources(const StepUse& use, const ResourceSpec& asked);

}  // namespace pipelined
