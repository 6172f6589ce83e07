// Tables for people: aligned columns that fit a terminal, coloured states, safe text.
//
// Rows of text in, one text out; knows no terminal beyond the few facts in `Look`.  Width counts
// code points.  Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pipelined::cli {

struct Column {
  std::string title;
  bool wide_only = false;    ///< shown with `-o wide` alone
  bool right = false;        ///< numbers stand at the right
};

/// What the output can show.
struct Look {
  int width = 0;             ///< columns to fit into; 0: as many as it takes
  bool colour = false;
  bool escape = false;       ///< make control characters visible
  bool titles = true;
};

class Table {
 public:
  Table(std::vector<Column> columns, bool wide) : columns_(std::move(columns)), wide_(wide) {}

  /// REQUIRES: as many cells as columns.
  void add(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  std::string text(const Look& look) const;

 private:
  std::vector<std::size_t> shown() const;
  std::vector<int> fit(const std::vector<std::size_t>& shown,
                       const std::vector<std::vector<std::string>>& rows, int width) const;

  std::vector<Column> columns_;
  bool wide_ = false;
  std::vector<std::vector<std::string>> rows_;
};

/// Control characters (C0, C1, DEL) and broken UTF-8 as `\xNN`, so that a name cannot drive the
/// terminal.  Line ends stay unless `one_line`.
std::string escaped(std::string_view text, bool one_line = false);

/// The colour's escape sequence of a state's word, or an empty text.
const char* colour_of(std::string_view state);

}  // namespace pipelined::cli
