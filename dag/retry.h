// Whether a failed try is followed by another one, when, and with how much memory.
//
// Exponential back-off with full jitter: the pause before try n+1 is drawn evenly from zero up to
// a bound that doubles with every counted try.  Faults of the machine do not come here: they count
// no try.  Pure functions of the policy and of what happened; randomness comes in.  Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "dag/records.h"
#include "dag/spec.h"

namespace pipelined {

/// A counted try that did not succeed.
struct FailedTry {
  std::int64_t tries = 1;        ///< counted ones so far, this one included
  TimeMs first_started_at = 0;   ///< of all tries
  TimeMs ended_at = 0;
  bool retryable = false;        ///< RETRY, a crash of the operator or a timeout
  bool out_of_memory = false;    ///< of its own limit
};

/// What follows a failed try.
struct NextTry {
  bool again = false;
  std::int64_t bound_ms = 0;     ///< the pause is drawn from [0, bound]
  std::string why_not;           ///< beside the try's own error; empty where that says it all
};

/// Decides by the step's policy.  Out of memory is tried again only when the next try gets more.
NextTry next_try(const RetrySpec& retry, const ResourceSpec& resources, const FailedTry& failed);

/// The memory limit of a try after `tries` counted ones; 0: no limit stated.
std::int64_t memory_of_try(const ResourceSpec& resources, std::int64_t tries);

}  // namespace pipelined
