// A row of cells out of a text file, as the readers of separated values and JSON lines give it.
//
// A row knows the line that it began on, also when quoted values contain line breaks, and says what is
// wrong with it instead of being dropped.  What the cells mean (numbers, nulls, types) is not known here.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pipelined {

/// One cell as it stands in the file.
struct TextCell {
  /// plain: its text decides; text: is a string whatever it looks like; absent: there is none.
  enum class Kind { plain, text, absent };
  std::string_view text;
  Kind kind = Kind::plain;
};

/// One row.  Views live until the next row is taken.
struct TextRow {
  std::int64_t line = 0;       ///< of the row's first character, from 1 in the piece of the file
  std::string_view raw;        ///< the row as it stands, without its line break
  std::vector<TextCell> cells; ///< as many as the source has columns, unless there is a problem
  std::string problem;         ///< empty: a good row; else what is wrong, in a few words
  std::string problem_column;  ///< the column that it is about, if it is about one
};

/// What is wrong with a row whose bytes are no text: "text that is not UTF-8".
inline std::string text_problem(const std::string& encoding) {
  return "text that is not " + (encoding == "auto" ? "UTF-8" : encoding);
}

}  // namespace pipelined
