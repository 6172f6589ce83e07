// A text file cut into blocks of whole rows, which can be worked on side by side.
//
// Loads, unpacks and decodes in order; what is cut is about a megabyte, or one row where that is
// longer.  Cutting costs little: only rows with quotes are looked into.  One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "plugins/common/dialect.h"
#include "plugins/common/text_buffer.h"
#include "plugins/common/text_rows.h"

namespace pipelined {

class RowBlocks {
 public:
  /// Without a dialect the rows are lines.
  static Result<RowBlocks> open(const std::string& path, const std::string& encoding,
                                const std::optional<Dialect>& dialect);

  /// The columns of separated values: stated, named by the header, or by their places.  Passes over
  /// the header.  A file without what is needed is an error.  REQUIRES: before the first `next`.
  Result<std::vector<std::string>> begin(const std::vector<std::string>& stated);

  /// Cuts the next block; false after the last.
  Result<bool> next(std::string& block);

  /// How many lines the header had, and empty lines before it.
  std::int64_t header_lines() const { return header_lines_; }

 private:
  RowBlocks(std::string name, std::string encoding, TextBuffer buffer,
            const std::optional<Dialect>& dialect);
  Result<std::size_t> load_rows();

  std::string name_, encoding_;
  TextBuffer buffer_;
  std::optional<Dialect> dialect_;
  std::int64_t header_lines_ = 0;
  bool ended_ = false;
};

/// The dialect of a file, as far as it is not stated.
Result<Dialect> find_dialect(const std::string& path, const std::string& encoding,
                             const DialectWish& wish);

}  // namespace pipelined
