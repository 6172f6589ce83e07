// From the words of the command line to a verb with its arguments, and its exit code.
//
// Built from the table of verbs; the parser's library stays inside parse.cc.  Wrong usage is said on
// `err` with the nearest verb and ends with 2.  One thread.
#pragma once

#include <string>
#include <vector>

#include "cli/session.h"

namespace pipelined::cli {

/// Runs one command.
int run_pipectl(const std::vector<std::string>& words, const Terminal& terminal,
                const Environment& environment);

}  // namespace pipelined::cli
