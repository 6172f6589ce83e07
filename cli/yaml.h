// JSON as YAML, for `-o yaml`.
//
// Block style, keys in the order of the JSON, text quoted wherever a reader could take it for
// something else.  Pure.
#pragma once

#include <string>
#include <string_view>

namespace pipelined::cli {

/// REQUIRES: valid JSON; anything else comes back as it is.
std::string yaml_of(std::string_view json);

}  // namespace pipelined::cli
