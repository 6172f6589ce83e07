// Bounds what a hostile text can make a TOML parser do, before it is parsed.
//
// A scanner that knows strings, comments, brackets and dots and nothing else of TOML: it measures
// how deep the text nests and how many keys it has.  Pure, linear, any thread.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "dag/spec.h"

namespace pipelined {

/// What a pipeline file may weigh: 100,000 steps that a program wrote, read in about a second.
struct PipelineLimits {
  std::size_t bytes = 8 << 20;
  std::size_t keys = 500'000; ///< of all tables together
  int depth = 64;             ///< of brackets and of dotted keys
};

/// What is too much in `text`, with its place; nothing when it keeps the limits.
std::optional<Diagnostic> find_breach(std::string_view text, const std::string& file_name,
                                      const PipelineLimits& limits);

}  // namespace pipelined
