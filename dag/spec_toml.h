// Reads a pipeline file: TOML text in, PipelineSpec out, with every problem and its place.
//
// The only file that knows TOML (the library stays inside spec_toml.cc).  It judges the text alone:
// keys, kinds, durations, sizes, words.  Whether the names in it exist is the business of check.h.
// Pure functions, any thread.  Input is hostile: size, depth and number of keys are bounded before
// anything is built from it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/spec.h"
#include "dag/spec_words.h"
#include "dag/toml_limits.h"

namespace pipelined {

/// The outcome of reading a pipeline file.
struct ParsedPipeline {
  std::optional<PipelineSpec> spec;  ///< present unless a problem is an error
  std::vector<Diagnostic> problems;  ///< in order of their place in the text
};

/// Reads `text`; `file_name` goes into the problems.  With an `environment` what stands in its table,
/// `[environment.NAME]`, is laid over the file before: tables are merged key by key, anything else
/// is replaced.  All problems are found, not only the first
/// (after a breach of TOML's own grammar nothing more can be read, so that one stands alone).
ParsedPipeline parse_pipeline(std::string_view text, const std::string& file_name,
                              const PipelineLimits& limits = {},
                              std::string_view environment = {});

}  // namespace pipelined
