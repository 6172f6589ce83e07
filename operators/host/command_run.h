// The built-in operators `command.run`, one program with words made from a template, and
// `python.call`, a script with words that name what its function gets.
//
// Runs in the attempt's process, which stays beside the program as its parent: it collects orphans,
// turns the exit status into an outcome and finds out which outputs were made.  Exit status 0 is
// success, 75 asks for another try, 65 is a halt, anything else a failure.
#pragma once

#include "operators/host/attempt.h"
#include "operators/wire.h"

namespace pipelined::host {

/// Runs the program and waits for it.
wire::Ended run_command(const wire::Run& run);

}  // namespace pipelined::host
