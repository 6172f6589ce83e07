// One row of separated values out of a text that begins at a row's beginning.
//
// After RFC 4180, with the liberties that files out there take: any line ending, quotes inside values
// that do not begin with one.  Rows are scanned in place; only values with doubled quotes are copied.
// Knows nothing of files, headers and types.  One thread.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/dialect.h"
#include "plugins/common/text_rows.h"

namespace pipelined {

/// Where a row ends.
struct RowScan {
  enum class State { complete, needs_more, unclosed };
  State state = State::needs_more;
  std::size_t length = 0;        ///< of the row without its line break
  std::size_t consumed = 0;      ///< with it
  std::int64_t line_breaks = 0;  ///< in what is consumed
  bool text_after_quote = false;
};

class DelimitedScanner {
 public:
  explicit DelimitedScanner(const Dialect& dialect);

  /// Scans the row at the beginning of `text`; `ended`: nothing follows behind `text`.
  RowScan scan(std::string_view text, bool ended);

  /// The values of that row, until the next scan; views into the text and into the scanner.
  std::vector<TextCell>& cells() { return cells_; }

 private:
  void scan_plain(std::string_view text, std::size_t& at);
  bool scan_quoted(std::string_view text, std::size_t& at, RowScan& row);

  Dialect dialect_;
  std::array<bool, 256> ends_value_{};
  std::vector<TextCell> cells_;
  std::deque<std::string> unescaped_;  // a deque: views into its strings stay good
};

}  // namespace pipelined
