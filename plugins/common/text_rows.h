// Rows of cells out of text files: comma- or tab-separated values and JSON lines.
//
// A row knows the line of the file that it began on, also when quoted values contain line breaks,
// and says what is wrong with it instead of being dropped.  What the cells mean (numbers, nulls,
// types) is not known here.  A source holds one block of the file and one row; it belongs to one
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "operators/sdk.h"
#include "plugins/common/dialect.h"

namespace pipelined {

/// One cell as it stands in the file.
struct TextCell {
  /// plain: its text decides; text: is a string whatever it looks like; absent: there is none.
  enum class Kind { plain, text, absent };
  std::string_view text;
  Kind kind = Kind::plain;
};

/// One row.  Views live until the next call of the source.
struct TextRow {
  std::int64_t line = 0;       ///< of the row's first character, from 1
  std::string_view raw;        ///< the row as it stands, without its line break
  std::vector<TextCell> cells; ///< as many as the source has columns, unless there is a problem
  std::string problem;         ///< empty: a good row; else what is wrong, in a few words
  std::string problem_column;  ///< the column that it is about, if it is about one
};

/// A stream of rows.
class TextRowSource {
 public:
  virtual ~TextRowSource() = default;

  /// Reads the next row; false after the last.
  virtual Result<bool> next(TextRow& row) = 0;

  /// The columns known so far: of delimited text all of them, of JSON lines those seen so far.
  virtual const std::vector<std::string>& columns() const = 0;
};

/// What is wrong with a row whose bytes are no text: "text that is not UTF-8".
inline std::string text_problem(const std::string& encoding) {
  return "text that is not " + (encoding == "auto" ? "UTF-8" : encoding);
}

/// Opens separated values; packed files are unpacked.  `columns` names them where that is stated.  A
/// file without the expected header line is an error.
Result<std::unique_ptr<TextRowSource>> open_delimited(const std::string& path,
                                                      const std::string& encoding,
                                                      const Dialect& dialect,
                                                      const std::vector<std::string>& columns);

/// The dialect of a file, as far as it is not stated.
Result<Dialect> find_dialect(const std::string& path, const std::string& encoding,
                             const DialectWish& wish);

/// Opens JSON lines: one object of plain values a line.
Result<std::unique_ptr<TextRowSource>> open_json_lines(const std::string& path,
                                                       const std::string& encoding);

}  // namespace pipelined
