// The words of an SQL text outside strings and comments, and which of them must not be there.
//
// Enough of SQL's surface to find function calls and a few keywords with their place; it does not
// parse.  Pure functions over text.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "operators/sdk.h"

namespace pipelined {

/// A word of the query.
struct SqlWord {
  std::string text;       ///< lower case; of a quoted name as it stands
  std::size_t at = 0;     ///< offset of its first character
  bool quoted = false;    ///< "name"
  bool called = false;    ///< followed by `(`
};

/// All names and keywords in order.
std::vector<SqlWord> sql_words(std::string_view sql);

/// Success, or a sentence with line and column of the first word that makes the result depend on
/// anything but the inputs.  `functions` are the lower-case names of functions that do.
Result<void> check_sql_words(std::string_view sql, const std::set<std::string>& functions);

}  // namespace pipelined
