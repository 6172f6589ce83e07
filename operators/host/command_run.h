// The built-in operator `command.run`: one program, its words made from a template.
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
