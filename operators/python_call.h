// What a script of `python.call` is started with: the words that the package `pipelined_step` reads.
//
// Pure functions, any thread.
#pragma once

#include <string>
#include <vector>

#include "dag/result.h"
#include "dag/value.h"
#include "operators/command_template.h"

namespace pipelined {

/// The input port that holds the script.
inline constexpr const char* script_port = "code";
inline constexpr const char* default_python = "python3";

/// The interpreter, the script, `port=` and the paths of each input that is there, `name:=JSON` for
/// each of `arguments`, `port>PATH` for each output.  Errors (invalid): no script or several,
/// `python` is no text, `arguments` no table.
Result<std::vector<std::string>> python_words(const ValueTable& params, const CommandPaths& paths);

}  // namespace pipelined
