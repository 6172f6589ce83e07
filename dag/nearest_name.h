// "Did you mean …?": the known name nearest to a misspelt one.
//
// Distance is the number of letters inserted, left out, replaced or swapped with their neighbour.
// Knows nothing of pipelines or operators; pure functions, any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pipelined {

/// The known name at the smallest distance, if that is small enough for a slip of the keyboard
/// (a third of the word's length, at least one); else empty.  The first of equals wins.
std::string nearest_name(std::string_view word, const std::vector<std::string>& known);

/// "; did you mean 'foreach'?" to put behind a sentence, or an empty text.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& known);

}  // namespace pipelined
