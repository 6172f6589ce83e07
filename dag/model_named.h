// The version that a name such as "late@champion" or "late@1.4.2" means at a moment.
//
// An alias moves, but what it pointed at when something was recorded never changes; so who asks with
// the same sequence number gets the same answer.  Reads the ledger and puts nothing.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "dag/ledger.h"

namespace pipelined {

/// "late@champion" in its two parts: a model's name, and an alias or a number; nothing: it is none.
std::optional<std::pair<std::string, std::string>> parse_model_name(const std::string& text);

/// The model of the version that `word`, an alias or a number, of `model` meant when the row `seq`
/// was the newest one; nothing: there was none, or the model was found to be bad.
std::optional<ArtifactRef> model_named(Ledger& ledger, const std::string& model,
                                       const std::string& word, std::int64_t seq);

}  // namespace pipelined
