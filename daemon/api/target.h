// Takes a request target apart: path and query, percent-decoded exactly once.
//
// Refuses everything that could be read in two ways: encoded slashes, `.` and `..` parts, empty
// parts, backslashes, control characters, broken escapes, text that is no UTF-8.  Pure.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "dag/result.h"

namespace pipelined::api {

/// "/api/v1/runs/4?limit=2" as parts and parameters.
struct Target {
  std::vector<std::string> parts;                           ///< "api", "v1", "runs", "4"
  std::map<std::string, std::string, std::less<>> query;
};

/// Reads an origin-form target of at most 8 KiB.
Result<Target> parse_target(std::string_view text);

/// Replaces each %XX once; nothing else changes.  An error for a broken escape.
Result<std::string> percent_decode(std::string_view text);

}  // namespace pipelined::api
