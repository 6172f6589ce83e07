// A program's words: starts it, waits for its end, gives what it printed.
//
// Standard input is empty, standard error is ours.  A key that interrupts while it runs is for the
// program alone, so that it can end its work and say so.  Knows nothing of workers.  One thread.
#pragma once

#include <string>
#include <vector>

#include "dag/result.h"

namespace pipelined::cli {

struct ProgramEnd {
  std::string text;        ///< everything from its standard output
  bool succeeded = false;  ///< it exited with 0
};

/// Runs a program by its path.  Errors (unavailable): it could not be started.
Result<ProgramEnd> program_output(const std::vector<std::string>& command);

}  // namespace pipelined::cli
