// The rows of a text of JSON lines, one object a line.
//
// Works on a piece of a file that begins and ends with whole lines.  Columns are the keys in the order in
// which they are first seen in good rows of this piece.  Lines of blanks are passed over.  One thread.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "plugins/common/json_scan.h"
#include "plugins/common/text_rows.h"

namespace pipelined {

class JsonRows {
 public:
  /// REQUIRES: `text` outlives this.
  JsonRows(std::string_view text, const std::string& encoding);

  /// Takes the next row; false after the last.
  bool next(TextRow& row);

  /// The columns so far; a row has as many cells.
  const std::vector<std::string>& columns() const { return columns_; }
  std::int64_t lines() const { return line_; }

 private:
  void fill(TextRow& row);
  std::size_t place_of(std::string_view key);

  std::string_view text_;
  std::string encoding_;
  bool checked_;  // the whole text is UTF-8
  JsonScanner scanner_;
  std::vector<std::string> columns_;
  std::map<std::string, std::size_t, std::less<>> places_;
  std::int64_t line_ = 0;
};

}  // namespace pipelined
