// What differs between two texts, line by line, in the unified form that `diff -u` and `patch` use.
//
// As few lines as possible while the texts are alike; texts that differ in more than
// `text_diff_edits_max` lines are told with the lines between their common ends replaced as a whole.
// Knows nothing of files and names.  Pure, any thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace pipelined {

/// Up to so many lines taken away and put in the fewest are looked for: the work grows with the square.
inline constexpr std::size_t text_diff_edits_max = 1000;

/// The hunks that make `after` of `before`, each with up to `context` lines around; empty if they are
/// equal.  A last line without an end is told as `patch` expects it.
std::string text_diff(std::string_view before, std::string_view after, std::size_t context = 3);

}  // namespace pipelined
