// Text files as a table: types from the whole of all files or declared, nulls by word, bad rows
// named with file and line.
//
// Two passes: the first looks at every cell to settle the types, so that the last row decides as much
// as the first; the second converts.  Where all types are stated there is no first.  Blocks of rows are
// worked on by several threads, and what comes out is the same for any number of them.  Memory holds a
// few blocks a thread.  Knows nothing of operators or ports.  A table belongs to one thread.
#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "plugins/common/column_types.h"
#include "plugins/common/dialect.h"
#include "plugins/common/text_values.h"

namespace pipelined {

/// How the files are written.
enum class TextFormat { delimited, json_lines };

/// How to read them.
struct TextTableOptions {
  TextFormat format = TextFormat::delimited;
  DialectWish dialect;                      ///< of delimited text
  std::string encoding = "auto";            ///< see text_encoding.h
  std::vector<std::string> null_words = {""};
  std::map<std::string, ColumnType> types;  ///< declared: these columns must be there
  std::map<std::string, ColumnType> known;  ///< the types of these columns, if they are there
  bool infer = true;                        ///< false: a column without a type is an error
  bool quarantine = false;                  ///< hand bad rows on instead of failing at the first
  int threads = 1;                          ///< that work on blocks of rows
};

/// A row that could not be read.
struct RejectedRow {
  std::string file;
  std::int64_t line = 0;
  std::string column;  ///< empty: the row as a whole
  std::string reason;
  std::string text;    ///< the row, with what is not UTF-8 replaced
};

/// The table that one or more files with the same columns make.
class TextTable {
 public:
  using BatchSink = std::function<Result<void>(std::shared_ptr<arrow::RecordBatch>)>;
  using RejectSink = std::function<Result<void>(const RejectedRow&)>;

  /// Looks through all files.  Without quarantine the first bad row is the error:
  /// "2013-10.csv line 1234: 18 values, 19 expected: '…'".
  static Result<TextTable> open(std::vector<std::string> files, TextTableOptions options);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// The dialect of delimited text, stated and found.
  const std::optional<Dialect>& dialect() const { return dialect_; }

  /// Converts all rows, in order; both sinks are called on the caller's thread.
  Result<void> read(const BatchSink& sink, const RejectSink& rejected);

 private:
  TextTable() = default;
  Result<void> settle(const std::vector<std::string>& columns,
                      const std::vector<TypeGuess>& guesses, const TextTableOptions& options,
                      const std::vector<std::string>& files);
  std::vector<std::string> files_;
  TextTableOptions options_;
  std::optional<Dialect> dialect_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<ColumnType> types_;
};

/// Whether types are declared for `column`, and which; with `infer` off, one that has none is an error.
Result<std::optional<ColumnType>> declared_type(const TextTableOptions& options,
                                                const std::string& column);

/// "2013-10.csv line 1234: 18 values, 19 expected: '2013,10,…'", the text cut at 120 characters.
std::string sentence_of(const RejectedRow& row);

}  // namespace pipelined
