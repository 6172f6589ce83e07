// Where in a query an error of DuckDB lies.
//
// DuckDB shows the place in its message, as a line that may be cut on both sides with a caret below.  This
// makes line, column and the whole line of it.  A pure function over text.
#pragma once

#include <string>
#include <string_view>

namespace pipelined {

/// "query line 2, column 3: Binder Error: …" with the line and a caret below it; a message that shows no
/// place becomes "query: …".
std::string placed_message(std::string_view message, std::string_view sql);

}  // namespace pipelined
