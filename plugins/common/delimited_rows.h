// The rows of a text of separated values, each with its line and with what is wrong with it.
//
// Works on a piece of a file that begins and ends with whole rows, so that pieces can be worked on side
// by side.  Empty lines are passed over.  An unclosed quote is a fault of the line that it begins on;
// reading goes on behind that line.  One thread.
#pragma once

#include <string>
#include <string_view>

#include "plugins/common/delimited_scan.h"
#include "plugins/common/text_rows.h"

namespace pipelined {

class DelimitedRows {
 public:
  /// `columns`: how many values a row must have; 0: any number.  REQUIRES: `text` outlives this.
  DelimitedRows(std::string_view text, const std::string& encoding, const Dialect& dialect,
                std::size_t columns);

  /// Takes the next row; false after the last.
  bool next(TextRow& row);

  /// The bytes and the lines that the rows so far had, empty lines before them included.
  std::size_t bytes() const { return at_; }
  std::int64_t lines() const { return line_ - 1; }

 private:
  void judge(const RowScan& scan, TextRow& row);

  std::string_view text_;
  std::string encoding_;
  std::size_t columns_;
  bool checked_;  // the whole text is UTF-8
  DelimitedScanner scanner_;
  std::size_t at_ = 0;
  std::int64_t line_ = 1;
};

/// How many bytes of `text`, which begins with a row, are whole rows; `ended`: nothing follows.  0:
/// none; as much must be loaded as makes one.
std::size_t whole_rows(std::string_view text, const Dialect& dialect, bool ended);

/// The end of the first line, with its line break.
std::size_t first_line_end(std::string_view text);

/// The names of the columns: stated, of the header in `row`, or by the places of its values.
Result<std::vector<std::string>> column_names(const TextRow& row, const std::string& file,
                                              bool header,
                                              const std::vector<std::string>& stated);

}  // namespace pipelined
