// Completion scripts for shells, generated from the table of verbs.
//
// Only words of the table are completed; the daemon is never asked while somebody types.  Pure.
#pragma once

#include <string>

namespace pipelined::cli {

/// The script for "bash", "zsh" or "fish"; empty for any other shell.
std::string completion_script(const std::string& shell);

}  // namespace pipelined::cli
