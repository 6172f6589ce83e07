// The small words of a pipeline file: durations, sizes, span selections; and how problems are said.
//
// Shared by the reader of pipeline files, the configuration and the command line.  Pure functions,
// any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dag/spec.h"

namespace pipelined {

/// "500ms", "2s", "5m", "1h", "3d", also decimals ("1.5h"), as milliseconds; nothing otherwise.
std::optional<std::int64_t> parse_duration(std::string_view text);

/// "512", "64KiB", "4GiB", "10MB" as bytes (powers of 1024 with an i, of 1000 without); nothing
/// otherwise.
std::optional<std::int64_t> parse_size(std::string_view text);

/// "all", "new", "last 9", "2013-01..2013-09"; nothing otherwise.
std::optional<SpanSelection> parse_spans(std::string_view text);

/// "pipeline.toml:12:3: error: …", as compilers write it.
std::string text_of(const Diagnostic& problem);

/// Whether any of them is an error and not only a warning.
bool has_errors(const std::vector<Diagnostic>& problems);

/// In order of their place in the text, errors before warnings at the same place.
void sort_by_place(std::vector<Diagnostic>& problems);

/// So many problems of one file are told.
inline constexpr std::size_t problems_told_max = 1000;
/// Drops all beyond that, warnings before errors, and says at the end how many there were.
void tell_the_first(std::vector<Diagnostic>& problems, std::size_t most = problems_told_max);

}  // namespace pipelined
