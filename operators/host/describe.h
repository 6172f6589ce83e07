// `pipelined-worker describe FILE.so`: what a plugin declares, as one line of JSON.
//
// The daemon runs this as a child with a time limit, because loading a plugin may crash or hang.
// What the plugin itself prints while it loads goes to standard error.  Knows no cache.
#pragma once

#include <string>

namespace pipelined::host {

/// Describes a plugin's file, or what is built in if `word` is "--builtin".  Gives the exit status:
/// 0, or 1 with a sentence on standard error.
int describe(const std::string& word);

}  // namespace pipelined::host
